"""One issue in every form: the same model, with every problem of the file at once."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.intake.read import read_issue
from publisher.intake.text import SUFFIXES
from publisher.model import content as c
from publisher.model.issue import Image, Issue, Person, Tag
from publisher.model.problem import Problem

ZONE = ZoneInfo("Asia/Shanghai")

MARKDOWN = """\
---
id: abc
title: "News: of today"
number: 7
date: 2025-12-15T07:00:00+08:00
status: ready
summary: In short
language: en
authors: [Ada <ada@a.example>]
tags: [News]
mail: false
guid: urn:1
---

Good *morning*.

## [First](https://s.example/a) {#h1 .film tags="other, 电影" source="Xinhua" language="zh" \
image="media/a.jpg" alt="Lights" width=40 height=30 guid="urn:2"}

Text of the first.

- one
- two

## Second {#h2}

Text of the second.
"""
FIELDS = {
    "id": "abc",
    "title": "News: of today",
    "number": 7,
    "date": "2025-12-15T07:00:00+08:00",
    "status": "ready",
    "summary": "In short",
    "language": "en",
    "tags": ["News"],
    "mail": False,
    "authors": [{"name": "Ada", "email": "ada@a.example"}],
    "guid": "urn:1",
    "introduction": "Good *morning*.",
    "highlights": [
        {
            "id": "h1",
            "title": "First",
            "url": "https://s.example/a",
            "source": "Xinhua",
            "image": "media/a.jpg",
            "alt": "Lights",
            "width": 40,
            "height": 30,
            "guid": "urn:2",
            "tags": ["film", "other", "电影"],
            "language": "zh",
            "body": "Text of the first.\n\n- one\n- two\n",
        },
        {"id": "h2", "title": "Second", "body": "Text of the second.\n"},
    ],
}
YAML = """\
id: abc
title: "News: of today"
number: 7
date: 2025-12-15T07:00:00+08:00
status: ready
summary: In short
language: en
authors: [Ada <ada@a.example>]
tags: News
mail: false
guid: urn:1
introduction: Good *morning*.
highlights:
  - id: h1
    title: First
    url: https://s.example/a
    source: Xinhua
    image: media/a.jpg
    alt: Lights
    width: 40
    height: 30
    guid: urn:2
    tags: film, other, 电影
    language: zh
    body: |
      Text of the first.

      - one
      - two
  - {id: h2, title: Second, body: Text of the second.}
