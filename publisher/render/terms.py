"""Text -> the terms by which it is found: one rule for what is indexed and for what is asked.

`templates/pages/search.js` has the same rules for sites without the server; a test holds the two
together, character by character.
"""

import re
import unicodedata
from collections.abc import Iterator

# Marks that people leave out when they type: accents of Latin, Greek and Cyrillic, Hebrew points,
# Arabic vowel signs and the tatweel, variation selectors. The vowel signs of Indic scripts stay.
_LEFT_OUT = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u08d3-\u08ff\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]"
)
# Letters that no decomposition makes plain: Latin ones, the final sigma, and the forms in which
# Arabic, Persian and Urdu keyboards write the same letter.
_PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l"}
    | {"þ": "th", "ς": "σ", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ہ": "ه", "ە": "ه"}
    | {chr(first + n): str(n) for first in (0x0660, 0x06F0) for n in range(10)}
)
# Scripts that set no space between words, or set it elsewhere than readers look for words: Thai to
# Tibetan, Burmese, Khmer, Chinese, Japanese, Korean. Each character is a term of its own, and a
# run of them is asked for as a phrase.
_UNSPACED = (
    *((0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x3005, 0x31FF)),
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF)),
    (0x20000, 0x3FFFF),
)
# Arabic's article, alone or joined to "and", "so", "by", "like", "for": no part of the word.
_ARTICLE = re.compile(r"(?<!\S)(?:[وفبك]?ال|لل)(?=\S{3})")


class _Folded(dict[int, str]):
    """Each character as it is searched for; worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = "".join(map(_place, _fold(chr(code))))
        return folded


def _fold(character: str) -> str:
    if unicodedata.category(character) == "Cf":  # joiners, soft hyphens, what turns a line round
        return ""
    lower = unicodedata.normalize("NFKD", character).lower()
    bare = _LEFT_OUT.sub("", unicodedata.normalize("NFKD", lower))
    return unicodedata.normalize("NFC", bare.translate(_PLAIN))


def _place(character: str) -> str:
    """Set a character among its neighbours: in a word, alone, or as what parts words."""
    if unicodedata.category(character)[0] not in "LMN":
        return " "
    return f" {character} " if is_unspaced(character) else character


_FOLDED = _Folded()


def is_unspaced(term: str) -> bool:
    """Tell whether a term is one character of a script without spaces."""
    code = ord(term[0])
    return code >= _UNSPACED[0][0] and any(first <= code <= last for first, last in _UNSPACED)


def make_terms(text: str) -> list[str]:
    """The terms of a text in their order. None of them has a space or ASCII punctuation."""
    folded = unicodedata.normalize("NFKC", text).translate(_FOLDED)
    return _ARTICLE.sub("", folded).split() if "ل" in folded else folded.split()


def find_terms(text: str) -> Iterator[tuple[str, int, int]]:
    """The terms of a text with their places: from where to where in it."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        some = character.translate(_FOLDED)
        folded.append(some)
        places += [place] * len(some)
    for match in re.finditer(r"\S+", "".join(folded)):
        term = _ARTICLE.sub("", match[0])
        yield term, places[match.start()], places[match.end() - 1] + 1
