"""Pages that are read off the code: what commands say of themselves, the schema, the API."""

import io
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

from publisher.cli import COMMANDS
from publisher.cli.run import run
from publisher.web.api.app import OPERATIONS
from publisher.web.api.openapi import make_document


def write_all() -> dict[str, str]:
    """Each page's text, by its name."""
    return {"help": _write_help(), "issue": _write_schema(), "api": _write_api()}


def files() -> dict[str, str]:
    """What programs read, by path."""
    return {
        "reference/issue.schema.json": _say("schema"),
        "reference/openapi.json": json.dumps(make_document(OPERATIONS), indent=1),
    }


def _say(*words: str) -> str:
    """What a command prints, on lines of 80 letters."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    raw = io.BytesIO()
    try:
        with io.TextIOWrapper(raw, "utf-8", write_through=True) as out, redirect_stdout(out):
            run(words)
            return raw.getvalue().decode()
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before


def _write_help() -> str:
    pieces = [
        "# Commands as they explain themselves",
        "What `publisher COMMAND --help` prints; [Commands](../docs/commands.md) says more.",
        _code(_say("--help")),
    ]
    for name in COMMANDS:
        pieces += [f"## publisher {name}", _code(_say(*name.split(), "--help"))]
    return "\n\n".join(pieces)


def _code(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def _write_schema() -> str:
    schema = json.loads(_say("schema"))
    pieces = [
        "# An issue in YAML or JSON",
        "What `publisher schema` prints, as tables; [the schema itself](issue.schema.json) is for"
        " editors and programs. Issues in Markdown have the same fields.",
    ]
    names = {"IssueDocument": "The issue", "HighlightDocument": "A highlight"}
    for name, described in schema["$defs"].items():
        pieces += [f"## {names.get(name, f'A {name.lower()}')}", _table(described)]
    return "\n\n".join(pieces)


def _table(described: Mapping[str, Any]) -> str:
    rows = [
        (f"`{key}`", _kind(field), _needed(key, field, described), _meaning(field))
        for key, field in described["properties"].items()
    ]
    return _rows(("key", "what", "default", "meaning"), rows)


def _needed(key: str, field: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    if key in described["required"]:
        return "required"
    default = field.get("default")
    return "none" if default in (None, [], "") else f"`{json.dumps(default)}`"


def _kind(field: Mapping[str, Any]) -> str:
    if choices := field.get("anyOf"):
        return " or ".join(_kind(each) for each in choices if each.get("type") != "null")
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2].removesuffix("Document").lower()
    if field["type"] == "array":
        return f"a list of {_kind(field['items'])}"
    names = {"string": "text", "integer": "number", "boolean": "true or false"}
    return names.get(field["type"], str(field["type"]))


def _meaning(field: Mapping[str, Any]) -> str:
    texts = [field.get("description", ""), *map(_meaning, field.get("anyOf", ()))]
    return next(filter(None, texts), "")


def _write_api() -> str:
    document = make_document(OPERATIONS)
    pieces = [
        "# The API, route by route",
        "Read off the [OpenAPI document](openapi.json), which has the examples and every answer"
        " too. [The API](../docs/api.md) says how to begin.",
    ]
    for path, methods in document["paths"].items():
        for method, it in methods.items():
            pieces += [f"## {method.upper()} {path}", *_route(it)]
    return "\n\n".join(pieces)


def _route(it: Mapping[str, Any]) -> list[str]:
    scopes = [scope for each in it["security"] for scope in each["bearer"]]
    needed = f"Takes the scope `{scopes[0]}`." if scopes else "Takes no token."
    pieces = [f"**{it['summary']}** {needed}", it["description"]]
    if it["parameters"]:
        rows = [
            (f"`{each['name']}`", each["in"], _cell(each["description"]))
            for each in it["parameters"]
        ]
        pieces.append(_rows(("parameter", "in", "meaning"), rows))
    return pieces


def _rows(names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [names, tuple("---" for _ in names), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
