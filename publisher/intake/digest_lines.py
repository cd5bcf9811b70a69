"""The lines of a pasted digest, and what each of them says where it is read as a title."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from heapq import nlargest
from unicodedata import east_asian_width, normalize, numeric

import msgspec

# What is trimmed: Unicode's white space, and zero-width space, word joiner and byte order mark,
# which no editor shows at a line's end.
_EDGES = "\t \xa0\u1680\u180e\u200b\u202f\u205f\u2060\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
COLONS = ":：﹕︰"
_CHINESE = "一二三四五六七八九十"
# 1. 1) 1、 1． (1) （1） and 1️⃣ in any script's digits, ① and 一、 （一）. Three digits at most, so
# that a year is no number. `fraction` is set where a digit follows the dot, as in 1.5 million.
_NUMBERING = re.compile(
    rf"""(?: (?P<a>\d{{1,3}}) (?: [)）、] | \ufe0f?\u20e3 | [.．] (?P<fraction>(?=\d))? )
    | [(（] (?P<b>\d{{1,3}}) [)）]
    | (?P<c>[①-⑳])
    | (?P<d>[{_CHINESE}]{{1,3}}) 、
    | [(（] (?P<e>[{_CHINESE}]{{1,3}}) [)）] )
    (?P<rest>.*)""",
    re.VERBOSE | re.DOTALL,
)
_SPELLINGS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`ʼ", "'"),
        **dict.fromkeys("“”„‟″«»「」『』〝〞", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
    }
)
_INVISIBLE = re.compile(r"[\s\xad\u180e\u200b-\u200f\u2060\ufeff]+")
# A title broken by hard wrapping has no more lines and no more characters.
TITLE_LINES = 3
TITLE_LENGTH = 400
# The columns at which people wrap prose: a break beyond them was meant.
_WRAP_COLUMNS = range(45, 101)
_SENTENCE_END = re.compile(r"""[.!?…。！？：:；;][)\]'"’”»）」』】]*$""")
_NEAREST_RATIO = 0.6


class Line(msgspec.Struct, frozen=True):
    """A line that is not blank, trimmed; `number` counts from 1 and counts blank lines too.

    `count` is the line's own number (0 where it has none) and `rest` the words after it;
    `is_fraction` says that this may be no number but 1.5 million. `folded` is the text without
    what spellings of one title differ in.
    """

    number: int
    text: str
    folded: str
    is_after_blank: bool
    count: int = 0
    rest: str = ""
    is_fraction: bool = False

    @property
    def key(self) -> str:
        """What the line says as a title; see title_key."""
        return _finish(self.folded)


def read_lines(text: str) -> Iterator[Line]:
    """Read the lines of a text whose line ends are `\\n`."""
    is_after_blank = False
    for number, raw in enumerate(text.split("\n"), 1):
        line = trim(raw)
        if line:
            count, rest, is_fraction = _split_number(line)
            yield Line(number, line, _fold(line), is_after_blank, count, rest, is_fraction)
        is_after_blank = not line


def trim(text: str) -> str:
    """Drop white space, also of the kinds that cannot be seen, at both ends."""
    return text.strip(_EDGES)


def shorten(text: str, limit: int = 80) -> str:
    """A text as a message quotes it."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def title_key(title: str) -> str:
    """What a title says, apart from case, spacing, kinds of quotes and dashes, and final stops."""
    return _finish(_fold(title))


def _fold(text: str) -> str:
    return _INVISIBLE.sub("", normalize("NFKC", text.translate(_SPELLINGS)).casefold())


def _finish(folded: str) -> str:
    if "--" in folded:
        folded = re.sub("-+", "-", folded)
    return folded.rstrip(":.。") or folded


def _split_number(line: str) -> tuple[int, str, bool]:
    match = _NUMBERING.match(line)
    count = _count(match) if match else 0
    if match is None or not count:
        return 0, "", False
    return count, trim(match["rest"]), match["fraction"] is not None


def _count(match: re.Match[str]) -> int:
    if digits := match["a"] or match["b"]:
        return int(digits)
    if match["c"]:
        return int(numeric(match["c"]))
    tens, ten, ones = (match["d"] or match["e"]).rpartition("十")
    one = int(numeric(ones[0])) if ones else 0
    return one + (10 * int(numeric(tens[0]) if tens else 1) if ten else 0)


def join_title(title: str, line: str) -> str:
    """Mend a broken title: with a space, but none in Chinese and none after a word's hyphen."""
    is_wide = all(east_asian_width(character) in "WF" for character in title[-1:] + line[:1])
    is_hyphen = title.endswith("-") and title[-2:-1].isalnum()
    return title + ("" if not title or is_wide or is_hyphen else " ") + line


class Sayings:
    """Which titles the lines say: each line with and without its number, and a line together with
    those directly below it, as far as a broken title may go."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._at = [list(_keys_at(lines[i : i + TITLE_LINES])) for i in range(len(lines))]
        self._places: dict[str, list[tuple[int, int]]] = {}
        for index, keys in enumerate(self._at):
            for key, width in keys:
                self._places.setdefault(key, []).append((index, width))

    def at(self, index: int) -> list[str]:
        """The keys of what is said from the line at `index` on."""
        return [key for key, _ in self._at[index]]

    def places(self, key: str) -> list[tuple[int, int]]:
        """Where a title is said, from the top: (index of the first line, number of lines)."""
        return self._places.get(key, [])

    def is_below(self, key: str, index: int) -> bool:
        """Tell whether a title is said at or below the line at `index`."""
        places = self.places(key)
        return bool(places) and places[-1][0] >= index


def _keys_at(lines: Sequence[Line]) -> Iterator[tuple[str, int]]:
    first, below = lines[0], lines[1:]
    for folded in (first.folded, _fold(first.rest)):
        length = len(folded)
        if length:
            yield _finish(folded), 1
        for width, line in enumerate(below if length else (), 2):
            length += len(line.folded)
            if line.is_after_blank or length > TITLE_LENGTH:
                break
            folded += line.folded
            yield _finish(folded), width


def find_nearest(title: str, lines: Sequence[Line]) -> Line | None:
    """The line most like a title, if one is; those that share most pairs of letters are tried."""
    key = title_key(title)[:TITLE_LENGTH]
    pairs = _pairs(key)
    similar = [line for line in lines if len(key) / 2 <= len(line.folded) <= len(key) * 2]
    shared = nlargest(3, similar, key=lambda line: len(pairs & _pairs(line.folded)))
    ratios = [(SequenceMatcher(None, key, line.folded).ratio(), line) for line in shared]
    ratio, nearest = max(ratios, key=lambda pair: pair[0], default=(0.0, None))
    return nearest if ratio >= _NEAREST_RATIO else None


def _pairs(folded: str) -> set[str]:
    return {folded[i : i + 2] for i in range(len(folded))}


def is_broken(line: Line, below: Line) -> bool:
    """Tell whether a sentence seems to have been cut at the line's end and to go on below."""
    if below.is_after_blank or below.count or len(line.text) >= _WRAP_COLUMNS.stop:
        return False
    columns = sum(2 if east_asian_width(character) in "WF" else 1 for character in line.text)
    return columns in _WRAP_COLUMNS and not _SENTENCE_END.search(line.text)
