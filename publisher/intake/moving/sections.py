"""A post's blocks -> an introduction and sections: what will be an issue's highlights."""

from collections import Counter
from unicodedata import normalize

import msgspec

from publisher.intake.blocks import plain_text
from publisher.intake.markdown import first_link
from publisher.model import content as c

# In our Markdown the second level is a highlight's own.
_HIGHEST = 3


class Section(msgspec.Struct, frozen=True):
    """A heading's words, where it leads to, and what stands below."""

    title: str
    url: str
    body: c.Blocks


def split_sections(blocks: c.Blocks, title: str) -> tuple[c.Blocks, tuple[Section, ...]]:
    """The introduction, and a section for each heading of the level that repeats.

    A post in which no level repeats is one section of its title, without an introduction.
    """
    blocks = _without_title(blocks, title)
    counts = Counter(block.level for block in blocks if isinstance(block, c.Heading))
    level = min((level for level, count in counts.items() if count > 1), default=0)
    if not level:
        highest = min(counts, default=_HIGHEST)
        return (), (Section(title, "", _shift(blocks, highest - 1)),)
    starts = [i for i, b in enumerate(blocks) if isinstance(b, c.Heading) and b.level == level]
    sections = [
        _section(blocks[start], _shift(blocks[start + 1 : end], level))
        for start, end in zip(starts, [*starts[1:], len(blocks)], strict=True)
    ]
    return _shift(blocks[: starts[0]], level), tuple(sections)


def _section(heading: c.Block, body: c.Blocks) -> Section:
    assert isinstance(heading, c.Heading)  # noqa: S101 - the only caller looked
    title = " ".join(plain_text(heading.children).split())
    pictures = tuple(_pictures(heading.children))
    if pictures:
        body = (c.Paragraph(pictures), *body)
    return Section(title, first_link(heading.children), body)


def _pictures(nodes: tuple[c.Inline, ...]) -> list[c.Inline]:
    found: list[c.Inline] = []
    for node in nodes:
        if isinstance(node, c.Picture):
            found.append(node)
        elif isinstance(node, c.Emphasis | c.Strong | c.Strike | c.Link):
            found += _pictures(node.children)
    return found


def _without_title(blocks: c.Blocks, title: str) -> c.Blocks:
    """Mails and pages begin with their own title, which an issue has already."""
    for place, block in enumerate(blocks):
        if isinstance(block, c.Heading):
            if _key(plain_text(block.children)) == _key(title):
                return (*blocks[:place], *blocks[place + 1 :])
            return blocks
        if not isinstance(block, c.Paragraph) or place > 2:
            return blocks
    return blocks


def _key(title: str) -> str:
    return "".join(normalize("NFKC", title).casefold().split())


def _shift(blocks: c.Blocks, level: int) -> c.Blocks:
    """Put headings below the highlight's; those in lists and quotations with them."""
    return tuple(_shift_block(block, level) for block in blocks)


def _shift_block(block: c.Block, level: int) -> c.Block:
    match block:
        case c.Heading(found, children, line):
            return c.Heading(min(6, max(_HIGHEST, found - level + 2)), children, line)
        case c.Quote(children):
            return c.Quote(_shift(children, level))
        case c.List(is_ordered, start, is_tight, items):
            shifted = tuple(_shift(item, level) for item in items)
            return c.List(is_ordered, start, is_tight, shifted)
    return block
