"""YAML and JSON -> one tree of text with line numbers.

All scalars stay text: YAML's guesses (`no` is false, `2025-12-15` a date without an offset) are
not what an editor means. Aliases are refused and depth is bounded, so that no file can grow in
memory beyond what was written. Both parsers work on events, not by recursion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

import msgspec
import yaml

from publisher.intake.text import clean_escaped

# issue > highlights > highlight > image or tags: what is deeper is no issue.
MAX_DEPTH = 12


class Node(msgspec.Struct):
    """A value where it stands: `line` and `column` from 1 and 0, `offset` and `end` in characters.

    `value` is text, a list, a mapping from key to node, or None for null. In a mapping, `offset`
    is where its first key may be inserted; `is_flow` tells whether it stands in braces. `end` is
    that of a text or null. `dropped` are characters that XML forbids, which an escape brought in.
    """

    value: str | list[Node] | dict[str, Node] | None
    line: int
    column: int = 0
    offset: int = 0
    is_flow: bool = False
    end: int = 0
    dropped: str = ""


class TreeError(Exception):
    """The text is not readable; `line` counts from 1 in the text that was given."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class RepeatedKey(TreeError):
    """A key stands twice in one mapping."""

    def __init__(self, key: str, line: int) -> None:
        super().__init__(key, line)
        self.key = key


class _Builder:
    """Puts a tree together from values, starts and ends."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.open: list[Node] = []
        self.keys: list[str | None] = []

    def add(self, node: Node) -> None:
        if isinstance(node.value, str):
            node.value, node.dropped = clean_escaped(node.value)
        if not self.open:
            self.root = node
            return
        parent = self.open[-1].value
        if isinstance(parent, list):
            parent.append(node)
        elif isinstance(parent, dict):
            key = self.keys[-1]
            if key is None:
                self._open_key(node)
            else:
                parent[key] = node
                self.keys[-1] = None

    def _open_key(self, node: Node) -> None:
        if not isinstance(node.value, str):
            raise TreeError("a key must be a word", node.line)
        mapping = self.open[-1]
        if isinstance(mapping.value, dict) and node.value in mapping.value:
            raise RepeatedKey(node.value, node.line)
        if not mapping.value and not mapping.is_flow:  # behind a tag or an anchor, if there is one
            mapping.offset, mapping.column = node.offset, node.column
        self.keys[-1] = node.value

    def start(self, node: Node) -> None:
        self.add(node)
        self.open.append(node)
        self.keys.append(None)
        if len(self.open) > MAX_DEPTH:
            raise TreeError("the values are nested too deeply", node.line)

    def end(self) -> None:
        self.open.pop()
        self.keys.pop()


def find_dropped(node: Node) -> Iterator[Node]:
    """The values that characters were dropped from."""
    if node.dropped:
        yield node
    if isinstance(node.value, list | dict):
        children = node.value.values() if isinstance(node.value, dict) else node.value
        for child in children:
            yield from find_dropped(child)


_Loader: type = getattr(yaml, "CLoader", yaml.Loader)  # only its event parser is used


def parse_yaml(text: str) -> Node:
    """Parse one YAML document. Raises TreeError with the line."""
    builder = _Builder()
    documents = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise TreeError("a second document begins", _line(event))
            _build_yaml(builder, event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(filter(None, (error.context, error.problem)))
        raise TreeError(message, mark.line + 1 if mark else 1) from None
    except yaml.YAMLError as error:
        raise TreeError(str(error).split("\n")[0], 1) from None
    return builder.root or Node({}, 1)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _build_yaml(builder: _Builder, event: Any) -> None:
    mark: Any = event.start_mark
    line = _line(event)
    match event:
        case yaml.AliasEvent():
            raise TreeError("aliases (`*name`) are not supported", line)
        case yaml.ScalarEvent():
            is_plain = event.style in (None, "")
            value = None if is_plain and event.value in ("", "~", "null") else event.value
            # The text of a block scalar (`|`, `>`) begins on the line below its mark.
            line += event.style in ("|", ">")
            end: Any = event.end_mark
            builder.add(Node(value, line, mark.column, mark.index, end=end.index))
        case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            is_flow = bool(event.flow_style)
            offset = mark.index + is_flow
            column = mark.column
            builder.start(Node({} if is_mapping else [], line, column, offset, is_flow))
        case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
            builder.end()


_JSON_TOKEN = re.compile(r'[ \t\n\r]*(?:([{}\[\]:,"])|([^\s{}\[\]:,"]+))')


def parse_json(text: str) -> Node:
    """Parse one JSON document (RFC 8259). Raises TreeError with the line."""
    try:
        json.loads(text)  # the grammar, strictly; the tokens below only add the places
    except json.JSONDecodeError as error:
        raise TreeError(error.msg, error.lineno) from None
    except ValueError as error:  # a number of more digits than Python is willing to read
        raise TreeError(str(error).partition(";")[0], 1) from None
    except RecursionError:
        raise TreeError("the values are nested too deeply", 1) from None
    builder = _Builder()
    for kind, value, start, end, line in _json_tokens(text):
        if kind in ("{", "["):
            builder.start(Node({} if kind == "{" else [], line, 0, start + 1, True))
        elif kind in ("}", "]"):
            builder.end()
        elif kind == "value":
            builder.add(Node(value, line, offset=start, end=end))
    return builder.root or Node({}, 1)


def _json_tokens(text: str) -> Iterator[tuple[str, str | None, int, int, int]]:
    position, line, counted = 0, 1, 0
    while match := _JSON_TOKEN.match(text, position):
        start = match.start(1) if match[1] else match.start(2)
        line += text.count("\n", counted, start)
        counted = start
        if match[1] == '"':
            value, position = scanstring(text, start + 1, True)
            yield "value", value, start, position, line
        elif match[1]:
            position = match.end()
            yield match[1], None, start, position, line
        else:
            position = match.end()
            word = match[2]
            yield "value", None if word == "null" else word, start, position, line
