"""Fields -> values: dates, ids, tags, people, lists, and what is said of those that make none."""

import json
import re
import signal
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.intake.fields import (
    ISSUE_FIELDS,
    Reader,
    has_offset,
    make_tag,
    one_line,
    read_moment,
    split_list,
    unique_tags,
)
from publisher.intake.tree import parse_json, parse_yaml
from publisher.model.issue import Image, Person

BERLIN = ZoneInfo("Europe/Berlin")


def reader(text: str) -> Reader:
    root = parse_yaml(text)
    assert isinstance(root.value, dict)
    return Reader("issues/a.md", root.value)


def said(of: Reader) -> list[tuple[str, int | None]]:
    return [(problem.rule, problem.line) for problem in of.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-12-15", "2025-12-15T00:00:00+01:00"),
        ("2025-07-15", "2025-07-15T00:00:00+02:00"),
        ("2025-12-15T07:00:00+08:00", "2025-12-15T07:00:00+08:00"),
        ("2025-12-15t07:00:00z", "2025-12-15T07:00:00+00:00"),
        ("2025-12-15 07:00", "2025-12-15T07:00:00+01:00"),
        ("2025-12-15 07:00 +0800", "2025-12-15T07:00:00+08:00"),
        ("2025-12-15T07:00:30.999Z", "2025-12-15T07:00:30+00:00"),
        (" 2025-12-15 ", "2025-12-15T00:00:00+01:00"),
        # Clocks go back at 3:00: the first of the two hours.
        ("2025-10-26T02:30", "2025-10-26T02:30:00+02:00"),
    ],
)
def test_moments_that_are_read(text: str, expected: str) -> None:
    moment = read_moment(text, BERLIN)
    assert moment is not None
    assert moment.isoformat() == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "today",
            "15.12.2025",
            "12/15/2025",
            "2025-12",
            "2025-13-01",
            "2025-02-30",
            "20251215",
        ),
        *("2025-12-15T25:00", "2025-12-15T07:00+25:00", "2025-12-15T07:60", "1899-12-31"),
        *("9001-01-01", "0001-01-01T00:00Z", "2025-12-15T7:00", "2025-12-15T07:00:00 CET", "1e9"),
        *(
            "２０２５-12-15",
            "2025-12-15\n2025-12-16",
            "2025-12-15T07:00:00.1234567Z",
            "-2025-12-15",
        ),
    ],
)
def test_moments_that_are_none(text: str) -> None:
    assert read_moment(text, BERLIN) is None


@given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30)), st.integers(-840, 840))
def test_any_moment_is_read_as_it_is_written(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)), microsecond=0)
    assert read_moment(aware.isoformat(), BERLIN) == aware
    assert has_offset(aware.isoformat())
    assert not has_offset(moment.isoformat())


@pytest.mark.parametrize(
    ("text", "slug", "expected", "problems"),
    [
        ("date: 2025-12-15T07:00Z", "x", "2025-12-15T07:00:00+00:00", []),
        ("a: 1", "2025-12-15", "2025-12-15T00:00:00+01:00", []),
        ("date:", "2025-12-15", "2025-12-15T00:00:00+01:00", []),
        ("a: 1", "x", None, [("date-missing", 1)]),
        ("a: 1", "2025-02-30", None, [("date-missing", 1)]),
        ("a: 1\ndate: soon", "2025-12-15", None, [("date-unreadable", 2)]),
        ("a: 1\ndate: [1]", "2025-12-15", None, [("field-unreadable", 2)]),
        ("date: 2025-12-15", "x", "2025-12-15T00:00:00+01:00", []),
        ("date: 2025-12-15 07:00", "x", "2025-12-15T07:00:00+01:00", [("date-without-offset", 1)]),
    ],
)
def test_an_issues_date(
    text: str, slug: str, expected: str | None, problems: list[tuple[str, int]]
) -> None:
    of = reader(text)
    date = of.date(slug, BERLIN)
    assert (date.isoformat() if date else None) == expected
    assert said(of) == problems


@pytest.mark.parametrize("id_", ["a", "0", "2025-12-15", "a" * 64, "x-", "a--b"])
def test_ids_that_can_be_used(id_: str) -> None:
    of = reader(f"id: '{id_}'")
    assert of.id() == id_
    assert not of.problems


@pytest.mark.parametrize(
    "id_", ["A", "-a", "a b", "a_b", "a.b", "ä", "a" * 65, "../x", "a/b", "a\\nb", "４２", "İ"]
)
def test_ids_that_cannot_be_used(id_: str) -> None:
    of = reader(f'id: "{id_}"')
    assert of.id() == ""
    assert said(of) == [("id-invalid", 1)]


@pytest.mark.parametrize(
    ("label", "slug"),
    [
        *(("film", "film"), ("Film", "film"), (" New  York ", "new-york"), ("Café", "cafe")),
        *(
            ("Straße", "strasse"),
            ("Rock & Roll", "rock-roll"),
            ("don't", "dont"),
            ("don’t", "dont"),
        ),
        *(
            ("a/b", "a-b"),
            ("İstanbul", "istanbul"),
            ("ﬁlm", "film"),
            ("①", "1"),
            ("x" * 64, "x" * 64),
        ),
    ],
)
def test_slugs_that_can_be_read(label: str, slug: str) -> None:
    assert make_tag(label.strip()).slug == slug
    assert make_tag(label.strip()).label == label.strip()


def test_slugs_that_are_told_apart_by_a_hash() -> None:
    labels = [
        "C",
        "C++",
        "C#",
        "c--",
        "电影",
        "电视",
        "🎬",
        "🎭",
        "!",
        "?",
        "…",
        "x" * 65,
        "x" * 66,
    ]
    slugs = [make_tag(label).slug for label in labels]
    assert slugs[0] == slugs[3] == "c"
    assert len(set(slugs)) == len(labels) - 1
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", slug) for slug in slugs)


