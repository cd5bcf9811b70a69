"""Bytes -> text: UTF-8 with `\\n` line ends, without the characters that XML forbids."""

import re

from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

# Five highlights are some 15 KB; what is over this is an accident (or an attack), and the time
# that it takes to read stays bounded: the worst Markdown takes 30 s a megabyte.
MAX_BYTES = 2_000_000

# Everything that ends a line somewhere: Windows, old Macs, Word's soft breaks (VT, FF), NEL and
# Unicode's own separators.
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# XML 1.0, section 2.2, and the C1 controls, which no writer means.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


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
    text = _LINE_ENDS.sub("\n", text)
    kept, count = _FORBIDDEN.subn("", text)
    if not count:
        return text, ()
    # A stray control character comes with a paste; where one in ten is one, it is no text at all.
    if count * 10 > len(text):
        return None, (problem("file-not-text", file, 1, found="it is binary data"),)
    return kept, (_controls(text, count, file),)


def drop_forbidden(text: str) -> str:
    """Drop what XML forbids from text that came by an escape (`\\x00` in JSON or YAML)."""
    return _FORBIDDEN.sub("", text)


def _controls(text: str, count: int, file: str) -> Problem:
    first = _FORBIDDEN.search(text)
    assert first is not None  # noqa: S101 - the caller counted at least one
    names = sorted({f"U+{ord(c):04X}" for c in _FORBIDDEN.findall(text)})
    line = text.count("\n", 0, first.start()) + 1
    return problem("control-characters", file, line, count=count, found=", ".join(names[:5]))
