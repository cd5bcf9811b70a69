"""Conditions and ranges (RFC 9110, sections 13 and 14)."""

from datetime import UTC, datetime

import pytest

from publisher.web.public.conditions import Range, Validators, find_known, find_range, is_failed

MOMENT = datetime(2025, 12, 15, 7, 0, 5, tzinfo=UTC)
DATE = "Mon, 15 Dec 2025 07:00:05 GMT"
EARLIER = "Mon, 15 Dec 2025 07:00:04 GMT"
LATER = "Mon, 15 Dec 2025 07:00:06 GMT"
KNOWN = Validators("a-br5", ("a", "a-br11", "a-br5", "a-gzip9", "a-gzip6"), MOMENT)


@pytest.mark.parametrize(
    ("headers", "tag"),
    [
        ({}, ""),
        ({"if-none-match": '"a-br5"'}, "a-br5"),
        ({"if-none-match": 'W/"a-br5"'}, "a-br5"),
        ({"if-none-match": '"x", "a-br5"'}, "a-br5"),
        ({"if-none-match": '"x,y",W/"a-br5"'}, "a-br5"),
        ({"if-none-match": '"a"'}, "a"),
        ({"if-none-match": '"a-gzip9"'}, "a-gzip9"),
        ({"if-none-match": '"a", "a-br5"'}, "a-br5"),
        ({"if-none-match": "*"}, "a-br5"),
        ({"if-none-match": '"a-br4"'}, ""),
        ({"if-none-match": "a"}, ""),
        ({"if-none-match": '"b, a"'}, ""),
        ({"if-none-match": '"*"'}, ""),
        ({"if-none-match": ""}, ""),
        ({"if-none-match": '"b"', "if-modified-since": LATER}, ""),
        ({"if-none-match": "", "if-modified-since": LATER}, ""),
        ({"if-none-match": '"a"', "if-modified-since": EARLIER}, "a"),
        ({"if-modified-since": DATE}, "a-br5"),
        ({"if-modified-since": LATER}, "a-br5"),
        ({"if-modified-since": EARLIER}, ""),
        ({"if-modified-since": "Monday, 15-Dec-25 07:00:05 GMT"}, "a-br5"),
        ({"if-modified-since": "yesterday"}, ""),
        ({"if-modified-since": "-1"}, ""),
        ({"if-modified-since": "Thu, 32 Foo 2026 00:00:00 GMT"}, ""),
        ({"if-modified-since": "9" * 8_000}, ""),
    ],
)
def test_what_the_client_has(headers: dict[str, str], tag: str) -> None:
    assert find_known(headers, KNOWN) == tag


@pytest.mark.parametrize(
    ("headers", "failed"),
    [
        ({}, False),
        ({"if-match": '"a"'}, False),
        ({"if-match": "*"}, False),
        ({"if-match": '"b"'}, True),
        ({"if-match": 'W/"a"'}, True),
        ({"if-match": '"a"', "if-unmodified-since": EARLIER}, False),
        ({"if-unmodified-since": DATE}, False),
        ({"if-unmodified-since": EARLIER}, True),
        ({"if-unmodified-since": "nonsense"}, False),
    ],
)
def test_what_the_client_insists_on(headers: dict[str, str], failed: bool) -> None:
    assert is_failed(headers, KNOWN) == failed


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("bytes=0-0", Range(0, 1)),
        ("bytes=0-", Range(0, 100)),
        ("bytes=10-19", Range(10, 10)),
        ("BYTES=10-19", Range(10, 10)),
        ("bytes=90-1000", Range(90, 10)),
        ("bytes=99-", Range(99, 1)),
        ("bytes=-1", Range(99, 1)),
        ("bytes=-1000", Range(0, 100)),
        ("bytes=0-" + "9" * 5_000, Range(0, 100)),
        ("bytes=000-0009", Range(0, 10)),
    ],
)
def test_a_part(text: str, part: Range) -> None:
    assert find_range({"range": text}, KNOWN, 100) == part


@pytest.mark.parametrize(
    "text", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=" + "9" * 50 + "-"]
)
def test_a_part_outside(text: str) -> None:
    part = find_range({"range": text}, KNOWN, 100)
    assert part is not None
    assert part.length == 0


@pytest.mark.parametrize(
    "text",
    [
        *("", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=--5", "items=0-5"),
        *("bytes=0-5,7-9", "bytes=0-5, -1", "bytes=0x1-5", "bytes=+1-5", "bytes=١-٢"),
        "bytes=" + ",".join(["0-"] * 1_000),
    ],
)
def test_what_is_no_single_part_is_passed_over(text: str) -> None:
    assert find_range({"range": text}, KNOWN, 100) is None


@pytest.mark.parametrize(
    ("if_range", "is_part"),
    [
        ('"a-br5"', True),
        ('W/"a-br5"', False),
        ('"a"', False),
        (DATE, True),
        (LATER, False),
        (EARLIER, False),
        ("", False),
    ],
)
def test_a_part_of_what_the_client_has(if_range: str, is_part: bool) -> None:
    found = find_range({"range": "bytes=0-9", "if-range": if_range}, KNOWN, 100)
    assert (found == Range(0, 10)) == is_part
