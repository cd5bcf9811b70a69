"""Minting ids into an issue's file, which otherwise stays as it was, byte for byte."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from publisher.intake.dialect import SUFFIX, is_highlight, markdown
from publisher.intake.edit import Edit, apply_edits
from publisher.intake.fields import ID
from publisher.intake.markdown import split_front_matter
from publisher.intake.text import decode
from publisher.intake.tree import Node, TreeError, parse_json, parse_yaml
from publisher.intake.write import attribute_value, quote_scalar

Mint = Callable[[], str]

_QUOTED = r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
# As the reader of headings has them: `#id`, `.tag`, `key=value`.
_ATTRIBUTE = re.compile(
    rf"""\#(?P<id>[^\s{{}}"'=#]+) | \.[^\s{{}}"'=]+
    | (?P<key>[A-Za-z][\w-]*)=(?P<value>{_QUOTED}|[^\s"'{{}}]+)""",
    re.VERBOSE,
)


class Minted(msgspec.Struct, frozen=True):
    """The file's new bytes, and how many ids were written into it."""

    data: bytes
    count: int


def mint_ids(
    data: bytes,
    path: str,
    mint: Mint,
    *,
    is_fresh: bool = False,
    fields: Mapping[str, str] | None = None,
    guids: Mapping[str, str] | None = None,
) -> Minted:
    """Write missing ids into an issue's file; with `is_fresh` all anew, adopted guids dropped.

    `fields` are set in the issue besides, and `guids` in its highlights, by their ids. Raises
    TreeError, with the line, where the file cannot be read or has no place for an id.
    """
    text, problems = decode(data, path)
    if text is None:
        raise TreeError(problems[-1].message, problems[-1].line or 1)
    minting = _Minting(mint, is_fresh, dict(fields or {}), dict(guids or {}))
    minting.edit(text, path)
    return Minted(apply_edits(data, minting.edits), minting.count)


class _Minting:
    """Collects the edits of one file."""

    def __init__(
        self, mint: Mint, is_fresh: bool, fields: dict[str, str], guids: dict[str, str]
    ) -> None:
        self.guids = guids
        self.mint_one = mint
        self.is_fresh = is_fresh
        self.fields = fields
        self.edits: list[Edit] = []
        self.count = 0

    def mint(self) -> str:
        self.count += 1
        return self.mint_one()

    def edit(self, text: str, path: str) -> None:
        if path.endswith(".md"):
            self._edit_markdown(text)
        elif path.endswith(".json"):
            self._edit_tree(text, parse_json, "json", 0)
        else:
            self._edit_tree(text, parse_yaml, "yaml", 0)

    # YAML and JSON

    def _edit_tree(self, text: str, parse: Callable[[str], Node], form: str, offset: int) -> None:
        """Edit a whole document, and make sure that nothing else in it has another meaning now."""
        root = parse(text)
        if not isinstance(root.value, dict):
            raise TreeError("fields (`key: value`) are expected", root.line)
        edits = self._edit_node(text, root, self.fields, form)
        for node in _highlights(root):
            edits += self._edit_node(text, node, self._adopted(node), form)
        changed = apply_edits(text.encode(), edits).decode()
        touched = {"id", *self.fields, *(("guid",) if self.is_fresh or self.guids else ())}
        if _rest(_parse_again(parse, changed), touched) != _rest(root, touched):
            raise TreeError("no id can be put here without harm; write one by hand", root.line)
        self.edits += [Edit(e.start + offset, e.end + offset, e.text) for e in edits]

    def _adopted(self, highlight: Node) -> dict[str, str]:
        known: Any = highlight.value
        id_ = known["id"].value if "id" in known else None
        return {"guid": self.guids[id_]} if id_ in self.guids else {}

    def _edit_node(self, text: str, node: Node, fields: Mapping[str, str], form: str) -> list[Edit]:
        known: Any = node.value
        quote = quote_scalar if form == "json" else _scalar
        edits: list[Edit] = []
        missing: dict[str, str] = {}
        written = known.get("id")
        wanted = dict(fields)
        if self.is_fresh or written is None or not _is_id(written.value):
            wanted = {"id": self.mint(), **fields}
        if self.is_fresh and "guid" in known:
            edits.append(_replacement(text, known["guid"], '""'))
        for key, value in wanted.items():
            if key in known:
                edits.append(_replacement(text, known[key], quote(value)))
            else:
                missing[key] = quote(value)
        if missing:
            edits.append(_insertion(text, node, missing, form))
        return edits

    # Markdown

    def _edit_markdown(self, text: str) -> None:
        front, body, first_line = split_front_matter(text)
        if front is None and re.fullmatch(r"---[ \t]*", text.partition("\n")[0]):
            raise TreeError("the `---` that closes the fields is missing", 1)
        if front is None:
            fields = {"id": self.mint(), **self.fields}
            lines = [f"{key}: {_scalar(value)}" for key, value in fields.items()]
            self.edits.append(Edit(0, 0, "\n".join(["---", *lines, "---", "", ""])))
        else:
            self._edit_tree(front, parse_yaml, "yaml", text.index("\n") + 1)
        starts = [0, *(match.end() for match in re.finditer("\n", text))]
        lines = text.split("\n")
        for token in markdown().parse(body):
            if is_highlight(token) and token.map:
                index = token.map[0] + first_line - 1
                self._edit_heading(lines[index], starts[index])

    def _edit_heading(self, line: str, offset: int) -> None:
        """Write an id into a highlight's heading: into its braces, or in new ones at its end."""
        bare = re.sub(r"[ \t]+#+[ \t]*$", "", line).rstrip()
        suffix = SUFFIX.search(bare)
        if not suffix:
            end = offset + len(bare)
            self.edits.append(Edit(end, end, f" {{#{self.mint()}}}"))
            return
        start = offset + suffix.start(1)
        attributes = list(_ATTRIBUTE.finditer(suffix[1]))
        ids = [a for a in attributes if a["id"] or a["key"] == "id"]
        guids = [a for a in attributes if a["key"] == "guid"]
        if not ids:
            gap = " " if suffix[1].strip() else ""
            self.edits.append(Edit(start, start, f"#{self.mint()}{gap}"))
        elif self.is_fresh or not _is_id(ids[0]["id"] or ids[0]["value"].strip("\"'")):
            span = ids[0].span()
            self.edits.append(Edit(start + span[0], start + span[1], f"#{self.mint()}"))
        wanted = "" if self.is_fresh else self._guid_of(ids)
        if wanted and not guids:
            end = start + len(suffix[1].rstrip())
            self.edits.append(Edit(end, end, f" guid={attribute_value(wanted)}"))
        elif wanted or self.is_fresh:
            for guid in guids:
                span = start + guid.start(), start + guid.end()
                self.edits.append(Edit(*span, f"guid={attribute_value(wanted)}"))

    def _guid_of(self, ids: list[re.Match[str]]) -> str:
        id_ = (ids[0]["id"] or ids[0]["value"].strip("\"'")) if ids else ""
        return self.guids.get(id_, "")


# Words that stay words in any YAML reader: ids, statuses, and moments as we write them.
_PLAIN = re.compile(r"(?!(?:true|false|yes|no|on|off|null|y|n)$)[A-Za-z0-9][\w+:-]*(?<!:)", re.I)


def _scalar(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else quote_scalar(value)


def _highlights(root: Node) -> list[Node]:
    node = root.value.get("highlights") if isinstance(root.value, dict) else None
    children = node.value if node and isinstance(node.value, list) else []
    return [child for child in children if isinstance(child.value, dict)]


def _is_id(value: object) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def _replacement(text: str, node: Node, value: str) -> Edit:
    if isinstance(node.value, list | dict):
        raise TreeError("a list or a mapping stands where one value should be", node.line)
    if node.offset == node.end:  # nothing stands there, perhaps not even a space
        lead = "" if text[node.offset - 1] in " \t" else " "
        return Edit(node.offset, node.end, lead + value)
    # A block (`|`, `>`) ends with its last line.
    tail = "\n" if text[node.offset : node.end].endswith("\n") else ""
    return Edit(node.offset, node.end, value + tail)


def _insertion(text: str, node: Node, values: Mapping[str, str], form: str) -> Edit:
    """The values as the first keys of a mapping, laid out as the key behind them is."""
    if form == "json":
        values = {f'"{key}"': value for key, value in values.items()}
    pairs = [f"{key}: {value}" for key, value in values.items()]
    if not node.is_flow:
        lines = "".join(f"{pair}\n{' ' * node.column}" for pair in pairs)
        return Edit(node.offset, node.offset, lines)
    gap = re.match(r"\s*", text[node.offset :])
    space = gap[0] if gap else ""
    is_empty = text[node.offset + len(space)] == "}"
    lead = space if "\n" in space else ""
    parting = f",{lead}" if lead else ", "
    tail = "" if is_empty else "," if space else ", "
    return Edit(node.offset, node.offset, f"{lead}{parting.join(pairs)}{tail}")


def _parse_again(parse: Callable[[str], Node], text: str) -> Node | None:
    try:
        return parse(text)
    except TreeError:
        return None


def _rest(node: Node | None, touched: set[str]) -> Any:
    """A document's meaning but for the fields that minting touches."""
    if node is None:
        return None
    if isinstance(node.value, dict):
        return {k: _rest(v, touched) for k, v in node.value.items() if k not in touched}
    if isinstance(node.value, list):
        return [_rest(child, touched) for child in node.value]
    return (node.value,)
