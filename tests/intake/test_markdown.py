"""Headings, their attributes and what stands below them: an issue as people write it."""

import json
from zoneinfo import ZoneInfo

import msgspec
import pytest

from publisher.intake.read import read_issue
from publisher.model import content as c
from publisher.model.issue import Highlight


def highlights(text: str) -> list[Highlight]:
    data = f"---\nid: a\ntitle: t\n---\n{text}".encode()
    issue, _ = read_issue(data, "issues/a.md", ZoneInfo("UTC"))
    assert issue is not None
    return list(issue.highlights)


@pytest.mark.parametrize(
    ("heading", "title", "url"),
    [
        ("Plain", "Plain", ""),
        ("[A](https://a.example/)", "A", "https://a.example/"),
        ("*[A](https://a.example/)* and [B](https://b.example/)", "A and B", "https://a.example/"),
        ("**Bold** `code` ~~old~~ ![alt](x.png)", "Bold code old alt", ""),
        ("<b>x</b> &amp; \\*", "<b>x</b> & *", ""),
        ("https://a.example/x", "https://a.example/x", "https://a.example/x"),
        ("A {b} c", "A {b} c", ""),
        ("A {#id} c", "A {#id} c", ""),
        ("A \\{#id}", "A {#id}", ""),
        ("“Quotes” – 汉字", "“Quotes” – 汉字", ""),
        ('A {#x url="https://u.example/"}', "A", "https://u.example/"),
    ],
)
def test_a_heading_is_words_and_an_address(heading: str, title: str, url: str) -> None:
    [highlight] = highlights(f"## {heading}\n\nText.\n")
    assert (highlight.title, highlight.url) == (title, url)


@pytest.mark.parametrize(
    ("attributes", "id_", "tags", "source"),
    [
        ("{#x}", "x", [], ""),
        ("{ #x .a .b }", "x", ["a", "b"], ""),
        ('{#x source="a } b"}', "x", [], "a } b"),
        ("{#x source='it is \"so\"'}", "x", [], 'it is "so"'),
        ('{#x source="a \\" b \\\\ c"}', "x", [], 'a " b \\ c'),
        ("{source=Xinhua #x}", "x", [], "Xinhua"),
        ("{.电影 #x}", "x", ["电影"], ""),
        ("{id=x}", "x", [], ""),
        ('{#x tags=""}', "x", [], ""),
    ],
)
def test_attributes(attributes: str, id_: str, tags: list[str], source: str) -> None:
    [highlight] = highlights(f"## A {attributes}\n\nText.\n")
    assert (highlight.id, highlight.title, highlight.source) == (id_, "A", source)
    assert [tag.label for tag in highlight.tags] == tags


def test_only_second_level_headings_at_the_left_begin_a_highlight() -> None:
    found = highlights(
        "# One\n\nIntro.\n\n## A {#a}\n\n### Sub\n\n> ## quoted\n\n- ## listed\n\n"
        "```\n## code\n```\n\nUnderlined\n---\n\n    ## indented\n\n## B {#b}\n\nText.\n"
    )
    assert [highlight.title for highlight in found] == ["A", "indented", "B"]


def test_words_are_kept_as_they_are_written() -> None:
    text = "“He said … 5 < 6 & 7” — l'été\u00a0!  two  spaces, 1) 2. (c) -- ... :) 100% @a #b"
    [highlight] = highlights(f"## A {{#a}}\n\n{text}\n")
    assert highlight.body == (c.Paragraph((c.Text(text),), 7),)


def test_a_number_at_the_beginning_of_a_line_is_a_list_and_said_by_nobody() -> None:
    [highlight] = highlights("## A {#a}\n\n2025. A year.\n")
    assert isinstance(highlight.body[0], c.List)
    assert highlight.body[0].start == 2025


def test_deep_emphasis_keeps_its_words() -> None:
    deep = "**a " * 400 + "b** " * 400
    [highlight] = highlights(f"## A {{#a}}\n\n{deep}\n")
    words = json.dumps(msgspec.to_builtins(highlight))
    assert words.count("a ") >= 400
    assert words.count("b") >= 400


def problems_of(text: str) -> list[tuple[str, int | None]]:
    _, problems = read_issue(text.encode(), "issues/2025-12-15.md", ZoneInfo("UTC"))
    return [(problem.rule, problem.line) for problem in problems]


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("A {#x nonsense}", [("heading-attributes-invalid", 5)]),
        ("A {#x sourc=y}", [("field-unknown", 5)]),
        ("A {#x source=a source=b}", [("field-repeated", 5)]),
        ("A {#x #y}", [("field-repeated", 5)]),
        ("A {#Ä}", [("id-invalid", 5), ("id-missing", 5)]),
        ("A {#x language=klingonese}", [("field-invalid", 5)]),
        ("A {#x width=wide image=a}", [("field-invalid", 5)]),
        ("A <b>x</b> {#x}", [("raw-html", 5)]),
        ("{#x}", [("title-missing", 5)]),
    ],
)
def test_what_is_wrong_with_a_heading_is_said_at_its_line(
    heading: str, expected: list[tuple[str, int]]
) -> None:
    assert problems_of(f"---\nid: a\ntitle: t\n---\n## {heading}\n\nText.\n") == expected


@pytest.mark.parametrize(
    ("text", "title", "introduction"),
    [
        ("---\nid: a\n---\n# The title\n\nHello.\n", "The title", 1),
        ("---\nid: a\ntitle: Same\n---\n# Same\n\nHello.\n", "Same", 1),
        ("---\nid: a\ntitle: One\n---\n# Two\n\nHello.\n", "One", 2),
        ("---\nid: a\n---\nHello.\n\n# Late\n", "", 2),
        ("# Alone\n", "Alone", 0),
    ],
)
def test_a_heading_on_top_is_the_title_or_repeats_it(
    text: str, title: str, introduction: int
) -> None:
    issue, _ = read_issue(text.encode(), "issues/a.md", ZoneInfo("UTC"))
    assert issue is not None
    assert (issue.title, len(issue.introduction)) == (title, introduction)
