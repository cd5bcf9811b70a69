"""A message's bytes -> its parts (RFC 2045, 2046): only so deep, so many and so long.

Strangers write what is read here. The email package follows any depth, and takes as long as that
wants; this follows what reports are made of, takes time in proportion to the message, and finds
something in everything.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from email.errors import HeaderParseError
from email.header import decode_header
from itertools import islice
from quopri import decodestring

import msgspec

# A report has a text, the report itself and what came back: three parts, seldom wrapped once more.
_DEPTH = 4
_PARTS = 20
_FIELDS = 1_000
# Nothing that is looked for stands further behind in a header, in one of its values, in a text.
_HEADER_OCTETS = 256_000
_VALUE_CHARACTERS = 4_000
_TEXT_OCTETS = 256_000
_PARAMETER = re.compile(r';\s*([\w-]{1,40})\*?\s*=\s*(?:"([^"]*)"|([^\s;"]+))', re.ASCII)

Fields = tuple[tuple[str, str], ...]


class Part(msgspec.Struct, frozen=True):
    """A message or a part of one: its type in lower case, its header fields, and what is in it.

    Names of fields are in lower case, values without line breaks. `body` is as it was written;
    `parts` are those of a multipart type only: what a message/rfc822 holds is not looked into.
    """

    kind: str
    parameters: Mapping[str, str]
    fields: Fields
    body: bytes
    parts: tuple["Part", ...] = ()

    def text(self) -> str:
        """The body, decoded from its transfer encoding.

        All that is looked for is ASCII, so that no charset is asked about: it could name any codec.
        """
        return _decode(self.body, find(self.fields, "content-transfer-encoding"))

    def walk(self) -> Iterator["Part"]:
        """This part and all in it, in their order."""
        yield self
        for part in self.parts:
            yield from part.walk()


def read_message(data: bytes) -> Part:
    """Read a message, whatever it is."""
    return _read(data.replace(b"\r\n", b"\n"), 0)


def read_fields(text: str) -> Fields:
    """The fields of a header or of a report's block, unfolded (RFC 5322, section 2.2.3)."""
    unfolded = re.sub(r"\n[ \t]+", " ", text.replace("\r", ""))
    pairs = (line.partition(":") for line in unfolded.split("\n"))
    found = (
        (name.strip().lower(), value.strip()[:_VALUE_CHARACTERS])
        for name, colon, value in pairs
        if colon and name.strip()
    )
    return tuple(islice(found, _FIELDS))


def find(fields: Fields, *names: str) -> str:
    """The first value of a field of one of these names; empty where there is none."""
    return next(iter(find_all(fields, *names)), "")


def find_all(fields: Fields, *names: str) -> list[str]:
    return [value for name, value in fields if name in names]


def decode_words(value: str) -> str:
    """A header's value with its encoded words (RFC 2047) as ASCII sees them."""
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(
        part.decode("utf-8", "replace") if isinstance(part, bytes) else part for part, _ in parts
    )


def _read(data: bytes, depth: int) -> Part:
    header, body = _split_header(data)
    fields = read_fields(header.decode("utf-8", "replace"))
    written = find(fields, "content-type")
    kind = written.partition(";")[0].strip().lower()
    parameters = {
        match[1].lower(): match[2] if match[2] is not None else match[3]
        for match in _PARAMETER.finditer(written)
    }
    boundary = parameters.get("boundary", "")
    parts: tuple[Part, ...] = ()
    if kind.startswith("multipart/") and boundary and depth < _DEPTH:
        parts = tuple(_read(part, depth + 1) for part in _split_parts(body, boundary))
    return Part(kind or "text/plain", parameters, fields, body, parts)


def _split_header(data: bytes) -> tuple[bytes, bytes]:
    if data.startswith(b"\n"):  # a part without a header (RFC 2046, section 5.1)
        return b"", data[1:]
    header, _, body = data.partition(b"\n\n")
    return header[:_HEADER_OCTETS], body


def _split_parts(body: bytes, boundary: str) -> list[bytes]:
    """What stands between the delimiters (RFC 2046, section 5.1.1); the last one may be missing."""
    line = re.compile(rb"^--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*$", re.MULTILINE)
    starts: list[tuple[int, int]] = []
    end = len(body)
    for match in islice(line.finditer(body), _PARTS + 1):
        if match[1]:
            end = match.start()
            break
        starts.append((match.start(), match.end() + 1))
    ends = [*(start for start, _ in starts[1:]), end]
    parts = [body[after:until] for (_, after), until in zip(starts, ends, strict=False)]
    return parts[:_PARTS]


def _decode(body: bytes, encoding: str) -> str:
    cut = body[:_TEXT_OCTETS]
    match encoding.lower():
        case "base64":
            letters = re.sub(rb"[^A-Za-z0-9+/]", b"", cut)
            try:
                cut = b64decode(letters[: len(letters) // 4 * 4])
            except Base64Error:
                cut = b""
        case "quoted-printable":
            cut = decodestring(cut)
    return cut.decode("utf-8", "replace").replace("\r\n", "\n")
