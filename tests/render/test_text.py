"""The plain-text part: its lines, its blocks, and that every word stands as it was written."""

import re
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from publisher.model import content as c
from publisher.model.issue import Highlight, Image, Issue
from publisher.render.email import render_message
from publisher.render.html import Target
from publisher.render.templates import make_templates
from publisher.render.text import underline, write_text
from publisher.render.views import Setting
from publisher.render.wrap import _wrap_ascii, _wrap_line, count_columns, wrap

TARGET = Target(
    link=lambda href: "" if href.startswith("javascript:") else href, image=lambda src: None
)


def paragraph(*children: str | c.Inline) -> c.Paragraph:
    return c.Paragraph(tuple(c.Text(x) if isinstance(x, str) else x for x in children))


def link(text: str, href: str) -> c.Link:
    return c.Link(href, "", (c.Text(text),), 1)


def text_of(*blocks: c.Block, width: int = 72) -> str:
    return write_text(blocks, TARGET, width).text


# Wrapping


def test_lines_end_at_words() -> None:
    assert wrap("one two three four", 9) == "one two\nthree\nfour"


def test_a_first_line_and_the_others_begin_as_told() -> None:
    assert wrap("one two three", 10, "1. ", "   ") == "1. one two\n   three"


def test_a_word_that_is_too_long_stands_whole_on_a_line_of_its_own() -> None:
    url = "https://example.org/" + "very-long-" * 10
    assert wrap(f"see {url} now", 20) == f"see\n{url}\nnow"


def test_words_are_not_broken_at_their_hyphens() -> None:
    assert wrap("a Shanghai-produced series", 12) == "a\nShanghai-produced\nseries"


def test_no_break_spaces_do_not_end_a_line() -> None:
    assert wrap("aa 100\u00a0km bb", 8) == "aa\n100\u00a0km\nbb"


def test_chinese_counts_two_columns_and_breaks_between_characters() -> None:
    assert count_columns("今日 ok") == 7
    assert wrap("今日要闻开机", 8) == "今日要闻\n开机"


def test_marks_count_no_column() -> None:
    assert count_columns("e\u0301\u200d") == 1


@pytest.mark.parametrize("closing", "，。、！？；：）》」』】”’…%％ー々")
def test_no_line_begins_with_closing_punctuation(closing: str) -> None:
    text = "今日要闻" * 3 + closing + "要闻"
    for width in range(6, 32):
        assert not any(line.startswith(closing) for line in wrap(text, width).split("\n"))


@pytest.mark.parametrize("opening", "（《「『【“‘")
def test_no_line_ends_with_opening_punctuation(opening: str) -> None:
    text = "今日要闻" * 3 + opening + "要闻"
    for width in range(6, 32):
        assert not any(line.endswith(opening) for line in wrap(text, width).split("\n"))


@pytest.mark.parametrize("whole", ["👨‍👩‍👧", "👍🏽", "❤️", "か\u3099"])
def test_what_is_one_character_to_a_reader_is_not_broken(whole: str) -> None:
    for width in range(2, 12):
        assert whole in wrap(f"今日{whole}要闻", width)


@pytest.mark.parametrize("after", ["。更多文字", " 更多", "，", "（见下）"])
def test_a_url_inside_chinese_is_not_broken(after: str) -> None:
    url = "https://example.org/电影/a-b?x=1&y=片名"
    for width in range(6, 40):
        assert url in wrap(f"剧照见{url}{after}", width)


def test_korean_breaks_at_its_spaces() -> None:
    assert wrap("안녕하세요 여러분", 12) == "안녕하세요\n여러분"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200), st.integers(10, 80))
def test_nothing_but_line_ends_is_added_or_lost(text: str, width: int) -> None:
    wrapped = wrap(text, width)
    assert wrapped.replace("\n", "").replace(" ", "") == text.replace(" ", "")


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=12), min_size=1), st.integers(12, 80))
def test_lines_are_full_and_not_too_long(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width).split("\n")
    assert all(len(line) <= width for line in lines)
    for line, following in pairwise(lines):
        assert len(line) + 1 + len(following.split(" ")[0]) > width
    assert " ".join(lines) == " ".join(words)


# Blocks


def test_quotes() -> None:
    quote = c.Quote((paragraph("one two three"), c.Quote((paragraph("deep"),))))
    assert text_of(quote, width=28) == "> one two three\n>\n> > deep"


def test_a_tight_list_has_no_empty_lines() -> None:
    items = ((paragraph("one"),), (paragraph("two"), paragraph("more")))
    assert text_of(c.List(False, 1, True, items)) == "- one\n- two\n  more"


