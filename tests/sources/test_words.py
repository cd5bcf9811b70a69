"""Others' words in a draft: theirs, cut at a sentence, and nothing but text whatever they hold."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from publisher.intake.read import read_issue
from publisher.intake.write import write_markdown_issue
from publisher.model import content as c
from publisher.model.issue import Highlight
from publisher.preflight.placeholders import find_placeholder
from publisher.sources.choose import Also, Chosen
from publisher.sources.draft import Style, draft_issue
from publisher.sources.languages import find_language, is_same_language, write_tag
from publisher.sources.model import Entry
from publisher.sources.words import clean, clean_title, read_html, summarise

STYLE = Style(title="The Daily", language="en", summary=200, has_tags=True)
NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a\u202eb\u2066c\u2069d\u200be\ufefff\u00adg", "abcdefg"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        ),
        ("a\U000e0041\U000e0042b\ue000c", "abc"),
        ("a\x00b\x1b[31mc\x7f\x85d", "ab[31mc d"),
        (
            "{{ config }} {% for x %} {# no #} {{{x}}}",
            "{ { config }} { % for x %} { # no #} { { {x}}}",
        ),
        ("*|EMAIL|* <%= x %>", "* |EMAIL|* < %= x %>"),
        ("  a \n\n b\u2028c\u3000d ", "a b c d"),
    ],
)
def test_nothing_unseen_and_nothing_that_acts_is_left(written: str, text: str) -> None:
    assert clean(written) == text
    assert find_placeholder(text) is None


def test_html_is_read_as_it_would_be_seen() -> None:
    markup = """<style>p{}</style><p>One <b>bold</b> word,<br>and two.</p><script>alert(1)</script>
      <p hidden>ignore all that</p><div style="display: none">nor <i>this</i></div>
      <!-- a comment --><ul><li>First<li>Second</ul><figure>pic</figure>tail &amp; &#x1F600;"""
    assert read_html(markup) == [
        *("One bold word,", "and two.", "First", "Second", "tail & \U0001f600"),
    ]
    assert read_html("no markup &amp; all") == ["no markup & all"]
    assert read_html("  ") == []
    assert read_html("<p>") == []


CHINESE = (
    "市议会周四批准了新电车线路。工程将于明年春天开始，预计持续三年。"
    "反对者认为费用过高，要求重新评估。"
)
ARABIC = (
    "وافق مجلس المدينة على خط الترام الجديد. تبدأ الأعمال في الربيع؟"
    " ويرى المعارضون أن الكلفة مرتفعة."
)
ABBREVIATED = (
    "The talks with Prof. Smith of the U.S. side lasted approx. five hours. They failed in the end."
)


@pytest.mark.parametrize(
    ("content", "limit", "summary"),
    [
        (
            "<p>It came in at dawn. It had oranges on board.</p><p>More.</p>",
            20,
            "It came in at dawn.",
        ),
        ("<p>It came in.</p><p>It had oranges.</p>", 100, "It came in. It had oranges."),
        (CHINESE, 40, CHINESE[:32]),
        (ABBREVIATED, 80, ABBREVIATED[:70]),
        (ABBREVIATED, 56, "The talks with Prof. Smith of the U.S. side lasted…"),
        (ARABIC, 70, ARABIC[: ARABIC.index("؟") + 1]),
        ("یہ پہلا جملہ ہے۔ یہ دوسرا جملہ بہت لمبا ہے اور کٹ جائے گا۔", 24, "یہ پہلا جملہ ہے۔"),
        (
            "A sentence. Another that was cut by […]",
            100,
            "A sentence. Another that was cut by…",
        ),
        ("A sentence that is whole. Cut [&#8230;]", 100, "A sentence that is whole."),
        ("A ship &#8594;", 100, "A ship…"),
        (
            "<p>Fine words.</p><p>The post A ship appeared first on The Wire.</p>",
            100,
            "Fine words.",
        ),
        ("<p>Fine words.</p><p><a href='/x'>Continue reading A ship</a></p>", 100, "Fine words."),
        ("<p>新消息。</p><p>阅读全文</p>", 100, "新消息。"),
        ("<p>A ship</p>", 100, ""),
        ("<p>words</p>", 0, ""),
        ("<img src='x'>", 100, ""),
    ],
)
def test_a_summary_is_cut_at_a_sentence(content: str, limit: int, summary: str) -> None:
    assert summarise(content, limit, "A ship") == summary


def test_a_plain_summary_shows_what_looks_like_markup() -> None:
    assert summarise("if a < b:\nuse <b>", 100, is_plain=True) == "if a < b: use <b>"


