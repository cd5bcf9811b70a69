"""Plain text in lines of limited width, counted in terminal columns.

A line ends at a space, or between Chinese or Japanese characters where their punctuation allows it
(a small part of UAX #14). Words and URLs are never broken, so a line may be longer.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

WIDTH = 72

# Not the no-break and other spaces that `str.split` would take for spaces: an editor means them.
_TO_SPACES = str.maketrans("\t\r\f\v", "    ")
_WORD = re.compile(r"[^ \t\r\f\v]+")
# Where east_asian_width may be W or F: a quick look before a close one.
_WIDE = re.compile(r"[\u1100-\u115f\u231a-\u303f\u3041-\ua4cf\ua960-\ua97f\uac00-\U0003ffff]")
# A URL ends where Chinese punctuation begins, since Chinese leaves no space after it.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s、。！（），：；？《》「」『』【】〈〉“”‘’…—]+")
# Characters that must not begin a line, or end one: by category, and those it does not tell.
_CLOSING = frozenset({"Pe", "Pf", "Po", "Pd", "Lm", "Mn", "Mc", "Me", "Cf", "Sk"})
_OPENING = frozenset({"Ps", "Pi"})
_SMALL_KANA = frozenset("ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ")
_STRAIGHT_QUOTES = frozenset("\"'")
_JOINERS = frozenset("\u200d\u2060\ufeff")


def count_columns(text: str) -> int:
    """Count the columns of a line: two for wide and full-width characters, none for marks."""
    return len(text) if text.isascii() else sum(map(_columns, text))


@lru_cache(maxsize=4096)
def _columns(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 1


def wrap(text: str, width: int = WIDTH, first: str = "", rest: str = "") -> str:
    """Wrap text; `first` begins the first line, `rest` every other. A newline in it is kept."""
    lines: list[str] = []
    for line in text.split("\n"):
        wrap_line = _wrap_ascii if f"{line}{first}{rest}".isascii() else _wrap_line
        lines += wrap_line(line, width, rest if lines else first, rest)
    return "\n".join(line.rstrip(" ") for line in lines)


def _wrap_ascii(text: str, width: int, first: str, rest: str) -> Iterator[str]:
    """What `_wrap_line` gives, ten times faster, for text in which every character is a column."""
    text = text.translate(_TO_SPACES).strip(" ")
    begin, lead = 0, first
    while len(lead) + len(text) - begin > width:
        end = text.rfind(" ", begin, begin + max(0, width - len(lead)) + 1)
        if end < 0:  # a word that is longer than the line
            end = text.find(" ", begin)
        if end < 0:
            break
        yield lead + text[begin:end].rstrip(" ")
        while text[end] == " ":
            end += 1
        begin, lead = end, rest
    yield lead + text[begin:]


def _wrap_line(text: str, width: int, first: str, rest: str) -> Iterator[str]:
    line, used, is_empty = first, count_columns(first), True
    for space, piece in _pieces(text):
        columns = count_columns(piece)
        if is_empty:
            line, used, is_empty = line + piece, used + columns, False
        elif used + len(space) + columns <= width:
            line, used = f"{line}{space}{piece}", used + len(space) + columns
        else:
            yield line
            line, used = rest + piece, count_columns(rest) + columns
    yield line


def _pieces(text: str) -> list[tuple[str, str]]:
    """Give what must stay together, each with the spaces before it."""
    pieces: list[tuple[str, str]] = []
    end = 0
    for match in _WORD.finditer(text):
        space = " " * (match.start() - end)
        end = match.end()
        first, *others = _break(match[0]) if _WIDE.search(match[0]) else (match[0],)
        pieces.append((space, first))
        pieces += [("", other) for other in others]
    return pieces


def _break(word: str) -> Iterator[str]:
    urls = {place for match in _URL.finditer(word) for place in range(*match.span())}
    begin = 0
    for place in range(1, len(word)):
        is_in_url = place in urls and place - 1 in urls
        if not is_in_url and _may_break(word[place - 1], word[place]):
            yield word[begin:place]
            begin = place
    yield word[begin:]


def _may_break(before: str, after: str) -> bool:
    if not (_is_unspaced(before) or _is_unspaced(after)):
        return False
    if {before, after} & (_STRAIGHT_QUOTES | _JOINERS) or after in _SMALL_KANA:
        return False
    return (
        unicodedata.category(after) not in _CLOSING and unicodedata.category(before) not in _OPENING
    )


def _is_unspaced(character: str) -> bool:
    """Tell whether the character is wide and of a script without spaces, which Hangul is not."""
    return unicodedata.east_asian_width(character) in "WF" and not (
        "\u1100" <= character <= "\u11ff" or "\uac00" <= character <= "\ud7ff"
    )
