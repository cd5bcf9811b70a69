"""Front matter as site generators have it: YAML between `---`, TOML between `+++`, or JSON."""

import json
import re
import tomllib
from datetime import date, datetime
from typing import Any

from publisher.intake.text import drop_forbidden
from publisher.intake.tree import Node, TreeError, parse_yaml
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

Fields = dict[str, Any]
_FENCED = re.compile(r"\ufeff?(---|\+\+\+)[ \t]*\n(.*?)(?:^|\n)\1[ \t]*(?:\n|$)", re.DOTALL | re.M)


def has_front(text: str) -> bool:
    return bool(_FENCED.match(text)) or (text.startswith("{") and _json_front(text) is not None)


def read_front(text: str, file: str) -> tuple[Fields, str, tuple[Problem, ...]]:
    """The fields of a text, the rest of it, and what is wrong with the fields."""
    match = _FENCED.match(text)
    if match is None:
        found = _json_front(text) if text.startswith("{") else None
        return (*found, ()) if found else ({}, text, ())
    body = text[match.end() :]
    try:
        fields = _read_toml(match[2]) if match[1] == "+++" else _read_yaml(match[2])
    except (TreeError, tomllib.TOMLDecodeError) as error:
        line = error.line + 1 if isinstance(error, TreeError) else 1
        return {}, body, (problem("import-damaged", file, line, found=f"its fields: {error}"),)
    return fields, body, ()


def _json_front(text: str) -> tuple[Fields, str] | None:
    try:
        fields, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    # A document of JSON and nothing else is somebody's data.
    return (fields, text[end:]) if isinstance(fields, dict) and text[end:].strip() else None


def _read_yaml(text: str) -> Fields:
    value = _plain(parse_yaml(drop_forbidden(text)))
    return {key.lower(): each for key, each in value.items()} if isinstance(value, dict) else {}


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(child) for child in node.value]
    return node.value


def _read_toml(text: str) -> Fields:
    return {key.lower(): _as_text(value) for key, value in tomllib.loads(text).items()}


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)
