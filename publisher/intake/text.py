"""Bytes -> text: UTF-8 with `\\n` line ends, without the characters that XML forbids."""

import re
from bisect import bisect_right
from collections.abc import Callable

from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

# The forms that an issue file may have.
SUFFIXES = (".md", ".yaml", ".yml", ".json")
# Five highlights are some 15 KB; what is over this is an accident (or an attack), and the time
# that it takes to read stays bounded: the worst Markdown takes 30 s a megabyte.
MAX_BYTES = 2_000_000

# Everything that ends a line somewhere: Windows, old Macs, Word's soft breaks (VT, FF), NEL and
# Unicode's own separators.
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# XML 1.0, section 2.2, halves of surrogate pairs (from JSON's `\ud800`) among them, and the C1
# controls, which no writer means.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_CHANGED = re.compile(f"(?P<end>{_LINE_ENDS.pattern})|{_FORBIDDEN.pattern}")


def decode(data: bytes, file: str) -> tuple[str | None, tuple[Problem, ...]]:
    """Decode an issue's or digest's bytes; None with a problem where they are no UTF-8 text."""
    if len(data) > MAX_BYTES:
        return None, (problem("file-too-large", file, found=len(data), limit=MAX_BYTES),)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None, (problem("file-not-text", file, 1, found="it looks like UTF-16"),)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{data[error.start]:02x} at position {error.start}"
        return None, (problem("file-not-text", file, line, found=found),)
    if text.replace("\n", "").isprintable():  # nearly always, and found out fast
        return text, ()
    text = _LINE_ENDS.sub("\n", text)
    dropped = "".join(_FORBIDDEN.findall(text))
    if not dropped:
        return text, ()
    # A stray control character comes with a paste; where one in ten is one, it is no text at all.
    if len(dropped) * 10 > len(text):
        return None, (problem("file-not-text", file, 1, found="it is binary data"),)
    line = text.count("\n", 0, text.index(dropped[0])) + 1
    return drop_forbidden(text), (dropped_characters(dropped, file, line),)


def places_in_raw(raw: str) -> Callable[[int], int]:
    """Make a function from places in a decoded text to places in `raw`, which has all characters.

    `raw` is without its byte order mark.
    """
    starts, shifts = [0], [0]
    for match in _CHANGED.finditer(raw):
        shifts.append(shifts[-1] + len(match[0]) - (match["end"] is not None))
        starts.append(match.end() - shifts[-1])
    return lambda place: place + shifts[bisect_right(starts, place) - 1]


def line_end_of(raw: str) -> str:
    """How lines end in a text: as its first one does."""
    if "\n" not in raw:
        return "\r" if "\r" in raw else "\n"
    return "\r\n" if raw.partition("\n")[0].endswith("\r") else "\n"


def drop_forbidden(text: str) -> str:
    """Drop what XML forbids from text that is in no file."""
    return _FORBIDDEN.sub("", text)


def clean_escaped(text: str) -> tuple[str, str]:
    """Do with a value what was done with its file: escapes (`\\u0000`) bring in anything again.

    Gives the text and the characters that were dropped from it.
    """
    if text.isprintable():
        return text, ""
    text = _LINE_ENDS.sub("\n", text)
    return _FORBIDDEN.sub("", text), "".join(_FORBIDDEN.findall(text))


def dropped_characters(found: str, file: str, line: int) -> Problem:
    names = ", ".join(sorted({f"U+{ord(c):04X}" for c in found})[:5])
    return problem("control-characters", file, line, count=len(found), found=names)
