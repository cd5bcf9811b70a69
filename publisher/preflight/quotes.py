"""Quotation marks that never close, in any language's way of writing them.

Not counted: apostrophes and single marks (they are the same characters), inch and second marks
behind a digit, the marks inside Hebrew acronyms. A quotation may go on over several paragraphs,
whether each of them opens anew or only the last one closes.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice, product

import msgspec

_MARK = re.compile('["“”„‟«»「」『』《》〈〉＂〝〞〟]')
_STRAIGHT = '"＂'
# What may stand before a mark that opens and behind one that closes, besides spaces.
_BEFORE = "([{（—–-"
_BEHIND = ".,;:!?)]}。，；：！？）"

# What may close each opening mark; people mix straight and typographic ones.
_CLOSERS = {
    '"': '"”“',
    "＂": "＂”",
    "“": '”"',
    "„": '“”"',
    "‟": "”",
    "”": "”",  # Swedish and Finnish: ”…”
    "«": "»",
    "»": "«»",  # Danish and German »…«, Finnish »…»
    "「": "」",
    "『": "』",
    "《": "》",
    "〈": "〉",
    "〝": "〞〟",
}
# A text with more is a table of measures or no prose at all.
_MAX_MARKS = 1000
# Ways to read the inch marks of one paragraph are tried one by one; above this, they are let be.
_MAX_INCHES = 5


class Unpaired(msgspec.Struct, frozen=True):
    """Marks without a partner in one text: where they stand."""

    openers: tuple[int, ...]
    closers: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.openers or self.closers)


def find_unpaired(texts: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Give the index of each text with a mark that has no partner, and the words around the mark.

    `texts` are paragraphs that follow one another. One mark is named for each text.
    """
    paragraphs = list(texts)
    found = [pair_up(text) if _MARK.search(text) else Unpaired((), ()) for text in paragraphs]
    balance = _carry(paragraphs, found)
    for index, (text, unpaired) in enumerate(zip(paragraphs, found, strict=True)):
        if index in balance and unpaired:
            yield index, _around(text, (*unpaired.openers, *unpaired.closers)[0])


def _carry(texts: list[str], found: list[Unpaired]) -> set[int]:
    """The texts whose marks have no partner, once quotations over several texts are let be."""
    wrong: set[int] = set()
    waiting: list[int] = []
    for index, unpaired in enumerate(found):
        for _ in unpaired.closers:
            if waiting:
                waiting.pop()
            else:
                wrong.add(index)
        following = texts[index + 1].lstrip() if index + 1 < len(texts) else ""
        if len(unpaired.openers) == 1 and following[:1] == texts[index][unpaired.openers[0]]:
            continue  # the next paragraph opens the same quotation anew
        waiting += [index] * len(unpaired.openers)
    return wrong | set(waiting)


def pair_up(text: str) -> Unpaired:
    """Find the marks of one text that no reading of its inch marks gives a partner."""
    found = list(islice(_MARK.finditer(text), _MAX_MARKS + 1))
    marks = [(m.start(), m[0]) for m in found if not _is_acronym(text, m.start())]
    inches = [place for place, mark in marks if mark in '"”' and text[place - 1 : place].isdigit()]
    if len(inches) > _MAX_INCHES or len(found) > _MAX_MARKS:
        return Unpaired((), ())
    first = None
    for choice in product((False, True), repeat=len(inches)):
        ignored = {place for place, is_inch in zip(inches, choice, strict=True) if is_inch}
        unpaired = _match(text, [mark for mark in marks if mark[0] not in ignored])
        if not unpaired:
            return unpaired
        first = first or unpaired
    return first or Unpaired((), ())


def _match(text: str, marks: list[tuple[int, str]]) -> Unpaired:
    stack: list[tuple[int, str]] = []
    closers: list[int] = []
    for place, mark in marks:
        if stack and mark in _CLOSERS[stack[-1][1]] and not _opens(text, place, mark):
            stack.pop()
        elif mark in _CLOSERS and (mark not in '"＂”»' or not _closes(text, place)):
            stack.append((place, mark))
        else:
            closers.append(place)
    return Unpaired(tuple(place for place, _ in stack), tuple(closers))


def _opens(text: str, place: int, mark: str) -> bool:
    """Tell a straight mark that begins a quotation inside another: space before, word behind."""
    if mark not in _STRAIGHT:
        return False
    before, behind = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
    return (not before or before.isspace() or before in _BEFORE) and behind.isalnum()


def _closes(text: str, place: int) -> bool:
    """Tell a mark that can only end a quotation: word before, space or nothing behind."""
    before, behind = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
    is_behind_word = bool(before) and not before.isspace() and before not in _BEFORE
    return is_behind_word and (not behind or behind.isspace() or behind in _BEHIND)


def _is_acronym(text: str, place: int) -> bool:
    """Tell the mark in a Hebrew acronym, between two Hebrew letters."""
    around = text[place - 1 : place] + text[place + 1 : place + 2]
    return len(around) == 2 and all("\u05d0" <= letter <= "\u05ea" for letter in around)


def _around(text: str, place: int) -> str:
    """The mark with the words at it, from a word's beginning where there are spaces."""
    start = max(0, place - 20)
    if start:
        start = text.find(" ", start, place) + 1 or start
    words = " ".join(text[start : place + 40].split())
    return f"{'…' if start else ''}{words}{'…' if place + 40 < len(text) else ''}"
