"""Minting ids into an issue's text, which otherwise stays as its author wrote it."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from publisher.intake.dialect import SUFFIX, is_highlight, markdown
from publisher.intake.fields import ID
from publisher.intake.markdown import split_front_matter
from publisher.intake.tree import Node, parse_json, parse_yaml

Mint = Callable[[], str]


class Minted(msgspec.Struct, frozen=True):
    """The new text, and how many ids were written into it."""

    text: str
    count: int


class _Edit(msgspec.Struct, frozen=True):
    start: int
    end: int
    text: str


def mint_ids(text: str, path: str, mint: Mint, *, is_fresh: bool = False) -> Minted:
    """Write missing ids into an issue's text; with `is_fresh` all anew, adopted guids dropped.

    The text has `\\n` line ends. Raises publisher.intake.tree.TreeError where it cannot be read.
    """
    if path.endswith(".md"):
        return _mint_markdown(text, mint, is_fresh)
    root = parse_json(text) if path.endswith(".json") else parse_yaml(text)
    is_json = path.endswith(".json")
    nodes = [root, *_highlights(root)]
    edits = [edit for node in nodes for edit in _mint_node(text, node, mint, is_fresh, is_json)]
    return Minted(_apply(text, edits), sum(1 for edit in edits if edit.text))


def _highlights(root: Node) -> list[Node]:
    node = root.value.get("highlights") if isinstance(root.value, dict) else None
    children = node.value if node and isinstance(node.value, list) else []
    return [child for child in children if isinstance(child.value, dict)]


def _mint_node(text: str, node: Node, mint: Mint, is_fresh: bool, is_json: bool) -> list[_Edit]:
    fields: Any = node.value
    edits = []
    quoted = '"{}"' if is_json else "{}"
    written = fields.get("id")
    if written is None:
        edits.append(_insertion(text, node, quoted.format(mint()), is_json))
    elif is_fresh or not (isinstance(written.value, str) and ID.fullmatch(written.value)):
        lead = "" if text[written.offset - 1 : written.offset] in (" ", "\n") else " "
        edits.append(_Edit(written.offset, written.end, lead + quoted.format(mint())))
    if is_fresh and (guid := fields.get("guid")) and guid.value:
        edits.append(_Edit(guid.offset, guid.end, '""'))
    return edits


def _insertion(text: str, node: Node, value: str, is_json: bool) -> _Edit:
    """The id as the first key of a mapping, laid out as the key after it is."""
    key = '"id"' if is_json else "id"
    if not node.is_flow:
        return _Edit(node.offset, node.offset, f"{key}: {value}\n{' ' * node.column}")
    gap = re.match(r"\s*", text[node.offset :])
    space = gap[0] if gap else ""
    comma = "" if text[node.offset + len(space)] == "}" else ","
    lead = space if "\n" in space else ""
    tail = "" if "\n" in space or not comma or space else " "
    return _Edit(node.offset, node.offset, f"{lead}{key}: {value}{comma}{tail}")


def _apply(text: str, edits: list[_Edit]) -> str:
    for edit in sorted(edits, key=lambda e: e.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _mint_markdown(text: str, mint: Mint, is_fresh: bool) -> Minted:
    front, body, first_line = split_front_matter(text)
    lines = text.split("\n")
    count = 0
    for token in markdown().parse(body):
        if is_highlight(token) and token.map:
            index = token.map[0] + first_line - 1
            minted = _mint_heading(lines[index], mint, is_fresh)
            count += minted != lines[index]
            lines[index] = minted
    if front is None:
        return Minted("\n".join(["---", f"id: {mint()}", "---", "", *lines]), count + 1)
    parsed = parse_yaml(front)
    root = parsed if isinstance(parsed.value, dict) and parsed.value else Node({}, 1)
    edits = _mint_node(front, root, mint, is_fresh, False)
    inner = _apply(front, edits).rstrip("\n").split("\n")
    count += sum(1 for edit in edits if edit.text.strip('"'))
    return Minted("\n".join([lines[0], *inner, *lines[first_line - 2 :]]), count)


def _mint_heading(line: str, mint: Mint, is_fresh: bool) -> str:
    """Write an id into a highlight's heading: into its braces, or in new ones at its end."""
    bare = re.sub(r"[ \t]+#+[ \t]*$", "", line).rstrip()
    match = SUFFIX.search(bare)
    if not match:
        return f"{bare} {{#{mint()}}}"
    inner = match[1]
    if is_fresh:
        inner = re.sub(r"""\s*\bguid=("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s"'{}]+)""", "", inner)
    present = re.search(r"(?:^|(?<=\s))#([^\s{}\"'=]+)", _without_quotes(inner))
    if present and ID.fullmatch(present[1]) and not is_fresh:
        return line
    if present:
        inner = inner[: present.start()] + inner[present.end() :]
    attributes = f"#{mint()} {inner.strip()}".strip()
    return f"{bare[: match.start()]}{{{attributes}}}"


def _without_quotes(text: str) -> str:
    """The text with what stands in quotes blanked out, of the same length."""
    quoted = r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
    return re.sub(quoted, lambda match: '"' * len(match[0]), text)
