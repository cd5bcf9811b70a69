"""What somebody typed into the search field -> what is wanted, whatever they typed.

Words are wanted all together; "words in quotes" stand next to each other; -word must not occur; the
last word may be the beginning of one.
"""

import re

import msgspec

from publisher.render.terms import is_unspaced, make_terms

# More than anybody types, and little enough to be looked for in a moment.
MOST_CHARACTERS = 200
_MOST_PHRASES = 16
# One letter begins too many words.
_SHORTEST_PREFIX = 2

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»「」『』＂", '"'))
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# A minus counts only before a word, not within one.
_PART = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')


class Phrase(msgspec.Struct, frozen=True):
    """Terms that stand next to each other; `is_open` where the last is a beginning only."""

    terms: tuple[str, ...]
    is_open: bool = False


class Query(msgspec.Struct, frozen=True):
    """What must be there, all of it, and what must not. Nothing wanted is nothing found."""

    wanted: tuple[Phrase, ...] = ()
    excluded: tuple[Phrase, ...] = ()


def clean_query(text: str) -> str:
    """A query on one line, without what nobody types, cut to what is looked for."""
    return " ".join(_CONTROLS.sub(" ", text[: 10 * MOST_CHARACTERS]).split())[:MOST_CHARACTERS]


def parse_query(text: str) -> Query:
    """Read a query. Every text is one; there are no errors."""
    wanted: list[Phrase] = []
    excluded: list[Phrase] = []
    is_open = False
    for minus, quoted, word in _PART.findall(text[:MOST_CHARACTERS].translate(_QUOTES)):
        if terms := tuple(make_terms(quoted or word)):
            (excluded if minus else wanted).append(Phrase(terms))
            is_open = not minus and bool(word) and _is_beginning(terms[-1])
    if is_open:
        wanted[-1] = Phrase(wanted[-1].terms, is_open=True)
    return Query(tuple(wanted[:_MOST_PHRASES]), tuple(excluded[:_MOST_PHRASES]))


def _is_beginning(term: str) -> bool:
    """Tell whether a last term may be the beginning of a longer one."""
    return len(term) >= _SHORTEST_PREFIX and not is_unspaced(term)
