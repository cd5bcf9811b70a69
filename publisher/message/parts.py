"""A message's bodies, encoded once but for the places where each recipient's values go.

Text is quoted where that is shorter, so that a person can read it; where base64 is shorter, what
stands between the values is there three times, for the three ways in which a value of any length
may leave base64's groups of three octets.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal

import msgspec

from publisher.message.quoted import quote_between, quote_line

Subtype = Literal["plain", "html"]
Encoding = Literal["quoted-printable", "base64"]

# 76 characters a line (RFC 2045, section 6.8), which hold 57 octets.
_LINE = 76
_LINE_OCTETS = 57


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """An alternative's body: `fixed[0]`, a value for `slots[0]`, `fixed[1]`, and so on.

    In quoted-printable `fixed` is encoded, soft breaks around the values among it; for base64 it
    is UTF-8 that is not encoded yet. Lines end with CRLF.
    """

    subtype: Subtype
    encoding: Encoding
    fixed: tuple[bytes, ...]
    slots: tuple[str, ...]


def encode_part(text: str, subtype: Subtype, markers: Mapping[str, str]) -> Part:
    """Encode a text that holds markers, each standing for the slot that `markers` names.

    Its line ends are `\\n` or CRLF, and mean the same. Raises ValueError for an empty marker.
    """
    pieces, slots = _cut(text.replace("\r\n", "\n"), markers)
    last = len(pieces) - 1
    quoted = tuple(
        quote_between(piece, is_first=i == 0, is_last=i == last) for i, piece in enumerate(pieces)
    )
    plain = tuple(piece.replace("\n", "\r\n").encode() for piece in pieces)
    # A tie, as of nothing with nothing, is for what can be read.
    if sum(map(len, quoted)) <= sum(map(len, plain)) / _LINE_OCTETS * (_LINE + 2):
        return Part(subtype=subtype, encoding="quoted-printable", fixed=quoted, slots=slots)
    return Part(subtype=subtype, encoding="base64", fixed=plain, slots=slots)


def _cut(text: str, markers: Mapping[str, str]) -> tuple[list[str], tuple[str, ...]]:
    """The pieces between markers, and the slots that these stand for; longer markers go before."""
    if not all(markers):
        raise ValueError("a slot's marker is empty")
    if not markers:
        return [text], ()
    longest = sorted(markers, key=lambda marker: (-len(marker), marker))
    pieces = re.split(f"({'|'.join(map(re.escape, longest))})", text)
    return pieces[::2], tuple(markers[marker] for marker in pieces[1::2])


class Body:
    """A part that is ready to be filled; it ends with the CRLF that goes before a boundary.

    `start` is what stands before the first value, and so is the same for all recipients.
    """

    start: bytes

    def fill(self, values: Mapping[str, str]) -> list[bytes]:
        """Encode what comes after `start`, in pieces to be joined. Every slot has a value."""
        raise NotImplementedError


def open_part(part: Part) -> Body:
    """Prepare a part for many recipients."""
    return QuotedBody(part) if part.encoding == "quoted-printable" else Base64Body(part)


class QuotedBody(Body):
    """Pieces that are joined as they are: every value has its lines to itself."""

    def __init__(self, part: Part) -> None:
        *fixed, last = part.fixed
        self.start, *self._fixed = (*fixed, last + b"\r\n")
        self._slots = part.slots
        self._names = frozenset(part.slots)
        self._is_html = part.subtype == "html"

    def fill(self, values: Mapping[str, str]) -> list[bytes]:
        shown = {name: quote_line(_show(values[name], self._is_html)) for name in self._names}
        pieces: list[bytes] = []
        for slot, fixed in zip(self._slots, self._fixed, strict=True):
            pieces += (shown[slot], fixed)
        return pieces


class Base64Body(Body):
    """Pieces of base64 that are chosen by how many octets a value leaves over."""

    def __init__(self, part: Part) -> None:
        _, self.start, self._rest = _align(part.fixed[0], 0)
        self._fixed = tuple(tuple(_align(data, n) for n in range(3)) for data in part.fixed[1:])
        self._slots = part.slots
        self._is_html = part.subtype == "html"
        if not part.slots:
            self.start += _lines(self._rest)

    def fill(self, values: Mapping[str, str]) -> list[bytes]:
        pieces: list[bytes] = []
        rest = self._rest
        for slot, aligned in zip(self._slots, self._fixed, strict=True):
            value = rest + _show(values[slot], self._is_html).encode()
            head, lines, tail = aligned[-len(value) % 3]
            value += head
            # Some octets are left over only where all that is fixed was too short to fill a group.
            whole = len(value) - len(value) % 3
            pieces += (_lines(value[:whole]), lines)
            rest = value[whole:] + tail
        if self._slots:
            pieces.append(_lines(rest))
        return pieces


def _align(data: bytes, missing: int) -> tuple[bytes, bytes, bytes]:
    """What fills the group before it, whole groups as lines of base64, what is left over."""
    end = max(missing, len(data) - (len(data) - missing) % 3)
    return data[:missing], _lines(data[missing:end]), data[end:]


def _lines(data: bytes) -> bytes:
    encoded = b64encode(data)
    return b"".join(encoded[i : i + _LINE] + b"\r\n" for i in range(0, len(encoded), _LINE))


def _show(value: str, is_html: bool) -> str:
    return escape(value) if is_html else value


def name_slots(parts: Sequence[Part]) -> frozenset[str]:
    """The slots that a recipient must have values for."""
    return frozenset(slot for part in parts for slot in part.slots)
