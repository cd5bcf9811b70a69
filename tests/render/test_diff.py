"""What differs between two texts: words, characters, lines, and how long it may take."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.render.diff import Line, compare_lines, split

MARKS = {"same": "{}", "added": "+[{}]", "removed": "-[{}]"}


def shown(line: Line) -> str:
    return "".join(MARKS[span.kind].format(span.text) for span in line)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "It took 1,200 on Friday.",
            "It took 1,300 on Friday.",
            "It took -[1,200]+[1,300] on Friday.",
        ),
        # What lies between two changes and is no word belongs to them.
        (
            "on Friday evening in May",
            "on Monday night in May",
            "on -[Friday evening]+[Monday night] in May",
        ),
        ("It doesn't open", "It didn't open", "It -[doesn't]+[didn't] open"),
        (
            "该片周五票房十二亿元。",
            "该片周六票房十三亿元。",
            "该片周-[五]+[六]票房十-[二]+[三]亿元。",
        ),
        ("ประเทศไทย", "ประเทศลาว", "ประเทศ-[ไทย]+[ลาว]"),
        ("يفتح يوم الجمعة.", "يفتح يوم السبت.", "يفتح يوم -[الجمعة]+[السبت]."),
        ("왔습니다 오늘", "왔습니다 어제", "왔습니다 -[오늘]+[어제]"),
        ("same but longer", "same but longer now", "same but longer+[ now]"),
    ],
)
def test_words_or_characters(old: str, new: str, expected: str) -> None:
    assert [shown(line) for line in compare_lines([old], [new])] == [expected]


def test_only_lines_that_differ_are_there_each_beside_what_it_was() -> None:
    old = ["First.", "The film took a million on Friday.", "Last."]
    new = ["First.", "Something new altogether", "The film took two million on Friday.", "Last."]
    assert [shown(line) for line in compare_lines(old, new)] == [
        "+[Something new altogether]",
        "The film took -[a]+[two] million on Friday.",
    ]


def test_lines_with_little_in_common_are_two() -> None:
    found = compare_lines(["A pot lay in the sea"], ["Kettles sing loudly"])
    assert [shown(line) for line in found] == ["-[A pot lay in the sea]", "+[Kettles sing loudly]"]


@given(st.lists(st.text(max_size=40), max_size=5), st.lists(st.text(max_size=40), max_size=5))
def test_nothing_is_lost(old: list[str], new: list[str]) -> None:
    found = compare_lines(old, new)
    for kind, lines in (("removed", old), ("added", new)):
        for line in found:
            if any(span.kind == kind for span in line):
                text = "".join(span.text for span in line if span.kind in ("same", kind))
                assert text in lines
    assert (found == ()) == (old == new)


@given(st.text())
def test_pieces_are_the_text(text: str) -> None:
    pieces = split(text)
    assert "".join(pieces) == text
    # A sign that stands on another is not parted from it.
    assert not any(unicodedata.category(piece[0])[0] == "M" for piece in pieces[1:])


def test_texts_that_would_take_long_are_compared_as_wholes() -> None:
    old, new = "a" + "汉字" * 5_000 + "b", "c" + "字汉" * 5_000 + "d"
    found = compare_lines([old], [new])
    assert [shown(line) for line in found] == [f"-[{old}]+[{new}]"]
