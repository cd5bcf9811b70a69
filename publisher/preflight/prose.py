"""The words of an issue as checks read them: in passages, without code, each with its line."""

import re
from collections.abc import Iterator

import msgspec

from publisher.model import content as c
from publisher.model.issue import Highlight, Issue

# Stands for code and images between words: neither a letter nor a space.
OBJECT = "\ufffc"

# The blocks of Unicode whose characters are two columns wide (UAX 11, classes W and F).
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
    "\U00020000-\U0003fffd]"
)


class Passage(msgspec.Struct, frozen=True):
    """A run of words that belong together: a paragraph, a heading, an item, a cell.

    `line` is where it begins; in a table, where that is not known, the highlight's.
    """

    text: str
    line: int | None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The introduction (`highlight` is None) or a highlight, with the passages of its text."""

    highlight: Highlight | None
    blocks: c.Blocks
    passages: tuple[Passage, ...]
    links: tuple[c.Link, ...]
    pictures: tuple[c.Picture, ...]
    line: int | None

    @property
    def name(self) -> str:
        """How a problem names it."""
        if self.highlight:
            return f"the highlight {shorten(self.highlight.title)!r}"
        return "the introduction"


def read_parts(issue: Issue) -> tuple[Part, ...]:
    """Divide an issue into its introduction, where it has one, and its highlights."""
    parts = [_part(None, issue.introduction, None)] if issue.introduction else []
    return (*parts, *(_part(h, h.body, h.line or None) for h in issue.highlights))


def _part(highlight: Highlight | None, blocks: c.Blocks, line: int | None) -> Part:
    runs = list(_runs(blocks))
    nodes = [node for _, children in runs for node in walk(children)]
    passages = tuple(
        Passage(text, own or line) for own, children in runs if (text := words_of(children)).strip()
    )
    return Part(
        highlight=highlight,
        blocks=blocks,
        passages=passages,
        links=tuple(node for node in nodes if isinstance(node, c.Link)),
        pictures=tuple(node for node in nodes if isinstance(node, c.Picture)),
        line=line,
    )


def _runs(blocks: c.Blocks) -> Iterator[tuple[int, tuple[c.Inline, ...]]]:
    """Give each run of inlines with the line that is known of it, or 0."""
    for block in blocks:
        match block:
            case c.Paragraph(children, line):
                yield line, children
            case c.Heading(_, children, line):
                yield line, children
            case c.Quote(children=inner):
                yield from _runs(inner)
            case c.List(items=items):
                for item in items:
                    yield from _runs(item)
            case c.Table(header=header, rows=rows):
                for row in (header, *rows):
                    yield from ((_line(cell), cell) for cell in row)
            case _:
                continue


def _line(children: tuple[c.Inline, ...]) -> int:
    for node in walk(children):
        if isinstance(node, c.Link | c.Picture):
            return node.line
    return 0


def walk(children: tuple[c.Inline, ...]) -> Iterator[c.Inline]:
    """Give inlines and what is inside them, in reading order."""
    for node in children:
        yield node
        if isinstance(node, c.Emphasis | c.Strong | c.Strike | c.Link):
            yield from walk(node.children)


def words_of(children: tuple[c.Inline, ...]) -> str:
    """The words that readers read as prose; code and images are one OBJECT each."""
    return "".join(map(_words, children))


def _words(node: c.Inline) -> str:
    match node:
        case c.Text(text):
            return text
        case c.Break():
            return "\n"
        case c.Code() | c.Picture():
            return OBJECT
    return words_of(node.children)


def width(text: str) -> int:
    """How many columns a text takes: Chinese, Japanese and Korean characters take two."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def shorten(text: str, limit: int = 60) -> str:
    """A text's beginning on one line, as problems quote it."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