def test_a_loose_list_and_its_numbers_stand_in_a_column() -> None:
    items = ((paragraph("nine"),), (paragraph("ten"), paragraph("more")))
    expected = " 9. nine\n\n10. ten\n\n    more"
    assert text_of(c.List(True, 9, False, items)) == expected


def test_a_list_in_a_list_is_indented() -> None:
    inner = c.List(True, 1, True, ((paragraph("in"),),))
    assert text_of(c.List(False, 1, True, ((paragraph("out"), inner),))) == "- out\n  1. in"


def test_an_empty_item_keeps_its_marker() -> None:
    assert text_of(c.List(False, 1, True, ((), (paragraph("b"),)))) == "-\n- b"


def test_deep_nesting_keeps_room_for_words() -> None:
    block: c.Block = paragraph("some words that need room here")
    for _ in range(40):
        block = c.Quote((block,))
    assert "some words that need" in text_of(block)


def test_code_keeps_its_lines() -> None:
    code = "a  =  1\n\n\n  return " + "x" * 80
    assert text_of(c.CodeBlock(code, "py")) == "    a  =  1\n\n\n      return " + "x" * 80


def test_headings_are_underlined_and_rules_drawn() -> None:
    heading = c.Heading(3, (c.Text("今日 ok"),), 1)
    assert text_of(heading, c.Rule(), paragraph("x")) == "今日 ok\n-------\n\n* * *\n\nx"
    assert underline("Title", "=") == "Title\n====="


def test_a_long_heading_is_underlined_no_further_than_the_lines_go() -> None:
    assert underline("x" * 100).split("\n")[1] == "-" * 72


def table(*rows: tuple[str, ...], aligns: tuple[c.Align, ...]) -> c.Table:
    cells = [tuple((c.Text(cell),) for cell in row) for row in rows]
    return c.Table(aligns, cells[0], tuple(cells[1:]))


def test_a_table_stands_in_columns() -> None:
    block = table(("City", "km"), ("海口", "5"), ("Sanya", "280"), aligns=("", "right"))
    assert text_of(block) == "City    km\n-----  ---\n海口     5\nSanya  280"


def test_a_table_that_is_too_wide_stands_row_by_row() -> None:
    block = table(
        ("What", "", "Note"), ("a" * 30, "b" * 30, "long words " * 7), aligns=("", "", "center")
    )
    expected = f"""What: {"a" * 30}
{"b" * 30}
Note: long words long words long words long words long words long words
  long words"""
    assert text_of(block) == expected


def test_a_wide_table_without_rows_keeps_its_headings() -> None:
    assert text_of(table(("a" * 40, "b" * 40), aligns=("", ""))) == "a" * 40 + "\n" + "b" * 40


# Words and links


def test_markup_leaves_the_words_alone() -> None:
    block = paragraph(
        "a ", c.Emphasis((c.Text("b"),)), c.Strong((c.Strike((c.Text("c"),)),)), c.Code(" d*_")
    )
    assert text_of(block) == "a bc d*_"


def test_line_breaks() -> None:
    soft, hard = c.Break(False), c.Break(True)
    assert text_of(paragraph("a", soft, "b", hard, "c")) == "a b\nc"
    assert text_of(paragraph("今", soft, "日", hard, "x")) == "今日\nx"


def test_links_stand_behind_the_text_each_once() -> None:
    body = write_text(
        (
            paragraph("see ", link("the map", "https://a.example/"), "."),
            paragraph(link("the map", "https://a.example/")),
        ),
        TARGET,
    )
    assert body.text == "see the map.\n\nthe map"
    assert body.links == (("the map", "https://a.example/"),)


def test_a_url_that_can_be_read_already_is_not_repeated() -> None:
    body = write_text(
        (
            paragraph(
                link("https://a.example/", "https://a.example/"),
                link("me@a.example", "mailto:me@a.example"),
                link("click", "javascript:alert(1)"),
            ),
        ),
        TARGET,
    )
    assert body.links == ()


def test_pictures_stand_as_their_alternative_text() -> None:
    assert text_of(paragraph("a ", c.Picture("x.png", "a map", "", 1), " b")) == "a [a map] b"
    assert text_of(paragraph("a", c.Picture("x.png", "", "", 1), "b")) == "ab"


# The whole part


@pytest.fixture
def text(english: Issue, setting: Setting, templates: Environment) -> str:
    return render_message(english, setting, templates).text


