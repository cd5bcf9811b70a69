"""Whatever an issue, a message or a page holds: no exception, and no time lost."""

import signal
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.model import content as c
from publisher.model.issue import Highlight, Image, Issue
from publisher.preflight.content import check_issue
from publisher.preflight.links import check_links
from publisher.preflight.markup import read_tags
from publisher.preflight.page import check_page
from publisher.preflight.placeholders import find_placeholder
from publisher.preflight.quotes import find_unpaired
from publisher.preflight.scripts import find_mismatch
from publisher.preflight.styles import judge_block, judge_style
from tests.preflight.samples import MEDIA, check_body, check_mail, make_setting

_PIECES = st.sampled_from(
    [
        *(
            "[a](",
            "<",
            ">",
            ")",
            "![",
            "](",
            "https://",
            "http:",
            "//",
            "#",
            "javascript:",
            "mailto:",
        ),
        *('"', "“", "”", "«", "5'10\"", "{{", "}}", "{%", "TK", "XXX", "*|A|*", "[insert ", "]"),
        *("\n\n", "\n", "> ", "- ", "| a |\n|---|\n| b |", "### ", "`", "**", "\u202e", "\u2069"),
        *("media/", "@", ":", "%", "\\", "ü", "夜", "مرحبا", "&amp;", "â€™", "\ufffd", " ", "word"),
        *('<p style="', "<!--", "-->", "<script>", "</script>", "<style>", "{", "}", ";", "url("),
    ]
)
_TEXTS = st.lists(st.one_of(_PIECES, st.text(max_size=6)), max_size=40).map("".join)


@settings(deadline=None, max_examples=150)
@given(_TEXTS)
def test_any_text_is_read(text: str) -> None:
    for problem in (
        *check_body(text),
        *check_mail(text, text, text),
        *check_page(text.encode(), "p"),
    ):
        assert problem.message
        assert problem.fix


BIG = 200_000


@pytest.mark.parametrize(
    "piece",
    [
        *('"', "“", "“”", '5" ', "{{", "{{}}", "[insert ", "TK", "TKTK ", "XXX ", "*|A", "（待补"),
        *("夜", "مرحبا ", "a ", "aaaa", "\u202e", "&amp;", "â€", "lorem ipsum ", ".", " "),
    ],
)
def test_words_cost_linear_time(piece: str) -> None:
    text = piece * (BIG // len(piece))
    _in_time(lambda: find_placeholder(text, ["es"]))
    _in_time(lambda: list(find_unpaired([text, text])))
    _in_time(lambda: find_mismatch(text, "zh"))


@pytest.mark.parametrize(
    "url",
    [
        *("https://" + "a" * BIG, "https://" + "ü" * BIG + "!", "https://" + "a." * BIG),
        *("www." + "a." * BIG, "mailto:" + "a,@" * BIG, "#" + "a" * BIG, "//" + "[" * BIG),
        *("https://" + "%" * BIG, "x" * BIG, ":" * BIG, "javascript" * (BIG // 10)),
    ],
)
def test_addresses_cost_linear_time(url: str) -> None:
    links = [c.Link(url, "", (c.Text("the paper"),), 9), c.Link("#a", "", (c.Text(f"{url} x"),), 9)]
    image = Image(url, "Lights")
    body = (c.Paragraph((*links, c.Picture(url, url, "", 9))),)
    highlight = Highlight(id="a", title="A", url=url, image=image, body=body, line=8)
    issue = Issue(slug="a", path="issues/a.md", highlights=(highlight,))
    _in_time(lambda: check_links(issue, make_setting()))
    _in_time(lambda: check_issue(issue, make_setting(), MEDIA))


@pytest.mark.parametrize(
    "piece",
    [
        *("<", "<a ", '<a "', "<a '", "<!--", "<script>", "<style>", "<p a=b ", "<p style='", "&"),
        *("</", "<h1>", "<p style='x:calc(", "{", "@media{", "/*", "a:b;", "url(", "x:((", "}"),
    ],
)
def test_markup_costs_linear_time(piece: str) -> None:
    text = piece * (BIG // len(piece))
    _in_time(lambda: read_tags(text))
    _in_time(lambda: judge_style(text))
    _in_time(lambda: judge_block(text))
    _in_time(lambda: check_page(text.encode(), "p"))


def _in_time(work: Callable[[], object]) -> None:
    """Work on BIG input ends: it takes milliseconds, and hours where it takes the square."""
    signal.alarm(60)
    try:
        assert work() is not NotImplemented
    finally:
        signal.alarm(0)