@pytest.mark.parametrize(
    ("said", "text", "language"),
    [
        ("en-us", "A ship came in", "en-US"),
        ("zh_cn", "海港新闻", "zh-CN"),
        ("en-us", "市议会批准新电车线路 NASA", "zh"),
        ("en", "市議会が新しい路面電車を承認", "ja"),
        ("ja", "東京都知事選挙", "ja"),
        ("en", "وافق مجلس المدينة", ""),
        ("fa", "شورای شهر تصویب کرد", "fa"),
        ("", "وافق مجلس المدينة", ""),
        ("", "A ship came in", ""),
        ("", "시의회가 새 전차를 승인했다", "ko"),
        ("sr-Latn", "Brod je stigao", "sr-Latn"),
        ("zh-Latn", "chuan dao le gang", "zh-Latn"),
        ("xx-made-up-by-somebody", "A ship", ""),
        ("English", "A ship", ""),
        ("und", "A ship", ""),
        ('en" onload="', "A ship came in", ""),
    ],
)
def test_languages(said: str, text: str, language: str) -> None:
    assert find_language(said, text) == language


def test_what_a_region_alone_tells_apart_is_one_language() -> None:
    assert is_same_language("en-GB", "en")
    assert not is_same_language("zh-Hant", "zh-Hans")
    assert not is_same_language("", "en")
    assert write_tag("ZH_hans_cn") == "zh-Hans-CN"


def _written(chosen: Chosen) -> Highlight:
    """A highlight as our own reader finds it in the file."""
    ids = iter(["an-issue", "a-highlight"])
    issue = draft_issue((chosen,), STYLE, NOW, lambda: next(ids))
    data = write_markdown_issue(issue).encode()
    found, problems = read_issue(data, "issues/2026-01-05.md", ZoneInfo("UTC"))
    assert found is not None, problems
    assert [each for each in problems if each.level == "error"] == []
    (highlight,) = found.highlights
    assert (found.status, found.id, highlight.id) == ("draft", "an-issue", "a-highlight")
    return highlight


HOSTILE = [
    *("x {#other .tag guid=y}", "x](javascript:alert(1))", "<script>alert(1)</script>", "## y"),
    *('a" image="x', "![x](https://a.example/x.png)", "---\nstatus: ready\n---", "{{ 7*7 }}"),
    *("`code`", "*b* _i_ ~~s~~", "1. x", "> q", "| a | b |\n|---|---|", "[x]: https://a.example"),
    *("&lt;b&gt;", "https://a.example/ x", "\\", "#", "{.x}", "\u202e{#x}", "```", "- - -"),
]


@given(st.text(min_size=1), st.text(), st.text(), st.lists(st.text(), max_size=3))
@example("x {#other .tag}", "a\n\n## b {#c}\n\nd", 'W" guid="x', ['a"b'])
def test_nothing_that_a_feed_says_is_more_than_text(
    title: str, content: str, source: str, categories: list[str]
) -> None:
    _hold_as_text(title, content, source, categories)


@pytest.mark.parametrize("said", HOSTILE)
def test_nothing_hostile_is_more_than_text(said: str) -> None:
    _hold_as_text(said, said, said, [said])
    _hold_as_text(f"A {said}", f"A {said} b", f"A {said} b", [f"A {said}"])


def _hold_as_text(title: str, content: str, source: str, categories: list[str]) -> None:
    title, source = clean_title(title) or "A", clean(source)[:80] or "B"
    entry = Entry(
        title=title,
        url="https://a.example/(x)?a={b}",
        content=content,
        is_plain=True,
        categories=tuple(categories),
    )
    also = Also(source, "https://b.example/y_(z)")
    highlight = _written(Chosen(entry, source, (also,)))
    assert highlight.title == title
    assert highlight.url == entry.url
    assert highlight.source == f"{source}, {source}"
    assert (highlight.guid, highlight.image) == ("", None)
    assert len(highlight.tags) <= 5
    words = ["".join(_words(block)) for block in highlight.body]
    summary = summarise(content, 200, title, is_plain=True)
    assert words == [*([summary] if summary else []), f"{source}: {also.url}"]


def _words(block: c.Block) -> list[str]:
    """The words of a paragraph that has nothing in it but text, and bare links."""
    assert isinstance(block, c.Paragraph)
    words = []
    for node in block.children:
        if isinstance(node, c.Link):
            words += [each.text for each in node.children if isinstance(each, c.Text)]
        else:
            assert isinstance(node, c.Text)
            words.append(node.text)
    return words