"""


def read(text: str | bytes, path: str = "issues/a.md") -> tuple[Issue | None, tuple[Problem, ...]]:
    return read_issue(text if isinstance(text, bytes) else text.encode(), path, ZONE)


def without_lines(issue: Issue | None) -> object:
    """An issue as plain values, but for where in the file its parts stand."""
    assert issue is not None

    def strip(value: object) -> object:
        if isinstance(value, tuple):
            return [strip(item) for item in value]
        if hasattr(value, "__struct_fields__"):
            names = [n for n in value.__struct_fields__ if n not in ("line", "path", "slug")]
            return {name: strip(getattr(value, name)) for name in names}
        return value

    return strip(issue)


def said(problems: tuple[Problem, ...]) -> list[tuple[str, int | None]]:
    return [(problem.rule, problem.line) for problem in problems]


def test_markdown_is_read_whole() -> None:
    issue, problems = read(MARKDOWN)
    assert problems == ()
    assert issue is not None
    first, second = issue.highlights
    assert issue.date == datetime.fromisoformat("2025-12-15T07:00:00+08:00")
    assert (issue.id, issue.number, issue.status, issue.mail) == ("abc", 7, "ready", False)
    assert issue.authors == (Person("Ada", "ada@a.example"),)
    assert issue.introduction[0].children[1] == c.Emphasis((c.Text("morning"),))  # type: ignore[union-attr]
    assert first.tags == (
        Tag("film", "film"),
        Tag("other", "other"),
        Tag(first.tags[2].slug, "电影"),
    )
    assert first.image == Image("media/a.jpg", "Lights", 40, 30)
    assert (first.url, first.source, first.language) == ("https://s.example/a", "Xinhua", "zh")
    assert (first.title, first.line, second.line) == ("First", 17, 24)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (YAML, "issues/a.yaml"),
        (YAML, "issues/a.yml"),
        (json.dumps(FIELDS), "issues/a.json"),
        (json.dumps(FIELDS, indent=2, ensure_ascii=False), "issues/a.json"),
        (json.dumps(FIELDS), "issues/a.yaml"),
        (MARKDOWN.replace("\n", "\r\n"), "issues/a.md"),
        ("\ufeff" + MARKDOWN, "issues/a.md"),
        (MARKDOWN.removesuffix("\n"), "issues/a.md"),
        (MARKDOWN.replace("## Second {#h2}", "## Second {#h2} ##"), "issues/a.md"),
        (MARKDOWN.replace("---\n\nGood", "...\n\nGood"), "issues/a.md"),
    ],
)
def test_every_form_is_the_same_issue(text: str, path: str) -> None:
    issue, problems = read(text, path)
    assert problems == ()
    assert without_lines(issue) == without_lines(read(MARKDOWN)[0])


def test_the_name_is_the_slug() -> None:
    issue, _ = read(MARKDOWN, "issues/2025-12-15.md")
    assert issue is not None
    assert (issue.slug, issue.path) == ("2025-12-15", "issues/2025-12-15.md")
    assert SUFFIXES == (".md", ".yaml", ".yml", ".json")


@pytest.mark.parametrize("name", ["A", "a b", "-a", "a.b", "é", "a" * 65, "2025_12"])
def test_a_name_that_is_no_slug_is_said(name: str) -> None:
    assert ("slug-invalid", None) in said(read(MARKDOWN, f"issues/{name}.md")[1])


def test_every_problem_of_a_file_is_found_at_once() -> None:
    text = (
        "---\ntitel: x\nid: Ä\ndate: soon\nstatus: maybe\nnumber: x\n---\n\n"
        "## {.a %% }\n\n## One\n\n<b>x</b>\n"
    )
    issue, problems = read(text)
    assert issue is not None
    assert sorted(said(problems), key=str) == [
        *(("body-missing", 9), ("date-unreadable", 4), ("field-invalid", 6), ("field-unknown", 2)),
        *(("field-unreadable", 5), ("heading-attributes-invalid", 9), ("id-invalid", 3)),
        *(("id-missing", 1), ("id-missing", 11), ("id-missing", 9), ("raw-html", 13)),
        *(("title-missing", 1), ("title-missing", 9)),
    ]


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("---\nid: [\n---\n", "front-matter-unreadable", 3),
        ("---\nid: a\nid: b\n---\n", "field-repeated", 3),
        ("---\n- a\n---\n", "front-matter-unreadable", 2),
        ("---\nid: a\n", "front-matter-unreadable", 1),
        ("---\ntitle: a: b\n---\n", "front-matter-unreadable", 2),
        ("---\na: &x 1\nb: *x\n---\n", "front-matter-unreadable", 3),
    ],
)
def test_front_matter_that_cannot_be_read(text: str, rule: str, line: int) -> None:
    issue, problems = read(text)
    assert issue is None
    assert said(problems) == [(rule, line)]


_MARKDOWN = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *("# ", "## ", "### ", "\n", "\n\n", "> ", "- ", "1. ", "| a |\n|---|\n| b |\n"),
                *("```\n", "---\n", "---\nid: a\n---\n", "*", "**", "_", "`", "~~", "[", "](", ")"),
                *("![", "<b>", "</b>", "{#a}", "{.a", '="', "}", "https://a.b ", "\\", "&amp;"),
                *("\t", "    ", "  \n", "a", " ", "“", "汉", "🎬", "\u202e", "{{ x }}", "\0"),
            ]
        ),
        st.text(max_size=4),
    ),
    max_size=40,
).map("".join)


@given(_MARKDOWN, st.sampled_from(SUFFIXES))
def test_any_text_is_read_or_refused(text: str, suffix: str) -> None:
    issue, problems = read(text.encode("utf-8", "ignore"), f"issues/a{suffix}")
    assert issue is not None or any(problem.level == "error" for problem in problems)
    assert all(problem.file == f"issues/a{suffix}" for problem in problems)


@given(st.binary(max_size=80), st.sampled_from(SUFFIXES))
def test_any_bytes_are_read_or_refused(data: bytes, suffix: str) -> None:
    issue, problems = read(data, f"issues/a{suffix}")
    assert issue is not None or problems
