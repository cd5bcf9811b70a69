"""Hits are marked where they stand, and shown with the lines around them."""

from hypothesis import given
from hypothesis import strategies as st

from publisher.render.marking import Part, excerpt_hits, mark
from publisher.render.query import parse_query

LONG = (
    "It began without a word of what came. " * 20 + "Then a lantern was lit. " + "Rain fell. " * 40
)


def marked(text: str, query: str) -> str:
    return write(mark(text, parse_query(query)))


def write(parts: tuple[Part, ...]) -> str:
    return "".join(f"[{part.text}]" if part.is_hit else part.text for part in parts)


def test_words_are_marked_as_they_are_written() -> None:
    assert marked("The Café, a CAFÉ", "cafe") == "The [Café], a [CAFÉ]"
    assert marked("lanterns and lanes", "lan") == "[lanterns] and [lanes]"
    assert marked("lantern lanterns", '"lantern"') == "[lantern] lanterns"
    assert marked("عن المُدَرِّسَة هنا", "مدرسة") == "عن [المُدَرِّسَة] هنا"


def test_a_phrase_is_marked_only_where_it_stands_together() -> None:
    assert (
        marked("the open sea, open to the sea", '"open sea"') == "the [open sea], open to the sea"
    )
    assert marked("在北京，北方的京剧", "北京") == "在[北京]，北方的京剧"


def test_what_touches_is_marked_together() -> None:
    assert marked("北京大学生", "北京大学 大学生") == "[北京大学生]"


def test_what_is_left_out_is_not_marked() -> None:
    assert marked("sea and salt", "salt -sea") == "sea and [salt]"


def test_the_lines_around_the_first_hit_are_shown() -> None:
    shown = write(excerpt_hits(LONG, parse_query("lantern")))
    assert "[lantern] was lit." in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) < 260


def test_a_text_without_a_hit_is_shown_from_its_beginning() -> None:
    shown = write(excerpt_hits(LONG, parse_query("elsewhere")))
    assert shown.startswith("It began")
    assert shown.endswith("…")
    assert excerpt_hits("", parse_query("a")) == ()


@given(st.text(), st.text())
def test_marking_adds_nothing_and_loses_nothing(text: str, query: str) -> None:
    assert "".join(part.text for part in mark(text, parse_query(query))) == text


@given(st.text(min_size=300), st.text())
def test_what_is_shown_is_a_part_of_the_text(text: str, query: str) -> None:
    shown = "".join(part.text for part in excerpt_hits(text, parse_query(query)))
    assert shown.removeprefix("…").removesuffix("…") in text or "…" in text
    assert len(shown) <= 300
