"""Blocks -> plain text: made from the model, so that its words are the editor's very own.

Nothing is put into a paragraph: what its links point to stands behind the text, not within it.
"""

from itertools import chain, repeat
from operator import add

import msgspec
from jinja2 import Environment

from publisher.model import content as c
from publisher.render.html import Target, join_lines
from publisher.render.views import HighlightView, IssueView, Opening, Setting
from publisher.render.wrap import WIDTH, count_columns, wrap

TEMPLATE = "email/message"

# Deeply nested lists and quotes keep this many columns for their words.
_LEAST_WIDTH = 24
_GAP = "  "
_RULE = "* * *"


class TextBody(msgspec.Struct, frozen=True):
    """A body in wrapped lines, and its links: the words of each and its absolute URL."""

    text: str
    links: tuple[tuple[str, str], ...]


class Targets(msgspec.Struct, frozen=True):
    """Where the links of an issue's own words lead, and those of each of its highlights."""

    issue: Target
    highlights: tuple[Target, ...]


class Section(msgspec.Struct, frozen=True):
    """What the text part's template sees of a highlight: its view, and its body as text."""

    highlight: HighlightView
    body: TextBody


def render_text(
    issue: IssueView,
    introduction: c.Blocks,
    bodies: tuple[c.Blocks, ...],
    setting: Setting,
    targets: Targets,
    unsubscribe_url: str,
    templates: Environment,
    opening: Opening | None = None,
) -> str:
    """Render the message's plain-text part through its template, `email/message.txt`.

    With an opening it is that one's.

    `bodies` are what the message shows of each highlight, in the order of `issue.highlights`.
    """
    template = opening.template if opening else TEMPLATE
    return templates.get_template(f"{template}.txt").render(
        **({opening.name: opening} if opening else {}),
        issue=issue,
        introduction=write_text(introduction, targets.issue),
        sections=tuple(
            Section(highlight, write_text(body, target))
            for highlight, body, target in zip(
                issue.highlights, bodies, targets.highlights, strict=True
            )
        ),
        publication=setting.publication,
        postal_address=setting.postal_address,
        unsubscribe_url=unsubscribe_url,
        words=setting.words(issue.language),
        wrap=wrap,
        underline=underline,
        width=WIDTH,
    )


def underline(text: str, stroke: str = "-") -> str:
    """Wrap a heading and draw a line of the same length under it."""
    lines = wrap(text).split("\n")
    return "\n".join([*lines, stroke * _longest(lines)])


def _longest(lines: list[str]) -> int:
    return min(max(map(count_columns, lines)), WIDTH)


def write_text(blocks: c.Blocks, target: Target, width: int = WIDTH) -> TextBody:
    """Write blocks as lines of at most `width` columns, an empty line between them."""
    writer = _Writer(target)
    lines = writer.blocks(blocks, width)
    return TextBody("\n".join(lines), tuple(dict.fromkeys(writer.links)))


class _Writer:
    def __init__(self, target: Target) -> None:
        self.target = target
        self.links: list[tuple[str, str]] = []

    def blocks(self, blocks: c.Blocks, width: int, *, is_tight: bool = False) -> list[str]:
        lines: list[str] = []
        for block in blocks:
            written = self.block(block, max(width, _LEAST_WIDTH))
            if lines and written and not is_tight:
                lines.append("")
            lines += written
        return lines

    def block(self, block: c.Block, width: int) -> list[str]:
        match block:
            case c.Paragraph(children):
                return self.wrapped(children, width)
            case c.Heading(_, children):
                title = self.wrapped(children, width)
                return [*title, "-" * _longest(title)]
            case c.Quote(children):
                lines = self.blocks(children, width - 2)
                return [f"> {line}".rstrip() for line in lines]
            case c.CodeBlock(text):
                return [f"    {line}".rstrip() for line in text.split("\n")]
            case c.List():
                return self.items(block, width)
            case c.Rule():
                return [_RULE]
            case c.Table():
                return self.table(block, width)

    def items(self, block: c.List, width: int) -> list[str]:
        markers = _markers(block)
        indent = max(map(len, markers), default=0)
        lines: list[str] = []
        for marker, item in zip(markers, block.items, strict=True):
            if lines and not block.is_tight:
                lines.append("")
            inner = self.blocks(item, width - indent, is_tight=block.is_tight) or [""]
            starts = chain([marker.rjust(indent)], repeat(" " * indent))
            lines += [(start + line).rstrip() for start, line in zip(starts, inner, strict=False)]
        return lines

    def table(self, block: c.Table, width: int) -> list[str]:
        rows = [
            [self.words(cell).replace("\n", " ") for cell in row]
            for row in (block.header, *block.rows)
        ]
        columns = [max(map(count_columns, column)) for column in zip(*rows, strict=True)]
        if sum(columns) + len(_GAP) * (len(columns) - 1) > width:
            return self.records(rows, width)
        return [
            _GAP.join(map(_pad, row, columns, block.aligns)).rstrip()
            for row in (rows[0], ["-" * size for size in columns], *rows[1:])
        ]

    def records(self, rows: list[list[str]], width: int) -> list[str]:
        """Write a table that is too wide row by row, each cell behind its column's heading."""
        labels = [f"{heading}: " if heading else "" for heading in rows[0]]
        records = [list(map(add, labels, row)) for row in rows[1:]] or [rows[0]]
        lines: list[str] = []
        for record in records:
            if lines:
                lines.append("")
            for cell in record:
                lines += wrap(cell, width, rest=_GAP).split("\n")
        return lines

    def wrapped(self, children: tuple[c.Inline, ...], width: int) -> list[str]:
        return wrap(self.words(children), width).split("\n")

    def words(self, children: tuple[c.Inline, ...]) -> str:
        return "".join(map(self.inline, join_lines(children)))

    def inline(self, node: c.Inline) -> str:
        match node:
            case c.Text(text) | c.Code(text):
                return text.replace("\n", " ")
            case c.Break(is_hard):
                return "\n" if is_hard else " "
            case c.Picture(alt=alt):
                return f"[{alt}]" if alt else ""
            case c.Link(href, _, children):
                return self.link(href, self.words(children))
            case _:
                return self.words(node.children)

    def link(self, href: str, text: str) -> str:
        url = self.target.link(href)
        # A URL or an address that the reader sees anyway is not said twice.
        if url and text not in (href, href.removeprefix("mailto:")):
            self.links.append((" ".join(text.split("\n")), url))
        return text


def _markers(block: c.List) -> list[str]:
    if not block.is_ordered:
        return ["- "] * len(block.items)
    return [f"{number}. " for number in range(block.start, block.start + len(block.items))]


def _pad(text: str, columns: int, align: c.Align) -> str:
    room = columns - count_columns(text)
    if align == "right":
        return " " * room + text
    if align == "center":
        return " " * (room // 2) + text + " " * (room - room // 2)
    return text + " " * room