@given(st.text(min_size=1, max_size=90))
def test_any_label_has_a_slug(label: str) -> None:
    tag = make_tag(label)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", tag.slug)
    assert make_tag(label) == tag


def test_each_tag_once_in_its_first_place() -> None:
    tags = unique_tags([make_tag(label) for label in ("b", "Film", "a", "film", "B")])
    assert [tag.label for tag in tags] == ["b", "Film", "a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tags: film, 电影，音乐、舞台", ["film", "电影", "音乐", "舞台"]),
        ("tags: [film, 'a, b']", ["film", "a, b"]),
        ("tags: ' , ,'", []),
        ("tags:\n", []),
        ("tags: [~, '', film]", ["film"]),
    ],
)
def test_lists_of_words(text: str, expected: list[str]) -> None:
    assert [tag.label for tag in reader(text).tags()] == expected


def test_what_is_no_list_of_words_is_said() -> None:
    for text in ("tags: {a: b}", "tags: [[a]]", "tags: [{a: b}, c]"):
        of = reader(text)
        assert len(of.tags()) <= 1
        assert said(of) == [("field-invalid", 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("authors: Ada", [("Ada", "")]),
        ("authors: Ada <ada@a.example>", [("Ada", "ada@a.example")]),
        ("authors: [Ada, ada@a.example]", [("Ada", ""), ("ada@a.example", "ada@a.example")]),
        ("authors: {name: Ada, email: ada@a.example}", [("Ada", "ada@a.example")]),
        ("authors: [{name: 'A\tB', email: ~}]", [("A B", "")]),
        ("authors: 'Bai, Li'", [("Bai, Li", "")]),
        ("authors:", []),
    ],
)
def test_people(text: str, expected: list[tuple[str, str]]) -> None:
    of = reader(text)
    assert list(of.authors()) == [Person(*each) for each in expected]
    assert not of.problems


@pytest.mark.parametrize(
    "text", ["authors: [[Ada]]", "authors: [{email: a@b.example}]", "authors: ['']"]
)
def test_nobody(text: str) -> None:
    of = reader(text)
    assert of.authors() == ()
    assert said(of) == [("field-invalid", 1)]


@pytest.mark.parametrize(
    ("text", "expected", "problems"),
    [
        ("mail: false", False, 0),
        ("mail: 'TRUE'", True, 0),
        ("mail:", True, 0),
        ("mail: no", True, 1),
        ("mail: [false]", True, 1),
    ],
)
def test_a_field_that_decides_is_never_guessed(text: str, expected: bool, problems: int) -> None:
    of = reader(text)
    assert of.choice("mail", {"true": True, "false": False}, True) is expected
    assert said(of) == [("field-unreadable", 1)] * problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [("number: 12", 12), ("number: 0", 0), ("number: '007'", 7), ("number:", None)],
)
def test_numbers(text: str, expected: int | None) -> None:
    assert reader(text).number("number") == expected


@pytest.mark.parametrize("value", ["-1", "1.5", "ten", "9" * 10, "१२x", "0x1f", "[1]"])
def test_what_is_no_number_is_said(value: str) -> None:
    of = reader(f"number: {value}")
    assert of.number("number") is None
    assert said(of) == [("field-invalid", 1)]


def test_images() -> None:
    assert reader("image: media/a.jpg").image() == Image("media/a.jpg", None)
    assert reader("image: a\nalt: ''").image() == Image("a", "")
    assert reader("image: a\nalt: Lights\nwidth: 3\nheight: 2").image() == Image(
        "a", "Lights", 3, 2
    )
    assert reader("alt: Lights").image() is None


def test_an_unknown_field_is_said_with_what_may_be_meant() -> None:
    of = reader(f"titel: x\nstatus: ready\n{'y' * 300}: z")
    of.reject_unknown(ISSUE_FIELDS)
    assert said(of) == [("field-unknown", 1), ("field-unknown", 3)]
    assert "did you mean title?" in of.problems[0].message
    assert len(of.problems[1].message) < 120


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("a\nb", "a b"), (" a \n\t b ", "a b"), ("a\u00a0b", "a\u00a0b"), ("a  b", "a  b")),
        *(("\n\n", ""), ("a\tb", "a b"), ("a\0b", "ab"), ("\u3000a", "a"), ("a \n \n b", "a  b")),
    ],
)
def test_one_line(text: str, expected: str) -> None:
    assert one_line(text) == expected


def test_one_line_takes_no_square_of_its_length() -> None:
    signal.alarm(10)
    assert len(one_line("a" + " " * 1_900_000 + "b")) == 1_900_002
    assert len(one_line("a \n" * 600_000)) == 1_199_999
    signal.alarm(0)


@given(st.text(max_size=40))
def test_a_list_has_no_empty_words(text: str) -> None:
    assert all(part.strip() for part in split_list(text))


_VALUES = st.recursive(
    st.text(max_size=5) | st.none(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@given(_VALUES)
def test_any_value_in_any_field_is_read_or_said(value: object) -> None:
    names = ("id", "title", "tags", "authors", "date", "image", "number", "language")
    root = parse_json(json.dumps(dict.fromkeys(names, value)))
    assert isinstance(root.value, dict)
    of = Reader("issues/a.json", root.value)
    of.id(), of.text("title"), of.tags(), of.authors(), of.date("x", BERLIN), of.image()
    of.number("number"), of.language()
    assert all(problem.line for problem in of.problems)
