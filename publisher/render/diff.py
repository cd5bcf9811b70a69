"""What differs between two texts: by words, or by characters where a script has no spaces."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal

import msgspec

Kind = Literal["same", "added", "removed"]

# Comparing takes time by the pairs of like pieces: some 3 µs for each, spaces being most of them.
_MOST_PAIRS = 300_000
# Lines that have less than this in common are two different ones.
_LEAST_ALIKE = 0.4
# Among so many lines from where it stood a line is looked for.
_NEAR = 8
# What is set off from both sides by changes is no help when it is shorter than this.
_SHORT = 3


class Span(msgspec.Struct, frozen=True):
    """A run of text that stands in both, or in one of the two only."""

    kind: Kind
    text: str


Line = tuple[Span, ...]


def compare_lines(old: Sequence[str], new: Sequence[str]) -> tuple[Line, ...]:
    """The lines that differ, each with its spans; a line that is in one only is one span."""
    found: list[Line] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            found += _pair(old[a:b], new[c:d])
    return tuple(found)


def _pair(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    """Lines that came in place of others, each beside the one that it is most like."""
    start = 0
    for before in old:
        near = range(start, min(start + _NEAR, len(new)))
        found = max(near, key=lambda place: _alike(before, new[place]), default=-1)
        if found < 0 or _alike(before, new[found]) < _LEAST_ALIKE:
            yield (Span("removed", before),)
            continue
        yield from ((Span("added", after),) for after in new[start:found])
        yield _compare(before, new[found])
        start = found + 1
    yield from ((Span("added", after),) for after in new[start:])


@lru_cache(maxsize=256)
def _alike(before: str, after: str) -> float:
    """How much of two lines is the same, whatever its order: from 0 to 1."""
    old, new = (Counter(filter(str.strip, split(text))) for text in (before, after))
    return 2 * (old & new).total() / max(1, old.total() + new.total())


def _compare(before: str, after: str) -> Line:
    old, new = split(before), split(after)
    start = _count_shared(old, new)
    end = _count_shared(old[start:][::-1], new[start:][::-1])
    inner_old, inner_new = old[start : len(old) - end], new[start : len(new) - end]
    runs = [("", "".join(inner_old), "".join(inner_new))]
    if _count_pairs(inner_old, inner_new) <= _MOST_PAIRS:
        runs = list(_runs(inner_old, inner_new))
    head, tail = "".join(old[:start]), "".join(old[len(old) - end :])
    return tuple(_join([(head, "", ""), *runs, (tail, "", "")]))


def _count_shared(old: list[str], new: list[str]) -> int:
    """How many pieces are the same from the beginning on."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(old), len(new)))


def _count_pairs(old: list[str], new: list[str]) -> int:
    counts = Counter(new)
    return sum(count * counts[piece] for piece, count in Counter(old).items())


def _runs(old: list[str], new: list[str]) -> Iterator[tuple[str, str, str]]:
    """Runs as (same, removed, added), what is too short to be read apart drawn into changes."""
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for place, (tag, a, b, c, d) in enumerate(codes):
        removed, added = "".join(old[a:b]), "".join(new[c:d])
        is_between = 0 < place < len(codes) - 1
        if tag == "equal" and not (is_between and _is_slight(removed)):
            yield removed, "", ""
        else:
            yield "", removed, added


def _is_slight(text: str) -> bool:
    return len(text) < _SHORT and not any(map(_is_alone, text)) and not text.strip().isalnum()


def _join(runs: Iterable[tuple[str, str, str]]) -> Iterator[Span]:
    """Put changes that touch each other together: first what went, then what came."""
    removed = added = ""
    for same, gone, come in runs:
        removed, added = removed + gone, added + come
        if same:
            yield from _change(removed, added)
            removed = added = ""
            yield Span("same", same)
    yield from _change(removed, added)


def _change(removed: str, added: str) -> Iterator[Span]:
    if removed:
        yield Span("removed", removed)
    if added:
        yield Span("added", added)


def split(text: str) -> list[str]:
    """Split into words, runs of spaces, and single signs; into characters where scripts do not."""
    kinds = [_kind_of(character) for character in text]
    pieces: list[str] = []
    last = ""
    for place, (character, kind) in enumerate(zip(text, kinds, strict=True)):
        if character in _WITHIN and last == "word" and kinds[place + 1 : place + 2] == ["word"]:
            kind = "word"
        if pieces and (kind == "mark" or (kind == last and kind != "alone")):
            pieces[-1] += character
        else:
            pieces.append(character)
            last = kind
    return pieces


# What may stand within a number or a word.
_WITHIN = frozenset(",.:'’٫٬")


def _kind_of(character: str) -> str:
    if character.isspace():
        return "space"
    if _is_alone(character):
        return "alone"
    category = unicodedata.category(character)
    if category[0] == "M" or category == "Cf":
        return "mark"  # belongs to what it stands on
    return "alone" if category[0] in "PS" else "word"


# Scripts that write without spaces between words: Thai to Lao, Myanmar, Khmer, Kana and Han.
_UNSPACED = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x312F), (0x31A0, 0xA4CF)),
    *((0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFF9F), (0x1B000, 0x1B16F), (0x20000, 0x3FFFF)),
)


def _is_alone(character: str) -> bool:
    code = ord(character)
    if code < _UNSPACED[0][0] or unicodedata.category(character)[0] == "M":
        return False
    return any(first <= code <= last for first, last in _UNSPACED)
