"""Blocks -> one line of plain text, for lists, descriptions and previews."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from publisher.model import content as c
from publisher.render.html import join_lines

# Where a sentence may end; the full-width ones need no space behind them.
_STOPS = ".!?…؟。！？"
# A cut at a sentence's end is worth losing this share of the room for.
_LEAST_SHARE = 0.6


# A highlight's page, its message and its entries follow each other, and all of them ask.
@lru_cache(maxsize=64)
def excerpt(blocks: c.Blocks, limit: int = 200) -> str:
    """Give the first paragraph's words, at most `limit` characters, cut where a reader would.

    The cut falls behind a sentence, else between words with an ellipsis, else (Chinese, Japanese)
    between characters. Empty where the blocks hold no text.
    """
    return shorten(_read_first(blocks), limit)


@lru_cache(maxsize=64)
def _read_first(blocks: c.Blocks) -> str:
    """The words of the first paragraph that has any, in one line."""
    lines = (" ".join("".join(_texts(block.children)).split()) for block in _paragraphs(blocks))
    return next(filter(None, lines), "")


def shorten(text: str, limit: int) -> str:
    """Cut a line of text to at most `limit` characters, the ellipsis included."""
    if len(text) <= limit:
        return text
    least = int(limit * _LEAST_SHARE)
    for end in range(limit - 1, least - 1, -1):
        if text[end] in _STOPS and _ends_sentence(text, end):
            return text[: end + 1]
    room = text[:limit]
    space = room.rfind(" ")
    if space > least:
        return room[:space].rstrip(" ,;:-–—、，；：") + "…"
    return _without_half(text, limit - 1) + "…"


def _ends_sentence(text: str, end: int) -> bool:
    """Tell a sentence's end from an abbreviation's ("Prof.", "U.S."): the word is longer."""
    if text[end] > "\u2e7f":
        return True
    return text[end + 1 : end + 2].isspace() and len(text[:end].rsplit(maxsplit=1)[-1]) > 4


def _without_half(text: str, end: int) -> str:
    """Cut at `end` or before it, never in front of a mark that joins what stands before it."""
    while end > 1 and (_is_joining(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    return text[:end]


def _is_joining(character: str) -> bool:
    return (
        unicodedata.combining(character) != 0
        or unicodedata.category(character) in ("Mn", "Me", "Mc")
        or character in "\u200d\ufe0e\ufe0f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _paragraphs(blocks: c.Blocks) -> Iterator[c.Paragraph]:
    for block in blocks:
        match block:
            case c.Paragraph():
                yield block
            case c.Quote(children):
                yield from _paragraphs(children)
            case c.List(items=items):
                for item in items:
                    yield from _paragraphs(item)


def _texts(children: tuple[c.Inline, ...]) -> Iterator[str]:
    for node in join_lines(children):
        match node:
            case c.Text(text) | c.Code(text):
                yield text
            case c.Break():
                yield " "
            case c.Picture():
                continue
            case _:
                yield from _texts(node.children)
