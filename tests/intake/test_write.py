"""What is written as Markdown is read back by our own reader, character for character."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.intake.blocks import plain_text
from publisher.intake.markdown import read_markdown
from publisher.intake.text import decode
from publisher.intake.write import (
    HighlightText,
    IssueText,
    escape_paragraph,
    escape_title,
    write_markdown_issue,
)
from publisher.model import content as c
from publisher.model.issue import Highlight, Issue

# Every line end that decode knows, and what it drops as forbidden.
_NOT_TEXT = "\n\r\v\f\x85\u2028\u2029"
_CONTROLS = [chr(n) for n in (*range(32), *range(0x7F, 0xA0)) if chr(n) != "\t"]
_CHARACTERS = st.characters(
    exclude_categories=["Cs"], exclude_characters=[*_CONTROLS, *_NOT_TEXT, "\ufffe", "\uffff"]
)
_MARKS = st.sampled_from(list("\\`*_{}[]()<>#+-.!|~&:;=\"'^$%@,/? \t1aé。“”，\xa0\u200b"))
_FRAGMENTS = st.sampled_from(
    [
        *("](", "![", "[a](b)", "[x]: y", "{#id}", "{.tag}", '{a="b"}', "**", "~~", "~~~", "```"),
        *("__", "***", "---", "===", "1. ", "12) ", "- ", "+ ", "# ", "## ", "> ", "| a | b |"),
        *("&amp;", "&#35;", "&#x23;", "&nosuch;", "<b>", "</b>", "<!--", "<x@y.example>", "\\*"),
        *("http://a.example", "https://a.example/b_c_(d)?e=f&amp;g", "<https://a.example>"),
        *("//a.example", "mailto:a@b.example", "www.a.example", "HTTP://A.EXAMPLE", "https://"),
        *("word", "snake_case", "中文", "مرحبا", "👩‍🚀", "C:\\", "{{ x }}", "{% raw %}", "- - -"),
    ]
)
_TEXTS = (
    st.lists(st.one_of(_MARKS, _FRAGMENTS, _CHARACTERS), min_size=1, max_size=25)
    .map(lambda parts: "".join(parts).strip())
    .filter(bool)
)


def read(text: str) -> Issue:
    issue, problems = read_markdown(text, "2025-12-15", "issues/2025-12-15.md", ZoneInfo("UTC"))
    assert issue, problems
    return issue


def write(*paragraphs: str, title: str = "A title", url: str = "") -> str:
    highlight = HighlightText(id="h1", title=title, paragraphs=paragraphs, url=url)
    return write_markdown_issue(
        IssueText(id="i1", title="An issue", date="2025-12-15", highlights=(highlight,))
    )


def read_highlight(text: str) -> Highlight:
    (highlight,) = read(text).highlights
    return highlight


def words(block: c.Block) -> str:
    assert isinstance(block, c.Paragraph)
    assert all(isinstance(node, c.Text | c.Link) for node in block.children)
    return plain_text(block.children)


@settings(deadline=None, max_examples=400)
@given(st.lists(_TEXTS, min_size=1, max_size=4))
@example(["- - -", "1. x", "a\\", "\\*x*", "`` ` ```", "[x]: y", "[x]", "| a | b |", "| - | - |"])
@example(["see **https://a.example/**", "https://a.example/_x_", "_https://a.example_ x_"])
@example(["![[x](y)](z)", "[a\\](b)", "[https://a.example/](b)", "<a href='x'>", "~~~ ~~ ~~"])
def test_paragraphs_come_back(paragraphs: list[str]) -> None:
    assert [words(block) for block in read_highlight(write(*paragraphs)).body] == paragraphs


@settings(deadline=None, max_examples=400)
@given(_TEXTS, st.sampled_from(["", "https://a.example/x_(1)?a=1&amp;b=2", "a b", "x\\<y>"]))
@example("C #", "https://a.example")
@example("[a](b) {#c}", "https://a.example")
@example("https://a.example/ ]", "https://a.example")
@example("https://`", "")
def test_titles_come_back(title: str, url: str) -> None:
    highlight = read_highlight(write("x", title=title, url=url))
    assert (highlight.title, highlight.url, highlight.id) == (title, url, "h1")


@settings(deadline=None, max_examples=200)
@given(_TEXTS, _TEXTS)
def test_title_without_an_id_comes_back(title: str, paragraph: str) -> None:
    text = f"## {escape_title(title)}\n\n{escape_paragraph(paragraph)}"
    highlight = read_highlight(text)
    assert highlight.title == title
    assert highlight.id == ""
    assert [words(block) for block in highlight.body] == [paragraph]


@settings(deadline=None, max_examples=200)
@given(_TEXTS, _TEXTS)
def test_fields_and_attributes_come_back(first: str, second: str) -> None:
    # A field is one line: the reader folds tabs in it.
    first, second = (text.replace("\t", " ").strip() or "x" for text in (first, second))
    highlight = HighlightText(
        id="h1", title="x", paragraphs=("x",), source=first, guid=second, image=second, alt=first
    )
    text = write_markdown_issue(
        IssueText(id="i1", title=first, date="2025-12-15", summary=second, highlights=(highlight,))
    )
    issue = read(text)
    assert (issue.title, issue.summary) == (first, second)
    (back,) = issue.highlights
    assert back.image
    assert (back.source, back.guid, back.image.src, back.image.alt) == (
        *(first, second),
        *(second, first),
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("It's 5 * 3 = 15 (fine), isn't it?", id="arithmetic"),
        pytest.param('"Quotes" that never “close, 50% + 1, a/b, #tag, @name', id="punctuation"),
        pytest.param("Sales rose 1.5 million in 2024. A year later – more.", id="numbers"),
        pytest.param("snake_case_names and AT&T, R&D; a < b > c", id="inside-words"),
        pytest.param("A footnote* and [1] a note [sic]", id="lone-marks"),
        pytest.param("| a | b |", id="pipes"),
        pytest.param("See https://a.example/x_y_z?a=1&b=2, then go.", id="bare-url"),
        pytest.param("C:\\path and 今日要闻：“新剧”上线！", id="backslash-and-chinese"),
    ],
)
def test_ordinary_text_needs_no_escapes(text: str) -> None:
    assert escape_paragraph(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        pytest.param("1. First", "1\\. First", id="list-number"),
        pytest.param("12) First", "12\\) First", id="list-parenthesis"),
        pytest.param("- item", "\\- item", id="bullet"),
        pytest.param("# x", "\\# x", id="heading"),
        pytest.param("> x", "\\> x", id="quote"),
        pytest.param("---", "\\---", id="rule"),
        pytest.param("* * *", "\\* * *", id="rule-of-stars"),
        pytest.param("```sh", "\\`\\`\\`sh", id="fence"),
        pytest.param("~~~", "\\~\\~\\~", id="tilde-fence"),
        pytest.param("[a]: https://b.example", "\\[a]: https://b.example", id="definition"),
        pytest.param("*so* __it__ goes", "\\*so\\* \\_\\_it\\_\\_ goes", id="emphasis"),
        pytest.param("~~gone~~", "\\~\\~gone\\~\\~", id="strike"),
        pytest.param("`code`", "\\`code\\`", id="code"),
        pytest.param("[a](b)", "[a\\](b)", id="link"),
        pytest.param("&amp; &c", "\\&amp; &c", id="entity"),
        pytest.param("<https://a.example>", "\\<https://a.example>", id="autolink"),
        pytest.param("\\*", "\\\\*", id="backslash"),
        pytest.param("**https://a.example/**", "\\*\\*https://a.example/**", id="starred-url"),
    ],
)
def test_markup_is_escaped_lightly(text: str, escaped: str) -> None:
    assert escape_paragraph(text) == escaped


@pytest.mark.parametrize(
    ("title", "escaped"),
    [
        pytest.param("1. First", "1. First", id="number"),
        pytest.param("About C#", "About C#", id="hash-in-a-word"),
        pytest.param("About C #", "About C \\#", id="closing-hash"),
        pytest.param("##", "\\##", id="hashes-alone"),
        pytest.param("The set {1, 2}", "The set {1, 2}", id="braces"),
        pytest.param("The end {.x}", "The end \\{.x}", id="attributes"),
        pytest.param("At https://a.example", "At https\\://a.example", id="bare-url"),
    ],
)
def test_titles_are_escaped_lightly(title: str, escaped: str) -> None:
    assert escape_title(title) == escaped


def test_what_the_light_form_cannot_say_is_escaped_wholly() -> None:
    text = "https://a.example/`x` [b](c) *d*"
    assert escape_paragraph(text) == "https\\://a.example/\\`x\\` \\[b\\](c) \\*d\\*"
    assert [words(block) for block in read_highlight(write(text)).body] == [text]


def test_issue_file() -> None:
    issue = IssueText(
        id="k3xw9",
        title='Today: "five" things',
        date="2025-12-15T07:00:00+08:00",
        status="ready",
        number=12,
        summary="In short",
        language="zh-Hans",
        authors=("The Desk <desk@a.example>",),
        tags=("film", "a, b"),
        mail=False,
        guid="urn:old:1",
        introduction=("Good morning.", "- and welcome"),
        highlights=(
            HighlightText(id="a1", title="One", paragraphs=("First.", "Second.")),
            HighlightText(
                id="b2",
                title="Two [film]",
                paragraphs=("Third.",),
                url="https://a.example/b c",
                source='The "Paper"',
                tags=("film", "电影"),
                language="zh",
                image="media/a.jpg",
                alt="",
                guid="g:1",
            ),
        ),
    )
    assert write_markdown_issue(issue) == (
        "---\n"
        "id: k3xw9\n"
        'title: "Today: \\"five\\" things"\n'
        "number: 12\n"
        "date: 2025-12-15T07:00:00+08:00\n"
        "status: ready\n"
        'summary: "In short"\n'
        "language: zh-Hans\n"
        'authors: ["The Desk <desk@a.example>"]\n'
        'tags: ["film", "a, b"]\n'
        "mail: false\n"
        'guid: "urn:old:1"\n'
        "---\n\n"
        "Good morning.\n\n"
        "\\- and welcome\n\n"
        "## One {#a1}\n\n"
        "First.\n\n"
        "Second.\n\n"
        "## [Two \\[film\\]](<https://a.example/b c>) "
        '{#b2 tags="film, 电影" source="The \\"Paper\\"" language="zh" image="media/a.jpg" '
        'alt="" guid="g:1"}\n\n'
        "Third.\n"
    )


def test_every_field_is_read_as_it_was_written() -> None:
    issue = IssueText(
        id="2025-12-15",
        title="No",
        date="2025-12-15",
        language="no",
        authors=("A <a@b.example>", "B"),
        tags=("yes", "12"),
        introduction=("One.",),
        highlights=(
            HighlightText(
                id="null", title="Null", paragraphs=("x",), tags=("a", "b"), image="m.png"
            ),
        ),
    )
    data = write_markdown_issue(issue).encode()
    text, problems = decode(data, "x.md")
    assert text
    assert not problems
    back, problems = read_markdown(text, "x", "x.md", ZoneInfo("Asia/Shanghai"))
    assert back
    assert not problems
    assert (back.id, back.title, back.language, back.status) == ("2025-12-15", "No", "no", "draft")
    assert back.date
    assert back.date.isoformat() == "2025-12-15T00:00:00+08:00"
    assert [(p.name, p.email) for p in back.authors] == [("A", "a@b.example"), ("B", "")]
    assert [tag.label for tag in back.tags] == ["yes", "12"]
    assert [words(block) for block in back.introduction] == ["One."]
    (highlight,) = back.highlights
    assert highlight.id == "null"
    assert highlight.image
    assert (highlight.image.src, highlight.image.alt) == ("m.png", None)
    assert [tag.label for tag in highlight.tags] == ["a", "b"]
