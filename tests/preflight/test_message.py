"""The message: what clients lack, and what is let be."""

from pathlib import Path

import pytest
from lxml import html as lxml_html

from publisher.preflight.markup import heading_levels, read_tags
from publisher.preflight.message import CRITICAL_ELEMENTS, GRACEFUL_ELEMENTS
from publisher.preflight.styles import CRITICAL, GRACEFUL, judge_block, judge_style
from tests.preflight.samples import (
    MESSAGE,
    PAGE,
    Cut,
    check_mail,
    mail_block,
    mail_element,
    mail_style,
)

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize(
    ("style", "found"),
    [
        ("display:flex", [("css-layout-critical", "display:flex")]),
        ("DISPLAY : INLINE-GRID !important", [("css-layout-critical", "display:inline-grid")]),
        ("position:absolute;top:0", [("css-layout-critical", "position:absolute")]),
        ("color:var(--ink)", [("css-layout-critical", "var()")]),
        ("position:relative", [("css-unsupported", "position:relative")]),
        ("float:left", [("css-unsupported", "float")]),
        ("margin-inline:4px", [("css-unsupported", "margin-inline")]),
        ("font-size:1.5rem", [("css-unsupported", "the unit rem")]),
        ("width:calc(100% - 20px)", [("css-unsupported", "calc()")]),
        ("color:rgba(0,0,0,.5)", [("css-unsupported", "rgba()")]),
        ("background:linear-gradient(red,blue)", [("css-unsupported", "linear-gradient()")]),
        ("width:2rem;height:3rem", [("css-unsupported", "the unit rem")]),
        ("margin:0 0 16px;padding:0;font-family:Flex, 'var(x)', serif", []),
        ("border-radius:4px;overflow-wrap:break-word;max-width:600px;height:auto", []),
        ("background:#fff url('https://a.example/calc(1).png') no-repeat", []),
        ("mso-line-height-rule:exactly;-webkit-text-size-adjust:100%;mso-hide:all", []),
        ("", []),
        (";;:;display", []),
    ],
)
def test_style_attributes(style: str, found: list[tuple[str, str]]) -> None:
    assert [(rule, name) for rule, name, _ in judge_style(style)] == found


@pytest.mark.parametrize(
    ("css", "found"),
    [
        (".a { display: flex }", [("css-layout-critical", "display:flex")]),
        ("@media print { .a { display: flex; float: left } }", []),
        ("@media print { .a { color: red } } .b { float: left }", [("css-unsupported", "float")]),
        ("@import url(https://a.example/x.css);", [("css-unsupported", "@import")]),
        ("@font-face { font-family: X; src: url(x) } @supports (a: b) { p { margin: 0 } }", []),
        ("@media all { @media print { p { margin: 0 } } }", [("style-nested", "@media")]),
        ("@supports (a:b) { @font-face { src: url(x) } }", [("style-nested", "@font-face")]),
        ("/* @media { @media { } } .a { display: flex } */ p { margin: 0 }", []),
        ("} } .a { float: left", [("css-unsupported", "float")]),
        ("[data-ogsc] .a { color: #fff !important }", []),
    ],
)
def test_style_blocks(css: str, found: list[tuple[str, str]]) -> None:
    assert [(rule, name) for rule, name, _ in judge_block(css)] == found


def test_clients_are_named() -> None:
    (problem,) = mail_style("float:left")
    assert problem.message.endswith("which Outlook (Windows) do not support")


@pytest.mark.parametrize("element", CRITICAL_ELEMENTS)
def test_critical_elements_are_errors(element: str) -> None:
    errors = [p for p in mail_element(f"<{element}></{element}>") if p.level == "error"]
    assert [p.rule for p in errors] == ["html-layout-critical"]


def test_stylesheet_is_critical_and_other_links_are_not() -> None:
    sheet = '<link rel="stylesheet" href="https://a.example/x.css">'
    assert [p.rule for p in mail_element(sheet)] == ["html-layout-critical"]
    assert mail_element('<link rel="author" href="https://a.example/">') == []


@pytest.mark.parametrize("element", sorted(GRACEFUL_ELEMENTS - {"body"}))
def test_graceful_elements_are_let_be(element: str) -> None:
    assert mail_element(f"<{element}></{element}>") == []


def test_nothing_is_both_critical_and_graceful() -> None:
    assert not CRITICAL_ELEMENTS.keys() & GRACEFUL_ELEMENTS
    assert not {name.split(":")[0] for name in CRITICAL} & GRACEFUL


def test_conditional_comments_are_outlooks_own() -> None:
    assert (
        mail_element("<!--[if mso]><v:rect style='position:absolute'></v:rect><![endif]-->") == []
    )
    shown = "<!--[if !mso]><!--><svg></svg><!--<![endif]-->"
    assert [p.rule for p in mail_element(shown)] == ["html-layout-critical"]


def test_size_is_counted_in_bytes() -> None:
    room = 102 * 1024 - len(MESSAGE.encode())
    assert mail_element("x" * room) == []
    assert [p.rule for p in mail_element("é" * (room // 2 + 1))] == ["message-too-large"]


def test_cut_says_what_was_kept_and_where() -> None:
    class Placed(Cut, frozen=True):
        line: int

    (problem,) = check_mail(cuts=[Placed("a", "The ferry", 3, 9, 12)])
    assert problem.line == 12
    assert "'The ferry' was cut after 3 of 9 blocks" in problem.message


def test_repeated_faults_are_said_once() -> None:
    assert len(mail_style('float:left"></p><p style="float:left')) == 1
    assert len(mail_element("<form></form>" * 3)) == 1
    assert len(mail_block(".a { float: left } .b { float: right }")) == 1


def test_script_in_a_links_address_is_an_error() -> None:
    (problem,) = mail_element('<a href="java&#10;script:x()">x</a>')
    assert (problem.rule, problem.level) == ("url-javascript", "error")


@pytest.mark.parametrize(
    "markup",
    [
        MESSAGE,
        PAGE,
        "<p title='a > b' alt=\"it's\" x=y hidden>1 < 2 <br/><IMG SRC=a.png></p>",
        '<a href="?a=1&amp;b=2">x</a><!-- <p> --><!-->-->',
        "<title><p></title><textarea><b></textarea><script>if (a<b) '</p>'</script><i>x</i>",
        *(file.read_text("utf-8") for file in sorted(GOLDEN.rglob("*.html"))),
    ],
)
def test_tags_are_those_that_a_parser_reads(markup: str) -> None:
    parsed = [
        (element.tag, dict(element.attrib))
        for element in lxml_html.document_fromstring(markup).iter()
        if isinstance(element.tag, str)
    ]
    # libxml2 knows neither self-closing nor missing parents: it adds the document's own.
    ours = [(tag.name, dict(tag.attributes)) for tag in read_tags(markup)]
    # libxml2 also gives some attributes that need no value their name for one.
    parsed = [(name, {k: "" if k == "readonly" else v for k, v in d.items()}) for name, d in parsed]
    added = {"html", "head", "body", "p", "tbody"}
    theirs = [each for each in parsed if each in ours or each[0] not in added]
    assert ours == theirs


def test_headings() -> None:
    assert heading_levels(read_tags("<h1>a</h1><hr><h2>b</h2><header></header><h6>c</h6>")) == [
        1,
        2,
        6,
    ]
