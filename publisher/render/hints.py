"""Break hints: invisible characters where a long word in a table's cell may be broken.

On a phone, a table is as narrow as its longest words are long, and would widen the message. To
allow breaks everywhere would tear short words apart, since browsers then share the width among
columns by the length of their whole text.
"""

import re

import msgspec

from publisher.model import content as c

_Inlines = tuple[c.Inline, ...]

_HINT = "\u200b"
# What a table has on the narrowest phone, a cell's padding and an average character, in pixels.
_PHONE_WIDTH, _PADDING, _CHARACTER = 320, 16, 8


def hint_tables(blocks: c.Blocks) -> c.Blocks:
    """Put break hints into the words of tables that are too long for their column on a phone."""
    return tuple(map(_hint_block, blocks))


def _hint_block(block: c.Block) -> c.Block:
    match block:
        case c.Table():
            return _hint_table(block)
        case c.Quote(children):
            return c.Quote(hint_tables(children))
        case c.List(items=items):
            return msgspec.structs.replace(block, items=tuple(map(hint_tables, items)))
    return block


def _hint_table(table: c.Table) -> c.Table:
    room = (_PHONE_WIDTH // max(len(table.header), 1) - _PADDING) // _CHARACTER
    room = max(room, 3)
    long_word = re.compile(rf"\S{{{room}}}(?=\S)")
    return msgspec.structs.replace(
        table,
        header=tuple(_hint_inlines(cell, long_word) for cell in table.header),
        rows=tuple(tuple(_hint_inlines(cell, long_word) for cell in row) for row in table.rows),
    )


def _hint_inlines(nodes: _Inlines, long_word: re.Pattern[str]) -> _Inlines:
    return tuple(_hint_inline(node, long_word) for node in nodes)


def _hint_inline(node: c.Inline, long_word: re.Pattern[str]) -> c.Inline:
    match node:
        case c.Text(text) | c.Code(text):
            return msgspec.structs.replace(node, text=long_word.sub(rf"\g<0>{_HINT}", text))
        case c.Break() | c.Picture():
            return node
        case _:
            return msgspec.structs.replace(node, children=_hint_inlines(node.children, long_word))
