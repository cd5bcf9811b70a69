"""The content of a highlight: blocks and inlines, so that every rendition is made from one tree.

Text stands here exactly as the editor wrote it. There is no node for raw HTML: what looks like
HTML in an issue is text. URLs stand as written; renditions resolve them.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Node(msgspec.Struct, frozen=True, tag_field="t", array_like=True):
    """Base of all nodes."""


class Text(Node, frozen=True, tag="text", array_like=True):
    """A run of characters."""

    text: str


class Code(Node, frozen=True, tag="code", array_like=True):
    """Inline code."""

    text: str


class Break(Node, frozen=True, tag="br", array_like=True):
    """A line break: soft (the source's line ended) or hard (the author asked for it)."""

    is_hard: bool


class Emphasis(Node, frozen=True, tag="em", array_like=True):
    children: tuple[Inline, ...]


class Strong(Node, frozen=True, tag="strong", array_like=True):
    children: tuple[Inline, ...]


class Strike(Node, frozen=True, tag="s", array_like=True):
    children: tuple[Inline, ...]


class Link(Node, frozen=True, tag="a", array_like=True):
    """A link; `line` is where its paragraph stands in the file, counted from 1."""

    href: str
    title: str
    children: tuple[Inline, ...]
    line: int


class Picture(Node, frozen=True, tag="img", array_like=True):
    """An image inside the text; `src` and `line` as in Link."""

    src: str
    alt: str
    title: str
    line: int


Inline = Text | Code | Break | Emphasis | Strong | Strike | Link | Picture


class Paragraph(Node, frozen=True, tag="p", array_like=True):
    """A paragraph; `line` is where it begins in the file, 0 where it was not read from one."""

    children: tuple[Inline, ...]
    line: int = 0


class Heading(Node, frozen=True, tag="h", array_like=True):
    """A heading inside a body; `level` 1 to 6 as written, renditions close the gaps."""

    level: int
    children: tuple[Inline, ...]
    line: int


class Quote(Node, frozen=True, tag="quote", array_like=True):
    children: tuple[Block, ...]


class CodeBlock(Node, frozen=True, tag="pre", array_like=True):
    text: str
    language: str


class List(Node, frozen=True, tag="list", array_like=True):
    """A list; `start` is the first number of an ordered one; `is_tight` has no blank lines."""

    is_ordered: bool
    start: int
    is_tight: bool
    items: tuple[tuple[Block, ...], ...]


class Rule(Node, frozen=True, tag="hr", array_like=True):
    """A thematic break."""


Align = Literal["", "left", "center", "right"]


class Table(Node, frozen=True, tag="table", array_like=True):
    """A table: `header` is one row, `rows` are of the same length as `aligns`."""

    aligns: tuple[Align, ...]
    header: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


Block = Paragraph | Heading | Quote | CodeBlock | List | Rule | Table
Blocks = tuple[Block, ...]
