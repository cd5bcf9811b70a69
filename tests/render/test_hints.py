"""Break hints, and that nothing widens the message on a phone."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from jinja2 import Environment
from playwright.sync_api import Browser

from publisher.model import content as c
from publisher.model.issue import Highlight, Issue, Tag
from publisher.render.email import render_message
from publisher.render.hints import hint_tables
from publisher.render.views import Setting

STYLES = re.compile(r"<style.*?</style>", re.DOTALL)


def words_of(blocks: c.Blocks) -> Iterator[str]:
    for block in blocks:
        assert isinstance(block, c.Table)
        for row in (block.header, *block.rows):
            for cell in row:
                for node in cell:
                    assert isinstance(node, c.Text | c.Code)
                    yield node.text


def test_only_words_too_long_for_their_column_get_break_hints() -> None:
    cells = ((c.Text("Thursday"),), (c.Code("abcdefghij"),), (c.Text("km"),), (c.Text("a b"),))
    table = c.Table(("", "", "", ""), cells, (cells,))
    hinted = list(words_of(hint_tables((table,))))
    assert hinted == ["Thursday", "abcdefgh\u200bij", "km", "a b"] * 2


def test_tables_inside_lists_and_quotes_get_hints_too() -> None:
    table = c.Table(("",), ((c.Strong((c.Text("x" * 100),)),),), ())
    (quote,) = hint_tables((c.Quote((c.List(False, 1, True, ((table,),)),)),))
    assert b"\xe2\x80\x8b" in msgspec.json.encode(quote)


@pytest.mark.browser
@pytest.mark.parametrize("with_styles", [True, False])
def test_long_words_do_not_widen_the_message_on_a_phone(
    with_styles: bool,
    english: Issue,
    setting: Setting,
    templates: Environment,
    tmp_path: Path,
    browser: Browser,
) -> None:
    long, url = "x" * 300, "https://long.example/" + "y" * 300
    row = tuple((c.Text(words),) for words in ("Thursday", long, url, "12345678901", "a b c"))
    highlight = Highlight(
        id="x",
        title=long,
        source=long,
        url=url,
        tags=(Tag("x", long), Tag("y", long)),
        body=(
            c.Paragraph((c.Text(long), c.Link(url, "", (c.Text(url),), 1), c.Code(long))),
            c.CodeBlock(long, ""),
            c.Quote((c.List(True, 1, True, ((c.Paragraph((c.Text(long),)),),)),)),
            c.Table(("", "", "right", "", "center"), row, (row,)),
            c.Paragraph((c.Picture("https://a.example/x.png", long, "", 1),)),
        ),
    )
    issue = msgspec.structs.replace(
        english, title=long, highlights=(highlight, *english.highlights)
    )
    html = render_message(issue, setting, templates).html
    if not with_styles:
        html = STYLES.sub("", html)
    page = tmp_path / "message.html"
    page.write_text(html, "utf-8")
    phone = browser.new_page(viewport={"width": 390, "height": 800}, is_mobile=True)
    phone.route("https://**", lambda route: route.abort())
    phone.goto(page.as_uri())
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    phone.close()
