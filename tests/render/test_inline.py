"""The inliner: what it moves, what it must leave alone, and that it reaches for nothing."""

import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from lxml import etree

from publisher.model.issue import Issue
from publisher.render.email import UNSUBSCRIBE_SLOT, render_message
from publisher.render.inline import OPTIONS, inline_css
from publisher.render.views import Setting


def page(css: str, body: str, more: str = "") -> str:
    return (
        f"<!DOCTYPE html>\n<html><head><style>{css}</style>{more}</head><body>{body}</body></html>"
    )


def test_rules_become_style_attributes() -> None:
    html = inline_css(page("p { margin: 0 } td.a { background-color: #fff }", "<p>x</p>"))
    assert '<p style="margin:0">x</p>' in html
    assert "<style>" not in html


def test_backgrounds_become_attributes_that_outlook_reads() -> None:
    html = inline_css(
        page("td { background-color: #fff; width: 10px }", "<table><tr><td>x</td></tr></table>")
    )
    assert 'bgcolor="#ffffff"' in html
    assert 'width="' not in html


def test_important_and_microsoft_properties_stay() -> None:
    html = inline_css(page("p { color: red !important; mso-line-height-rule: exactly }", "<p>x"))
    assert "color:red !important" in html
    assert "mso-line-height-rule:exactly" in html


def test_a_block_marked_ignore_stays_as_it_is() -> None:
    css = "@media (prefers-color-scheme: dark) { .a > b { color: red !important } }"
    html = inline_css(page("p{}", "<p>x</p>", f'<style data-premailer="ignore">{css}</style>'))
    assert f"<style>{css}</style>" in html


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE html>",
        "<!doctype html>",
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/x.dtd">',
    ],
)
def test_the_doctype_is_put_back(doctype: str) -> None:
    assert inline_css(f"  {doctype}\n<html><body>x</body></html>").startswith(f"{doctype}\n<html")


def test_a_missing_doctype_is_added() -> None:
    assert inline_css("<html><body>x</body></html>").startswith("<!DOCTYPE html>\n<html")


def test_conditional_comments_survive_also_between_table_cells() -> None:
    comments = [
        "<!--[if mso]><xml><o:x>96</o:x></xml><style>td { mso-x: 1 }</style><![endif]-->",
        '<!--[if mso]><table role="presentation"><tr><td width="600"><![endif]-->',
        "<!--[if mso]></td></tr></table><![endif]-->",
        "<!--[if !mso]><!-->",
        "<!--<![endif]-->",
    ]
    head, before, after, *unhidden = comments
    body = f"<table><tr><td>{before}<div>x</div>{after}{'y'.join(unhidden)}</td></tr></table>"
    html = inline_css(page("td { color: red }", body, head))
    for comment in comments:
        assert comment in html


def test_characters_of_all_planes_survive() -> None:
    text = "é “x” 中文 𠀀 😀 \u00a0 \u034f\u200c &lt;b&gt; &amp;amp;"
    assert text in inline_css(page("p{}", f"<p>{text}</p>"))


def test_deep_nesting_is_not_cut_off() -> None:
    body = "<blockquote>" * 400 + "innermost" + "</blockquote>" * 400
    assert "innermost" in inline_css(page("p{}", body))


def test_a_slot_passes_untouched() -> None:
    assert f'href="{UNSUBSCRIBE_SLOT}"' in inline_css(
        page("a { color: red }", f'<a href="{UNSUBSCRIBE_SLOT}">x</a>')
    )


class _Listener(BaseHTTPRequestHandler):
    requests: list[str] = []

    def do_GET(self) -> None:
        self.requests.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/css")
        self.end_headers()
        self.wfile.write(b"p { color: red }")


_opened: list[str] = []


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event == "open":
        _opened.append(str(args[0]))


