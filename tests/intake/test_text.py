"""Bytes -> text: what an editor's program may have saved, and what is no text at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.intake.text import MAX_BYTES, clean_escaped, decode, drop_forbidden


def rules(data: bytes) -> list[tuple[str, int | None]]:
    return [(problem.rule, problem.line) for problem in decode(data, "a.md")[1]]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"plain\ntext\n", "plain\ntext\n"),
        (b"\xef\xbb\xbfmarked", "marked"),
        (b"a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\vb\fc\u2028d\u2029e\u0085f".encode(), "a\nb\nc\nd\ne\nf"),
        ("汉字 é e\u0301 \u00a0\u202f\u200b🎬".encode(), "汉字 é e\u0301 \u00a0\u202f\u200b🎬"),
        ("“quote” ‮right to left‬".encode(), "“quote” ‮right to left‬"),
        ("\U0010ffff\U0001fffe".encode(), "\U0010ffff\U0001fffe"),
        (b"tab\there", "tab\there"),
    ],
)
def test_text_is_kept_and_its_line_ends_are_one(data: bytes, text: str) -> None:
    assert decode(data, "a.md") == (text, ())


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x80", "\ufffe", "\uffff"])
def test_what_xml_forbids_is_dropped_and_said(character: str) -> None:
    text, [problem] = decode(f"first line\nsec{character}ond {character} line".encode(), "a.md")
    assert text == "first line\nsecond  line"
    assert (problem.rule, problem.line) == ("control-characters", 2)
    assert f"2 control characters were dropped (U+{ord(character):04X})" == problem.message


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"caf\xe9", 1),
        (b"one\ntwo\nth\xffree", 3),
        (b"\xed\xa0\x80", 1),
        (b"\xc0\xaf", 1),
        (b"\xf5\x80\x80\x80", 1),
        ("text".encode("utf-16"), 1),
        (b"\xfe\xff\0t", 1),
        (bytes(range(256)), 2),
        (b"\0" * 100, 1),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 60, 1),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(data: bytes, line: int) -> None:
    assert decode(data, "a.md")[0] is None
    assert rules(data) == [("file-not-text", line)]


def test_what_is_too_large_is_not_looked_at() -> None:
    assert decode(b"a" * MAX_BYTES, "a.md")[1] == ()
    assert decode(b"\xff" * (MAX_BYTES + 1), "a.md")[0] is None
    assert rules(b"\xff" * (MAX_BYTES + 1)) == [("file-too-large", None)]


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    text, problems = decode(data, "a.md")
    assert text is not None or problems
    if text is not None:
        assert drop_forbidden(text) == text
        assert "\r" not in text
        assert decode(text.encode(), "a.md")[0] in (text, text.removeprefix("\ufeff"))


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=60))
def test_escapes_bring_in_nothing_that_a_file_may_not_have(text: str) -> None:
    clean, dropped = clean_escaped(text)
    clean.encode()
    assert drop_forbidden(clean) == clean
    assert len(clean) + len(dropped) + text.count("\r\n") == len(text)
    assert clean_escaped(clean) == (clean, "")
