"""HTML into our tree, and the tree into Markdown that is read back as that very tree."""

from html import escape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.intake.blocks import Body, read_blocks
from publisher.intake.dialect import markdown
from publisher.intake.moving.html import HtmlReader, Place, title_words
from publisher.intake.moving.junk import BRACES, MAILCHIMP, PLAIN, Habits
from publisher.intake.write_blocks import form_of, words_of, write_blocks
from publisher.model import content as c


def read(html: str, habits: Habits = PLAIN, base: str = "") -> HtmlReader:
    reader = HtmlReader(Place("post.html", is_exact=True), habits, base, lambda source: source)
    reader.blocks = reader.read(html)  # type: ignore[attr-defined]
    return reader


def to_markdown(html: str, habits: Habits = PLAIN, base: str = "") -> str:
    blocks: c.Blocks = read(html, habits, base).blocks  # type: ignore[attr-defined]
    written, lost = write_blocks(blocks)
    assert not lost
    return "\n\n".join(part.markdown for part in written)


def dropped(html: str, habits: Habits = PLAIN) -> list[str]:
    return [problem.message for problem in read(html, habits).problems]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>One <b>two</b> <i>three</i> <s>four</s> <code>fi`ve</code></p>", None),
        ("<p>a<br>b</p>", "a\\\nb"),
        ("<p>a<br><br>b</p>", "a\n\nb"),
        ("loose <div>inner</div> tail", "loose\n\ninner\n\ntail"),
        ("<p>  folded \n  white\tspace </p>", "folded white space"),
        ("<p><b>so: </b>much</p>", "**so:** much"),
        ("<p><b>so:</b>much</p>", "**so**:much"),
        ("<p>他说<b>「注意」</b>然后走了</p>", "他说「**注意**」然后走了"),
        ("<p><b><i>both</i></b></p>", "***both***"),
        ("<p><b>one</b><b> two</b></p>", "**one** **two**"),
        ("<p><b>one</b><b>two</b></p>", "**onetwo**"),
        ("<p><span style='font-weight: 700'>bold</span></p>", "**bold**"),
        ("<h3>Of <em>this</em></h3>", "### Of *this*"),
        ("<ul><li>a</li><li><p>b</p></li></ul>", "- a\n- b"),
        ("<ul><li>a<ol><li>b</li></ol></li></ul>", "- a\n  1. b"),
        ("<ol start='3'><li><p>a</p><p>b</p></li></ol>", "3. a\n\n   b"),
        ("<ul><li>a</li></ul><ul><li>b</li></ul>", "- a\n\n* b"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<pre><code class='language-py'>a\n  b\n</code></pre>", "```py\na\n  b\n```"),
        ("<pre>```</pre>", "````\n```\n````"),
        ("<hr>", "---"),
        (
            "<table><tr><th>a|b</th><th>c</th></tr><tr><td>d</td><td>e</td></tr></table>",
            "| a\\|b | c |\n| --- | --- |\n| d | e |",
        ),
        ("<table role='presentation'><tr><td>a</td><td>b</td></tr></table>", "a\n\nb"),
        ("<p>1. no list</p><p># no heading</p>", "1\\. no list\n\n\\# no heading"),
        ("<p>Hey!<a href='https://a.example'>x</a></p>", "Hey\\![x](https://a.example)"),
        ("<a href='https://a.example'><div>a <p>b</p></div></a>", "[a b](https://a.example)"),
        ("<p><a href='#note'>1</a></p>", "1"),
        ("<p><a href='/about'>x</a></p>", "[x](/about)"),
        ("<figure><img src='a b.png' alt='A [b]'><figcaption>c</figcaption></figure>", None),
        ("<p>&lt;b&gt; *not* _marks_ &amp;amp; ~~x~~</p>", None),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "**a**\n\nb"),
        ("<p>中文 and العربية &nbsp;and 👩‍🚀</p>", None),
        ("", ""),
        ("<p></p><p>&#8203;</p>", "​"),
    ],
)
def test_html_as_markdown(html: str, expected: str | None) -> None:
    found = to_markdown(html)
    if expected is not None:
        assert found == expected


def test_relative_links_are_meant_by_the_post_s_address() -> None:
    found = to_markdown("<a href='../b?x=1'>b</a>", base="https://a.example/p/one")
    assert found == "[b](https://a.example/b?x=1)"


@pytest.mark.parametrize(
    ("html", "left", "what"),
    [
        ("<p>a</p><script>x()</script>", "a", "a <script>"),
        ("<p>a</p><form><input name=e><button>Go</button></form>", "a", "a form"),
        ("<p>a</p><div class='subscription-widget-wrap-editor'>Join</div>", "a", "subscribe form"),
        ("<p>a</p><img src='https://e.example/o.gif' width=1 height=1>", "a", "tracking pixel"),
        ("<p>a</p><img src='https://e.example/track/open?u=1'>", "a", "tracking pixel"),
        ("<p>a</p><img src='data:image/png;base64,AAAA'>", "a", "an image in the text"),
        ("<div style='display:none'>preview</div><p>a</p>", "a", "hidden text"),
        ("<p><a href='javascript:x()'>a</a></p>", "a", "a link's address"),
        ("<p class=btn><a href='#/portal/signup'>Join</a></p><p>a</p>", "a", "button"),
    ],
)
def test_what_is_left_out_is_said(html: str, left: str, what: str) -> None:
    assert to_markdown(html) == left
    (message,) = dropped(html)
    assert what in message


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="https://a.example/big.JPG?w=9"><img src="s.jpg" alt="A"></a>', "![A](s.jpg)"),
        ('<a href="b.png"> <img src="s.png" alt=""> </a>', "![](s.png)"),
        ('<a href="/shop"><img src="s.jpg" alt="A"></a>', "[![A](s.jpg)](/shop)"),
        ('<a href="b.png"><img src="s.png" alt="A"> big</a>', "[![A](s.png) big](b.png)"),
    ],
)
def test_a_picture_that_leads_to_itself_is_a_picture(html: str, expected: str) -> None:
    assert to_markdown(html) == expected


def test_a_button_that_leads_somewhere_is_a_link() -> None:
    html = '<div class="kg-button-card"><a href="https://shop.example/lamp">The lamp</a></div>'
    assert to_markdown(html) == "[The lamp](https://shop.example/lamp)"
    assert dropped(html) == []


def test_what_is_left_out_is_said_with_its_line() -> None:
    (problem,) = read("<p>a</p>\n\n<form></form>").problems
    assert (problem.file, problem.line) == ("post.html", 3)


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<p>Dear *|FNAME|*, hello</p>", "Dear, hello"),
        ("<p>*|FNAME|*, hello</p>", "hello"),
        ("<p>a</p><p><a href='*|UNSUB|*'>Leave</a> the list</p>", "a"),
        ("<p>a</p><td>Copyright *|CURRENT_YEAR|* *|LIST:COMPANY|*</td>", "a"),
        # A mail of a single cell is not a footer, whatever its last line says.
        (
            f"<table><td>{'Long words. ' * 80}<br><a href='*|UNSUB|*'>Leave</a></td></table>",
            ("Long words. " * 80).strip(),
        ),
    ],
)
def test_merge_tags_and_footers(html: str, left: str) -> None:
    assert to_markdown(html, MAILCHIMP) == left
    assert dropped(html, MAILCHIMP)


def test_braces_are_merge_tags_where_a_system_says_so() -> None:
    html = "<p>Hi {{ name }}!</p><pre>{{ code }}</pre>"
    assert to_markdown(html, BRACES) == "Hi!\n\n```\n{{ code }}\n```"
    assert to_markdown(html) == "Hi {{ name }}!\n\n```\n{{ code }}\n```"


def test_depth_is_bounded() -> None:
    for tag in ("div", "b", "blockquote", "table><tr><td", "ul><li", "span"):
        html = f"<{tag}>" * 5000 + "words"
        reader = read(html)
        written, _ = write_blocks(reader.blocks)  # type: ignore[attr-defined]
        text = "".join(part.markdown for part in written)
        assert "words" in text or any(p.rule == "import-damaged" for p in reader.problems), tag


def test_titles() -> None:
    assert title_words("Cats &amp; dogs <em>now</em>") == "Cats & dogs now"
    assert title_words("AT&T, 1 < 2") == "AT&T, 1 < 2"
    assert title_words("In\ntwo  lines") == "In two lines"


_ALPHABET = "ab 1.)-+*_`~#>|[](){}<&!\\:=\"'/@ \n\t中「」。é "
_TEXTS = st.text(st.sampled_from(list(_ALPHABET)), min_size=1, max_size=12)
_INLINE_TAGS = st.sampled_from(["b", "i", "s", "code", "span", "em", "strong", "br", "u"])