def test_lines_are_at_most_72_columns_but_for_urls(text: str) -> None:
    long = [line for line in text.split("\n") if count_columns(line) > 72]
    assert all("://" in line and " " not in line.strip() for line in long)


def test_headlines_stand_in_a_numbered_list_and_over_their_sections(
    text: str, english: Issue
) -> None:
    joined = re.sub(r"\n {3,4}(?=\S)", " ", text)
    for number, highlight in enumerate(english.highlights, 1):
        assert f"\n{number:2d}. {highlight.title}\n" in joined
        assert f"\n{number}. {highlight.title}\n" in joined


def test_every_paragraph_stands_with_its_very_words(text: str, english: Issue) -> None:
    unbroken = re.sub(r"[\s>]+", "", text)
    for highlight in english.highlights:
        for block in highlight.body:
            if isinstance(block, c.Paragraph):
                words = "".join(write_text((block,), TARGET).text.split())
                assert words in unbroken


def test_the_foot_says_why_who_and_how_to_leave(text: str, setting: Setting) -> None:
    foot = text.rsplit("-" * 72, 1)[1]
    assert setting.publication.title in foot
    assert setting.postal_address in foot
    assert foot.endswith("Unsubscribe:\nhttps://slot.invalid/unsubscribe\n")


def test_links_carry_the_publications_parameters(text: str) -> None:
    assert "https://daily.example/highlights/ferry-cinema/?utm_source=mail" in text


def test_no_line_ends_in_a_space_and_no_gap_is_wide(text: str) -> None:
    assert not re.search(r" $", text, re.MULTILINE)
    assert "\n\n\n" not in text
    assert text.endswith("\n")
    assert not text.startswith("\n")


def test_what_is_missing_leaves_no_gap(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    plain = msgspec.structs.replace(setting, postal_address="", link_params=())
    issue = msgspec.structs.replace(brief, title="", number=None)
    assert render_message(issue, plain, templates).text == (
        "The Lantern Daily\n"
        "=================\n"
        "Monday, December 15, 2025\n"
        "View on the web: https://daily.example/issues/2025-12-15/\n"
        "\n" + "-" * 72 + "\n\n"
        "1. Only one\n"
        "\n"
        "One paragraph.\n"
        "\n"
        "Permanent link <https://daily.example/highlights/only-one/>\n"
        "\n" + "-" * 72 + "\n\n"
        "You receive this message because you subscribed to The Lantern Daily.\n"
        "\n"
        "Unsubscribe:\n"
        "https://slot.invalid/unsubscribe\n"
    )


def test_an_image_stands_as_its_alternative_text(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    highlight = msgspec.structs.replace(
        brief.highlights[0], image=Image("media/harbour.jpg", "A pier")
    )
    issue = msgspec.structs.replace(brief, highlights=(highlight,))
    assert (
        "1. Only one\n\n[A pier]\n\nOne paragraph."
        in render_message(issue, setting, templates).text
    )


def test_markup_in_titles_and_code_is_not_escaped(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    highlight = Highlight(
        id="x", title="<b> & {{ issue }}", source="A & B", body=(paragraph("1 < 2 & {% x %}"),)
    )
    issue = msgspec.structs.replace(brief, highlights=(highlight,))
    text = render_message(issue, setting, templates).text
    assert "1. <b> & {{ issue }}\n(A & B)\n\n1 < 2 & {% x %}\n" in text


def test_a_publication_can_replace_the_layout(english: Issue, setting: Setting) -> None:
    own = make_templates(
        {
            "email/message.html": "<html><body>{{ issue.title }}</body></html>",
            "email/message.txt": (
                "{% for section in sections %}{{ wrap(section.highlight.title, 30) }}\n"
                "{{ section.body.links | length }}\n{% endfor %}{{ unsubscribe_url }}"
            ),
        }
    )
    text = render_message(english, setting, own).text
    assert text.startswith("A ferry across the strait\nbecomes a cinema for one\nwinter\n1\n")
    assert text.endswith("https://slot.invalid/unsubscribe")


@given(
    text=st.text(st.sampled_from("ab-. \t"), max_size=200),
    width=st.integers(0, 30),
    first=st.sampled_from(["", "- ", " 1. "]),
    rest=st.sampled_from(["", "  ", "> "]),
)
def test_the_quick_way_for_ascii_wraps_like_the_general_one(
    text: str, width: int, first: str, rest: str
) -> None:
    general = list(_wrap_line(text, width, first, rest))
    assert list(_wrap_ascii(text, width, first, rest)) == general