def test_neither_import_nor_link_reaches_the_network_or_a_file(tmp_path: Path) -> None:
    inline_css("<p>x</p>")  # Imports first: they open files of their own.
    sheet = tmp_path / "sheet.css"
    sheet.write_text("p { color: red }")
    sys.addaudithook(_watch)
    server = HTTPServer(("127.0.0.1", 0), _Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        for url in (sheet.as_uri(), str(sheet), f"http://127.0.0.1:{server.server_port}/a.css"):
            css = f'@import url("{url}"); p {{ margin: 0 }}'
            link = f'<link rel="stylesheet" href="{url}">'
            assert "red" not in inline_css(page(css, "<p>x</p>", link))
    finally:
        server.shutdown()
        server.server_close()
    assert _Listener.requests == []
    assert not [path for path in _opened if "sheet.css" in path]


def test_broken_css_is_no_reason_to_talk(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        html = inline_css(page("p { color: ; } q { : } @import url(nowhere.css);", "<p>x</p>"))
    assert "x" in html
    assert caplog.text == ""
    assert capsys.readouterr() == ("", "")


def test_the_same_input_gives_the_same_bytes_in_any_order_and_thread() -> None:
    pages = [page(f"p {{ margin: {size}px }} .a {{ top: 0 }}", '<p class="a">') for size in "123"]
    first = [inline_css(html) for html in pages]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(inline_css, pages[::-1] * 20)) == first[::-1] * 20


MESSY = """
    p { color: red } p { color: blue !important; margin: 0 } .a p, div > p { padding: 1px }
    a:hover { color: green } li:first-child { margin: 9px } #x { float: left }
    td { text-align: right; vertical-align: top; background-color: #abc; width: 3px }
    @media screen { p { color: white } } * { top: 0 } .b { color: unset }
"""
MESSY_BODY = (
    '<div class="a"><p>1</p></div><p id="x" class="b" style="color:teal">2</p>'
    '<ul><li>1</li><li>2</li></ul><table><tr><td align="left">x</td></tr></table><a href="/">y</a>'
)


def plainly(html: str) -> str:
    """The same by an unaltered Premailer, in a process of its own caches."""
    from premailer import Premailer

    root = etree.fromstring(html.removeprefix("<!DOCTYPE html>\n"), etree.HTMLParser())
    Premailer(root, cache_css_parsing=False, **OPTIONS).transform()
    return f"<!DOCTYPE html>\n{etree.tostring(root, method='html', encoding='unicode')}\n"


def test_what_is_remembered_equals_what_premailer_makes() -> None:
    html = page(MESSY, MESSY_BODY)
    expected = plainly(html)
    assert 'align="right"' in expected
    assert "color:green" in expected
    assert [inline_css(html) for _ in range(3)] == [expected] * 3


SELECTORS = (
    *(
        "div",
        "p",
        ".a",
        "div.b",
        ".a p",
        "div .b",
        "div div",
        "div.a div p",
        ".a .a .b",
        ".b div.a",
    ),
    *("div > p", "p + p", ".a.b", "div:first-child", "[class]", "DIV", "div.A"),
)
CLASSES = st.sampled_from(["", ' class="a"', ' class="b"', ' class=" b\ta "', ' style="top:9px"'])
TREES = st.recursive(
    CLASSES.map(lambda class_: f"<p{class_}>x</p>"),
    lambda inner: st.tuples(CLASSES, st.lists(inner, max_size=3)).map(
        lambda node: f"<div{node[0]}>{''.join(node[1])}</div>"
    ),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(SELECTORS), min_size=1, max_size=8), TREES)
def test_every_selector_finds_what_premailer_finds(selectors: list[str], tree: str) -> None:
    html = page(" ".join(f"{s} {{ top: {n}px }}" for n, s in enumerate(selectors)), tree)
    assert inline_css(html) == plainly(html)


def test_more_places_than_are_kept_are_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.render.style_rules._KEPT_PLACES", 2)
    html = page(".a p { top: 0 } div p { left: 0 }", '<div class="a"><div><p>1</div><p>2</div>' * 3)
    assert inline_css(html) == plainly(html)


def test_a_whole_message_equals_what_premailer_makes(
    english: Issue, setting: Setting, templates: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = render_message(english, setting, templates).html
    monkeypatch.setattr("publisher.render.email.inline_css", plainly)
    assert render_message(english, setting, templates).html == ours


def test_premailer_is_imported_only_when_a_message_is_made() -> None:
    program = "import sys, publisher.render.email as e; print('premailer' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_different_issues_do_not_share_styles(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    arabic = msgspec.structs.replace(brief, language="ar")
    first = render_message(brief, setting, templates).html
    assert render_message(arabic, setting, templates).html != first
    assert render_message(brief, setting, templates).html == first