def _marked(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    link = children.map(lambda inner: f'<a href="https://a.example/x_(1)?a=1&amp;b=2">{inner}</a>')
    tagged = st.tuples(_INLINE_TAGS, children).map(
        lambda pair: "<br>" if pair[0] == "br" else f"<{pair[0]}>{pair[1]}</{pair[0]}>"
    )
    joined = st.lists(children, min_size=2, max_size=4).map("".join)
    return st.one_of(link, tagged, joined)


_INLINE = st.recursive(_TEXTS.map(escape), _marked, max_leaves=8)


def _boxed(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    items = st.lists(children, min_size=1, max_size=3)
    return st.one_of(
        children.map(lambda inner: f"<blockquote>{inner}</blockquote>"),
        items.map(lambda each: f"<ul>{''.join(f'<li>{i}</li>' for i in each)}</ul>"),
        items.map(lambda each: f"<ol start=7>{''.join(f'<li>{i}</li>' for i in each)}</ol>"),
        items.map("".join),
    )


_PARAGRAPHS = st.tuples(st.sampled_from(["p", "p", "h4", "div", "pre"]), _INLINE).map(
    lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>"
)
_HTML = st.recursive(_PARAGRAPHS, _boxed, max_leaves=6)


@settings(deadline=None, max_examples=250)
@given(_HTML)
@example("<p>a | b<br>- | -</p>")
@example("<ul><li><hr></li></ul>")
@example("<p>*a*<b>*b*</b>**</p>")
def test_what_is_written_is_read_back(html: str) -> None:
    blocks: c.Blocks = read(html).blocks  # type: ignore[attr-defined]
    written, lost = write_blocks(blocks)
    text = "\n\n".join(part.markdown for part in written)
    back = read_blocks(markdown().parse(text), Body("", 1))
    if not lost:
        assert form_of(back) == form_of(blocks)
    assert _letters(back) == _letters(blocks)


def _letters(blocks: c.Blocks) -> str:
    """The words of a text, without white space and what parts its blocks here."""
    return "".join("".join(map(words_of, blocks)).split()).replace("·", "").replace("…", "")


@settings(deadline=None, max_examples=150)
@given(_HTML)
def test_no_word_is_lost(html: str) -> None:
    from lxml import etree

    root = etree.fromstring(f"<body>{html}</body>", etree.HTMLParser())
    wanted = "".join("".join(root.itertext()).split()) if root is not None else ""
    assert _letters(read(html).blocks) == wanted  # type: ignore[attr-defined]
