"""Markdown -> Issue: YAML front matter, an introduction, and a highlight for each `## heading`."""

import re
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from markdown_it.token import Token

from publisher.intake.blocks import Body, plain_text, read_blocks
from publisher.intake.dialect import is_highlight, markdown
from publisher.intake.fields import HIGHLIGHT_FIELDS, ISSUE_FIELDS, Reader, make_tag, unique_tags
from publisher.intake.tree import Node, RepeatedKey, TreeError, parse_yaml
from publisher.model import content as c
from publisher.model.issue import Highlight, Issue
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

_FENCE = re.compile(r"---[ \t]*")
_ATTRIBUTE = re.compile(
    r"""\#(?P<id>[^\s{}"'=#]+)|\.(?P<tag>[^\s{}"'=]+)"""
    r"""|(?P<key>[A-Za-z][\w-]*)=(?P<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s"'{}]+)"""
)


def read_markdown(
    text: str, slug: str, path: str, zone: ZoneInfo
) -> tuple[Issue | None, tuple[Problem, ...]]:
    """Read an issue's Markdown; None where its front matter cannot be read."""
    front, body, first_line = split_front_matter(text)
    try:
        node = parse_yaml(front) if front is not None else Node({}, 1)
    except RepeatedKey as error:
        return None, (problem("field-repeated", path, error.line + 1, found=error.key),)
    except TreeError as error:
        return None, (problem("front-matter-unreadable", path, error.line + 1, found=str(error)),)
    if not isinstance(node.value, dict):
        found = "`key: value` lines are expected"
        return None, (problem("front-matter-unreadable", path, 2, found=found),)
    if front is None and _FENCE.fullmatch(text.split("\n", 1)[0]):
        found = "the closing `---` is missing"
        return None, (problem("front-matter-unreadable", path, 1, found=found),)
    fields = {key: _shift(value, 1) for key, value in node.value.items()}
    return _read(fields, body, first_line, slug, path, zone)


def split_front_matter(text: str) -> tuple[str | None, str, int]:
    """Split into the YAML between the fences (None without any), the body and its first line."""
    lines = text.split("\n")
    if _FENCE.fullmatch(lines[0]):
        for index in range(1, len(lines)):
            if re.fullmatch(r"(---|\.\.\.)[ \t]*", lines[index]):
                return "\n".join(lines[1:index]), "\n".join(lines[index + 1 :]), index + 2
    return None, text, 1


def _shift(node: Node, by: int) -> Node:
    """Count lines in the file instead of in its front matter."""
    if isinstance(node.value, list):
        node.value = [_shift(child, by) for child in node.value]
    elif isinstance(node.value, dict):
        node.value = {key: _shift(child, by) for key, child in node.value.items()}
    node.line += by
    return node


def read_issue_fields(reader: Reader, slug: str, path: str, zone: ZoneInfo) -> dict[str, Any]:
    """The fields of an issue, whichever form its file has."""
    reader.report_dropped()
    return {
        "slug": slug,
        "path": path,
        "id": reader.id(),
        "title": reader.text("title"),
        "number": reader.number("number"),
        "date": reader.date(slug, zone),
        "status": reader.choice("status", {"draft": "draft", "ready": "ready"}, "draft"),
        "summary": reader.text("summary"),
        "language": reader.language(),
        "authors": reader.authors(),
        "tags": reader.tags(),
        "mail": reader.choice("mail", {"true": True, "false": False}, True),
        "guid": reader.text("guid", is_error=True),
    }


def _read(
    fields: dict[str, Node], text: str, first_line: int, slug: str, path: str, zone: ZoneInfo
) -> tuple[Issue, tuple[Problem, ...]]:
    reader = Reader(path, fields)
    reader.reject_unknown(ISSUE_FIELDS)
    values = read_issue_fields(reader, slug, path, zone)
    tokens = markdown().parse(text)
    body = Body(path, first_line)
    starts = [i for i, token in enumerate(tokens) if is_highlight(token)]
    introduction = read_blocks(tokens[: starts[0] if starts else len(tokens)], body)
    values["title"], introduction = _take_title(values["title"], introduction)
    highlights = tuple(
        _read_highlight(tokens[start:end], body, path)
        for start, end in zip(starts, [*starts, len(tokens)][1:], strict=True)
    )
    if not values["title"]:
        reader.report("title-missing", 1, what="the issue")
    if not highlights:
        reader.report("highlights-missing", None)
    issue = Issue(**values, introduction=introduction, highlights=highlights)
    return issue, (*reader.problems, *body.problems)


def _take_title(title: str, introduction: c.Blocks) -> tuple[str, c.Blocks]:
    """A `# heading` on top is the title of an issue that has no other, or repeats it."""
    match introduction:
        case (c.Heading(1, children), *rest) if plain_text(children) == (
            title or plain_text(children)
        ):
            return plain_text(children), tuple(rest)
    return title, introduction


def _read_highlight(tokens: list[Token], body: Body, path: str) -> Highlight:
    line = body.line_of(tokens[0])
    heading = body.inlines(tokens[1])
    title = " ".join(plain_text(heading).split("\n")).strip()
    fields, tags = _read_attributes(tokens[1].meta.get("attributes", ""), line, body)
    reader = Reader(path, fields, "the highlight's ")
    reader.reject_unknown(HIGHLIGHT_FIELDS[:-1])
    highlight = make_highlight(reader, title, line)
    blocks = read_blocks(tokens[3:], body)
    body.problems += reader.problems
    if not title:
        body.report("title-missing", line, what="a highlight")
    if not blocks:
        body.report("body-missing", line, title=title)
    return msgspec.structs.replace(
        highlight,
        url=highlight.url or first_link(heading),
        tags=unique_tags([*(make_tag(label) for label in tags), *highlight.tags]),
        body=blocks,
    )


def make_highlight(reader: Reader, title: str, line: int) -> Highlight:
    """A highlight from its fields, without its body."""
    return Highlight(
        id=reader.id(),
        title=title,
        url=reader.text("url"),
        source=reader.text("source"),
        image=reader.image(),
        tags=reader.tags(),
        language=reader.language(),
        guid=reader.text("guid", is_error=True),
        line=line,
    )


def first_link(children: tuple[c.Inline, ...]) -> str:
    """Where a heading leads to: its first link, however it is marked."""
    for node in children:
        match node:
            case c.Link(href):
                return href
            case c.Emphasis(inner) | c.Strong(inner) | c.Strike(inner):
                if href := first_link(inner):
                    return href
    return ""


def _read_attributes(text: str, line: int, body: Body) -> tuple[dict[str, Node], list[str]]:
    """Read `#id .tag key="value"` into fields and the labels of the tags."""
    fields: dict[str, Node] = {}
    tags: list[str] = []
    position = 0
    for match in _ATTRIBUTE.finditer(text):
        _report_rest(text[position : match.start()], line, body)
        position = match.end()
        if match["tag"]:
            tags.append(match["tag"])
            continue
        key = "id" if match["id"] else match["key"]
        value = match["id"] or _unquote(match["value"])
        if key in fields:
            body.report("field-repeated", line, found=key)
        fields[key] = Node(value, line)
    _report_rest(text[position:], line, body)
    return fields, tags


def _report_rest(text: str, line: int, body: Body) -> None:
    if text.strip():
        body.report("heading-attributes-invalid", line, found=text.strip()[:60])


def _unquote(value: str) -> str:
    if value[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
