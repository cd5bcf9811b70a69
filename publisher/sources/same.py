"""Whether two titles tell of the same thing: judged so that hardly ever two things become one.

Titles that differ in a word on both sides are two stories, however long they are ("court blocks",
"court allows"): no measure of similarity parts those from one story in two wordings. So it is one
story only where one title says all that the other says, in its order or with its two halves turned
round, the same numbers, and no "not" besides. Measured on the labelled pairs of tests/sources.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from publisher.render.terms import is_unspaced, make_terms

# The longer title says this much at most besides: the shorter has so large a share of its words.
_LEAST_SHARE = 0.6
# Shorter ones are names of columns: "Morning briefing", "Letters to the editor".
_LEAST_WEIGHT = 4.0
# Two Chinese characters are about a word.
_CHARACTER_WEIGHT = 0.5
# What is left out or put in without saying anything else.
_FILLING = frozenset(
    (
        *("a", "an", "the", "of", "in", "on", "at", "to", "for", "by", "and", "is", "are", "was"),
        *("has", "with", "as", "its", "s", "der", "die", "das", "den", "dem", "ein", "eine", "und"),
        *("von", "zu", "im", "am", "auf", "le", "la", "les", "l", "un", "une", "des", "du", "de"),
        *("d", "et", "au", "el", "los", "las", "una", "del", "y", "en"),
    )
)
_NOT = frozenset(
    (
        *("not", "no", "never", "without", "kein", "keine", "keinen", "nicht", "ohne", "ne", "pas"),
        *("sans", "sin", "nie", "не", "ни", "нет", "без", "لا", "لم", "لن", "ليس", "دون", "بدون"),
        *("不", "未", "没", "沒", "无", "無", "非", "勿"),
    )
)
# Titles have fewer; each is compared with each turn of another.
_MOST_TERMS = 40
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


class Wording(msgspec.Struct, frozen=True):
    """A title's terms that say something, in their order, and the numbers as they are written.

    `known` are the terms again, for a quick look; `weight` is how much they say.
    """

    terms: tuple[str, ...]
    numbers: tuple[str, ...]
    known: frozenset[str]
    weight: float


def read_wording(title: str) -> Wording:
    terms = tuple(each for each in make_terms(title) if each not in _FILLING)[:_MOST_TERMS]
    weight = sum(_CHARACTER_WEIGHT if is_unspaced(each) else 1.0 for each in terms)
    return Wording(terms, tuple(_NUMBER.findall(title)), frozenset(terms), weight)


def is_same_story(one: Wording, other: Wording) -> bool:
    """Tell whether two titles surely tell of one thing."""
    short, long = (one, other) if len(one.terms) <= len(other.terms) else (other, one)
    # First what most pairs of titles fail at.
    if not short.known <= long.known:
        return False
    if short.weight < max(_LEAST_WEIGHT, _LEAST_SHARE * long.weight):
        return False
    if one.numbers and other.numbers and one.numbers != other.numbers:
        return False
    some, all_ = Counter(short.terms), Counter(long.terms)
    if some - all_ or (all_ - some).keys() & _NOT:
        return False
    return any(_is_within(turned, long.terms) for turned in _turn(short.terms))


def _turn(terms: Sequence[str]) -> Iterator[Sequence[str]]:
    """The terms as they stand, and with their two halves turned round, wherever they part."""
    yield terms
    for place in range(1, len(terms)):
        yield (*terms[place:], *terms[:place])


def _is_within(terms: Iterable[str], others: Iterable[str]) -> bool:
    rest = iter(others)
    return all(term in rest for term in terms)


class Stories:
    """Titles that are known, and the one among them that tells of the same thing as another.

    Of two such titles, the shorter one's rarest term is in both: only what shares that is compared.
    """

    def __init__(self, wordings: Iterable[Wording]) -> None:
        """`wordings` are all that will be asked for, by which it is told what is rare."""
        self._counts = Counter(term for each in wordings for term in each.known)
        self._wordings: list[Wording] = []
        self._by_term: dict[str, list[int]] = {}
        self._by_rarest: dict[str, list[int]] = {}

    def find(self, wording: Wording) -> int | None:
        """The place of the first that is known."""
        if not wording.terms:
            return None
        places = set(self._by_term.get(self._find_rarest(wording), ()))
        for term in wording.known:
            places.update(self._by_rarest.get(term, ()))
        found = (at for at in sorted(places) if is_same_story(self._wordings[at], wording))
        return next(found, None)

    def add(self, wording: Wording) -> None:
        place = len(self._wordings)
        self._wordings.append(wording)
        if wording.terms:
            self._by_rarest.setdefault(self._find_rarest(wording), []).append(place)
        for term in wording.known:
            self._by_term.setdefault(term, []).append(place)

    def _find_rarest(self, wording: Wording) -> str:
        return min(wording.terms, key=lambda term: (self._counts[term], term))
