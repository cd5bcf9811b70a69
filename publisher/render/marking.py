"""Where a text has what was asked for: marked, and cut to the lines around it."""

from collections.abc import Iterator, Sequence

import msgspec

from publisher.render.query import Phrase, Query
from publisher.render.terms import find_terms

# Some two lines of a page.
_SHOWN = 240
# What stands before a hit makes sense of it.
_BEFORE = 60
# Room in which a cut is put between words.
_WORD = 24

Span = tuple[int, int]


class Part(msgspec.Struct, frozen=True):
    """A part of a text; `is_hit` where it is what was asked for."""

    text: str
    is_hit: bool


def mark(text: str, query: Query) -> tuple[Part, ...]:
    """Part a text where it has what was asked for."""
    return tuple(_part(text, find_hits(text, query), 0, len(text)))


def excerpt_hits(text: str, query: Query) -> tuple[Part, ...]:
    """The lines around a text's first hit, marked; its beginning where it has none."""
    hits = find_hits(text, query)
    start = _cut_before(text, hits[0][0] - _BEFORE) if hits else 0
    end = _cut_behind(text, start + _SHOWN)
    parts = list(_part(text, hits, start, end))
    if start:
        parts.insert(0, Part("…", False))
    if end < len(text):
        parts.append(Part("…", False))
    return tuple(parts)


def find_hits(text: str, query: Query) -> list[Span]:
    """Where a text has what is wanted, in order, what touches taken together."""
    places = list(find_terms(text))
    terms = [term for term, _, _ in places]
    found = sorted(
        (places[at][1], places[at + len(phrase.terms) - 1][2])
        for phrase in query.wanted
        for at in _find_phrase(terms, phrase)
    )
    joined: list[Span] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            start, end = joined[-1][0], max(joined.pop()[1], end)
        joined.append((start, end))
    return joined


def _find_phrase(terms: Sequence[str], phrase: Phrase) -> Iterator[int]:
    *whole, last = phrase.terms
    size = len(whole)
    for at in range(len(terms) - size):
        end = terms[at + size]
        is_last = end.startswith(last) if phrase.is_open else end == last
        if is_last and list(terms[at : at + size]) == whole:
            yield at


def _part(text: str, hits: Sequence[Span], start: int, end: int) -> Iterator[Part]:
    for first, last in hits:
        first, last = max(first, start), min(last, end)
        if first >= last:
            continue
        if start < first:
            yield Part(text[start:first], False)
        yield Part(text[first:last], True)
        start = last
    if start < end:
        yield Part(text[start:end], False)


def _cut_before(text: str, at: int) -> int:
    """A place to begin at, behind a space where one is near."""
    if at <= 0:
        return 0
    space = text.find(" ", at, at + _WORD)
    return space + 1 if space >= 0 else at


def _cut_behind(text: str, at: int) -> int:
    if at >= len(text):
        return len(text)
    space = text.rfind(" ", at - _WORD, at)
    return space if space >= 0 else at
