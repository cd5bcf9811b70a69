"""A title -> the lines of a picture: where each may break, and how large its letters can be."""

import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

# What must not begin a line in Chinese and Japanese (kinsoku; CLREQ, section 3.1.1), and what must
# not end one.
_CLOSING = frozenset(
    "、。，．：；？！）」』】》〉〕］｝〗〙”’…‥—～·・ーゝゞ々ぁぃぅぇぉっゃゅょァィゥェォッャュョ%％°℃"
)
_OPENING = frozenset("（「『【《〈〔［｛〖〘“‘")
_ELLIPSIS = "…"


class Size(msgspec.Struct, frozen=True):
    """Letters of a size, and so many lines of it at most."""

    pixels: int
    lines: int


class _Unit(NamedTuple):
    """What stays together, its width, and without the space behind it, which takes no room at a
    line's end.
    """

    text: str
    width: float
    bare: float


class Fitted(msgspec.Struct, frozen=True):
    """A text as it fits: the letters' size in pixels, and its lines."""

    pixels: int
    lines: tuple[str, ...]


def fit(text: str, room: int, sizes: tuple[Size, ...], measure: Callable[[str], float]) -> Fitted:
    """Set a text in the largest size that has room for it, in lines of about the same length.

    `room` is in pixels; `measure` gives a text's width in letters of one pixel. What does not fit
    the smallest size ends with an ellipsis.
    """
    units = [
        _Unit(unit, measure(unit), measure(unit.rstrip()))
        for unit in split_units(text, measure, room / sizes[-1].pixels)
    ]
    widest = max((unit.width for unit in units), default=0)
    for size in sizes:
        lines = _break_lines(units, room / size.pixels)
        if len(lines) <= size.lines and widest <= room / size.pixels:
            return Fitted(size.pixels, _balance(units, room / size.pixels, lines))
    smallest = sizes[-1]
    kept = lines[: smallest.lines]
    kept[-1] = _cut(kept[-1], room / smallest.pixels, measure)
    return Fitted(smallest.pixels, tuple(kept))


def split_units(text: str, measure: Callable[[str], float], most: float) -> Iterator[str]:
    """Split a text into what stays together: words with the space behind them, single ideographs.

    Closing punctuation stays with what is before it, opening with what follows. A word that is
    wider than `most` is split between characters.
    """
    unit = ""
    for character in text:
        if unit and _may_break(unit[-1], character):
            yield from _split_wide(unit, measure, most)
            unit = ""
        unit += character
    if unit:
        yield from _split_wide(unit, measure, most)


def _may_break(before: str, after: str) -> bool:
    if after.isspace() or after in _CLOSING or before in _OPENING or _is_joining(after):
        return False
    if before.isspace():
        return True
    if before in "-–—/":
        return after.isalpha()
    return _is_wide(before) or _is_wide(after)


def _is_wide(character: str) -> bool:
    """Tell an ideograph, a kana or full-width punctuation; Hangul is written with spaces."""
    is_hangul = "\uac00" <= character <= "\ud7a3"
    return unicodedata.east_asian_width(character) in "WF" and not is_hangul


def _is_joining(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or character in "\u200c\u200d\u2060\u00a0"


def _split_wide(unit: str, measure: Callable[[str], float], most: float) -> Iterator[str]:
    if len(unit) == 1 or measure(unit) <= most:
        yield unit
        return
    part = ""
    for character in unit:
        if part and not _is_joining(character) and measure(part + character) > most:
            yield part
            part = ""
        part += character
    yield part


def _break_lines(units: list[_Unit], room: float) -> list[str]:
    lines: list[str] = []
    line, used = "", 0.0
    for unit in units:
        if line and used + unit.bare > room:
            lines.append(line.rstrip())
            line, used = "", 0.0
        line += unit.text
        used += unit.width
    return [*lines, line.rstrip()]


def _balance(units: list[_Unit], room: float, lines: list[str]) -> tuple[str, ...]:
    """Make the lines about as long as each other, without one more of them."""
    narrow, wide = room / 2, room
    for _ in range(5):
        middle = (narrow + wide) / 2
        tried = _break_lines(units, middle)
        is_kept = len(tried) == len(lines) and max(unit.width for unit in units) <= middle
        narrow, wide, lines = (narrow, middle, tried) if is_kept else (middle, wide, lines)
    return tuple(lines)


def _cut(line: str, room: float, measure: Callable[[str], float]) -> str:
    while line and measure(line + _ELLIPSIS) > room:
        line = line[:-1].rstrip()
    while line and (line[-1] in _CLOSING or line[-1] in _OPENING or _is_joining(line[-1])):
        line = line[:-1]
    return line + _ELLIPSIS
