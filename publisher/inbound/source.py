"""Where messages come back to: standard input or a file (one message or an mbox), a Maildir."""

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from publisher.errors import PublisherError

# A report with the message that it returns is a tenth of it; servers take 10 to 50 MB.
MOST_OCTETS = 5_000_000
TOO_LARGE = f"it is larger than {MOST_OCTETS // 1_000_000} MB"
# RFC 4155: an address, and a time as ctime writes it.
_FROM = re.compile(rb"From \S* ?.*\d\d?:\d\d.* \d{4}\b")
_QUOTED_FROM = re.compile(rb">+From ")


def _leave() -> None:
    """Nothing is done to a message of which nothing has to be known."""


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """A message that arrived: its name for people, its bytes, or why it cannot be read.

    `finish` marks it as read where it is kept; one that cannot be read stays as it is.
    """

    name: str
    data: bytes = b""
    fault: str = ""
    finish: Callable[[], None] = _leave


def read_stream(file: BinaryIO, name: str) -> Iterator[Arrived]:
    """The messages of an mbox (RFC 4155), or the one message that a file is."""
    first = file.readline(MOST_OCTETS)
    is_mbox = _FROM.match(first) is not None
    lines = [] if is_mbox else [first]
    size, number, is_after_blank = sum(map(len, lines)), 1, first == b"\n"
    while line := file.readline(MOST_OCTETS):
        if is_mbox and is_after_blank and _FROM.match(line):
            yield _arrived(f"{name}, message {number}", lines, size)
            lines, size, number = [], 0, number + 1
            continue
        is_after_blank = not line.strip(b"\r\n")
        size += len(line)
        if size <= MOST_OCTETS:  # of what is too large nothing is kept
            lines.append(line[1:] if is_mbox and _QUOTED_FROM.match(line) else line)
    if any(lines) or size:
        yield _arrived(f"{name}, message {number}" if is_mbox else name, lines, size)


def _arrived(name: str, lines: list[bytes], size: int) -> Arrived:
    if size > MOST_OCTETS:
        return Arrived(name=name, fault=TOO_LARGE)
    return Arrived(name=name, data=b"".join(lines))


def read_maildir(folder: Path) -> Iterator[Arrived]:
    """The messages of a Maildir that nobody has seen, the oldest first.

    What was read is put into `cur/` with the flag S. Raises PublisherError where it is none.
    """
    if not all((folder / name).is_dir() for name in ("new", "cur")):
        raise PublisherError(f"{folder} is no Maildir: it has no folders new/ and cur/ in it")
    for path in sorted((folder / "new").iterdir()):
        yield _read_kept(path, folder / "cur")
    for path in sorted((folder / "cur").iterdir()):
        if "S" not in _flags(path.name):
            yield _read_kept(path, folder / "cur")


def _read_kept(path: Path, seen: Path) -> Arrived:
    name = "".join(c if c.isprintable() else "?" for c in f"{path.parent.name}/{path.name}")
    try:
        # Neither what a link points to, nor a pipe that somebody put there.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(file, "rb") as opened:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                return Arrived(name=name, fault="it is no file")
            if found.st_size > MOST_OCTETS:
                return Arrived(name=name, fault=TOO_LARGE)
            data = opened.read(MOST_OCTETS)
    except OSError as error:
        return Arrived(name=name, fault=f"it cannot be read: {error.strerror}")
    return Arrived(name=name, data=data, finish=lambda: _move(path, seen))


def _flags(name: str) -> str:
    return name.rpartition(":2,")[2] if ":2," in name else ""


def _move(path: Path, seen: Path) -> None:
    flags = "".join(sorted({*_flags(path.name), "S"}))
    # Where another program has moved it meanwhile, it is read once more, which does no harm.
    with suppress(FileNotFoundError):
        path.rename(seen / f"{path.name.partition(':2,')[0]}:2,{flags}")
