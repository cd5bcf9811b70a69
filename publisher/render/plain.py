"""Blocks -> all their words as one line of plain text, for searching."""

from collections.abc import Iterator

from publisher.model import content as c
from publisher.render.html import join_lines


def plain_text(blocks: c.Blocks, enough: int | None = None) -> str:
    """Give the words of blocks, with one space between what stands on lines of its own.

    What follows once there are `enough` characters may be left out.
    """
    lines: list[str] = []
    for line in _lines(blocks):
        if enough is not None and enough <= 0:
            break
        lines.append(line)
        enough = None if enough is None else enough - len(line)
    return " ".join(" ".join(lines).split())


def _lines(blocks: c.Blocks) -> Iterator[str]:
    for block in blocks:
        match block:
            case c.Paragraph(children) | c.Heading(children=children):
                yield "".join(_texts(children))
            case c.Quote(children):
                yield from _lines(children)
            case c.CodeBlock(text):
                yield text
            case c.List(items=items):
                for item in items:
                    yield from _lines(item)
            case c.Table(header=header, rows=rows):
                for row in (header, *rows):
                    yield from ("".join(_texts(cell)) for cell in row)
            case c.Rule():
                continue


def _texts(children: tuple[c.Inline, ...]) -> Iterator[str]:
    for node in join_lines(children):
        match node:
            case c.Text(text) | c.Code(text) | c.Picture(alt=text):
                yield text
            case c.Break():
                yield " "
            case _:
                yield from _texts(node.children)
