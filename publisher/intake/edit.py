"""Edits of a file that keep every byte they do not touch: its line ends, its byte order mark."""

from collections.abc import Iterable

import msgspec

from publisher.intake.text import line_end_of, places_in_raw

_MARK = b"\xef\xbb\xbf"


class Edit(msgspec.Struct, frozen=True):
    """Put `text`, whose lines end in `\\n`, in place of a file's decoded text[start:end]."""

    start: int
    end: int
    text: str


def apply_edits(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Apply edits that do not overlap; places are those in the text that `decode` gives."""
    mark = _MARK if data.startswith(_MARK) else b""
    raw = data[len(mark) :].decode()
    place, line_end = places_in_raw(raw), line_end_of(raw)
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        inserted = edit.text.replace("\n", line_end)
        raw = raw[: place(edit.start)] + inserted + raw[place(edit.end) :]
    return mark + raw.encode()
