"""The order of an issue's highlights in its Markdown file, each moved as the text that it is."""

import re
from zoneinfo import ZoneInfo

import msgspec

from publisher.intake.dialect import is_highlight, markdown
from publisher.intake.edit import Edit, apply_edits
from publisher.intake.markdown import read_markdown, split_front_matter
from publisher.intake.text import decode
from publisher.model import content as c
from publisher.model.issue import Highlight

# Nothing that this module decides depends on the zone.
_ANY_ZONE = ZoneInfo("UTC")


class MoveError(ValueError):
    """A highlight cannot be moved without harm; says why."""


def move_highlight(data: bytes, place: int, by: int) -> bytes:
    """Move the highlight at a place (from 0) in an issue's Markdown `by` places up or down.

    Everything else in the file stays as it is, byte for byte. Raises MoveError.
    """
    text, _ = decode(data, "")
    if text is None:
        raise MoveError("the file is no text")
    blocks = find_blocks(text)
    if not (0 <= place < len(blocks) and 0 <= place + by < len(blocks)):
        raise MoveError("there is no such highlight any more, or it stands at that end already")
    order = list(range(len(blocks)))
    order.insert(place + by, order.pop(place))
    # White space between highlights belongs to its place, not to them: the last may have none.
    edits = [
        Edit(*blocks[at], text[slice(*blocks[wanted])])
        for at, wanted in enumerate(order)
        if at != wanted
    ]
    moved = apply_edits(data, edits)
    before, after = _highlights(text), _highlights(decode(moved, "")[0] or "")
    if after != [before[wanted] for wanted in order]:
        raise MoveError(
            "its text and its neighbour's hang together (a list or a code block that is left"
            " open, perhaps), so move it by hand"
        )
    return moved


def find_blocks(text: str) -> list[tuple[int, int]]:
    """Where each highlight of a Markdown text begins and ends, white space behind it left out."""
    _, body, first_line = split_front_matter(text)
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    starts = [
        lines[token.map[0] + first_line - 1]
        for token in markdown().parse(body)
        if is_highlight(token) and token.map
    ]
    ends = [*starts[1:], len(text)] if starts else []
    return [
        (start, start + len(text[start:end].rstrip()))
        for start, end in zip(starts, ends, strict=True)
    ]


def _highlights(text: str) -> list[Highlight]:
    issue, _ = read_markdown(text, "x", "", _ANY_ZONE)
    found = issue.highlights if issue else ()
    return [msgspec.structs.replace(h, line=0, body=_without_lines(h.body)) for h in found]


def _without_lines(node: object) -> object:
    """Content without where it stands in the file."""
    if isinstance(node, tuple):
        return tuple(_without_lines(each) for each in node)
    if not isinstance(node, c.Node):
        return node
    names = [name for name in node.__struct_fields__ if name != "line"]
    return (type(node), *(_without_lines(getattr(node, name)) for name in names))
