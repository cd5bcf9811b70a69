"""Append-only files of one JSON object a line, which are committed and merged line by line.

The first line names the publication. A last line without its end is a torn write, never counted.
"""

import os
from io import FileIO
from pathlib import Path

import msgspec

# How much is read at a time to find where the last line begins.
_STEP = 65_536


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line: whose file this is."""

    publication: str


def read_header(line: bytes) -> str | None:
    """The publication's id where a line is a header; None where it is another."""
    try:
        return msgspec.json.decode(line, type=Header).publication
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def append_lines(folder: Path, path: str, publication: str, lines: list[bytes]) -> None:
    """Append lines durably: written whole, synced, and never after half a line.

    Raises OSError with the path as its file name, as if nothing had been begun.
    """
    new = b"".join(line + b"\n" for line in lines)
    if not new:
        return
    target = folder / path
    is_first = not target.exists()
    with open(target, "ab+", buffering=0, opener=_open_no_link) as file:
        size = file.seek(0, os.SEEK_END)
        tail = _read_tail(file, size)
        if tail and _is_whole(tail):  # an editor that ends files without a line end
            new = b"\n" + new
        elif tail:  # a torn write
            size = file.truncate(size - len(tail))
        if not size:
            new = msgspec.json.encode(Header(publication)) + b"\n" + new
        try:
            _write_durably(file, new)
        except OSError as error:  # a full disk
            file.truncate(size)
            raise OSError(error.errno, error.strerror, path) from None
    if is_first:
        sync_folder(target.parent)


def _read_tail(file: FileIO, size: int) -> bytes:
    """What stands behind the last line end."""
    start, tail = size, b""
    while start and b"\n" not in tail:
        end, start = start, max(0, start - _STEP)
        file.seek(start)
        tail = file.read(end - start) + tail
    return tail.rpartition(b"\n")[2]


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def _write_durably(file: FileIO, data: bytes) -> None:
    while data:
        data = data[file.write(data) :]
    os.fsync(file.fileno())


def _is_whole(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
