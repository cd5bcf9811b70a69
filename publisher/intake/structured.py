"""YAML and JSON -> Issue: the same fields as keys, for programs."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from publisher.intake.blocks import Body, read_blocks
from publisher.intake.dialect import markdown
from publisher.intake.fields import HIGHLIGHT_FIELDS, ISSUE_FIELDS, Reader
from publisher.intake.markdown import make_highlight, read_issue_fields
from publisher.intake.tree import Node, RepeatedKey, TreeError, parse_json, parse_yaml
from publisher.model import content as c
from publisher.model.issue import Highlight, Issue
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem


def read_structured(
    text: str, slug: str, path: str, zone: ZoneInfo
) -> tuple[Issue | None, tuple[Problem, ...]]:
    """Read an issue written as YAML or JSON; None where it cannot be parsed."""
    parse = parse_json if path.endswith(".json") else parse_yaml
    try:
        node = parse(text)
    except RepeatedKey as error:
        return None, (problem("field-repeated", path, error.line, found=error.key),)
    except TreeError as error:
        return None, (problem("front-matter-unreadable", path, error.line, found=str(error)),)
    if not isinstance(node.value, dict):
        found = "a mapping of fields is expected"
        return None, (problem("front-matter-unreadable", path, node.line, found=found),)
    return _read(node.value, slug, path, zone)


def _read(
    fields: dict[str, Node], slug: str, path: str, zone: ZoneInfo
) -> tuple[Issue, tuple[Problem, ...]]:
    reader = Reader(path, fields)
    reader.reject_unknown((*ISSUE_FIELDS, "introduction", "highlights"))
    values = read_issue_fields(reader, slug, path, zone)
    problems: list[Problem] = []
    introduction = _read_body(fields.get("introduction"), path, reader, "introduction", problems)
    highlights = tuple(
        _read_highlight(node, path, problems) for node in highlight_nodes(fields, reader)
    )
    if not values["title"]:
        reader.report("title-missing", 1, what="the issue")
    if not highlights:
        reader.report("highlights-missing", None)
    issue = Issue(**values, introduction=introduction, highlights=highlights)
    return issue, (*reader.problems, *problems)


def highlight_nodes(fields: dict[str, Node], reader: Reader) -> list[Node]:
    """The mappings in `highlights`; anything else there is reported."""
    node = fields.get("highlights")
    if node is None or node.value is None:
        return []
    children = node.value if isinstance(node.value, list) else []
    mappings = [child for child in children if isinstance(child.value, dict)]
    if not isinstance(node.value, list) or len(mappings) < len(children):
        reader.wrong("highlights", "a list of {id, title, url, …, body}", is_error=True)
    return mappings


def _read_highlight(node: Node, path: str, problems: list[Problem]) -> Highlight:
    fields: Any = node.value
    reader = Reader(path, fields, "the highlight's ")
    reader.reject_unknown(HIGHLIGHT_FIELDS)
    highlight = make_highlight(reader, reader.text("title"), node.line)
    body = _read_body(fields.get("body"), path, reader, "body", problems)
    if not highlight.title:
        reader.report("title-missing", node.line, what="a highlight")
    if not body:
        reader.report("body-missing", node.line, title=highlight.title)
    problems += reader.problems
    return msgspec.structs.replace(highlight, body=body)


def _read_body(
    node: Node | None, path: str, reader: Reader, key: str, problems: list[Problem]
) -> c.Blocks:
    if node is None or node.value is None:
        return ()
    if not isinstance(node.value, str):
        reader.wrong(key, "Markdown text", is_error=True)
        return ()
    body = Body(path, node.line)
    blocks = read_blocks(markdown().parse(node.value), body)
    problems += body.problems
    return blocks
