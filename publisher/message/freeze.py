"""What all recipients' messages share, frozen as bytes when a mailing starts.

The bytes are, one behind the other:

1. `publisher-mailing/1` and LF. Another number is another format, which this code refuses.
2. The SHA-256 of all that follows, 32 octets, so that damage is noticed.
3. A MessagePack map with these keys, in this order:
   - `headers`: the header fields in their order, each `[name, bytes]`. The bytes are the whole
     field, encoded and folded, with the CRLF at its end; empty where a recipient's own goes
     (`To`, `Date`, `Message-ID`, `List-Unsubscribe`; in an answer `In-Reply-To`, `References`).
   - `mailto`: the beginning of the `mailto:` URI for unsubscribing, to which a recipient's token is
     added; empty where there is none.
   - `domain`: the domain of Message-IDs, as DNS has it.
   - `boundary`: that of the multipart/alternative body, made of the digest of its parts.
   - `parts`: its parts in their order, each with `subtype` (`plain`, `html`), `encoding`
     (`quoted-printable`, `base64`), `fixed` (a list of bytes) and `slots` (a list of names, one
     fewer): `fixed[0]`, the value of `slots[0]`, `fixed[1]`, and so on. For quoted-printable the
     bytes are encoded and leave each value lines of its own; for base64 they are what is to be
     encoded, values included. Values are HTML-escaped in `html`.

Nothing in it is of the clock or of chance: the same draft gives the same bytes.
"""

from collections.abc import Iterator, Mapping
from email.header import decode_header, make_header
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from publisher.message.addresses import ascii_domain, smtp_address
from publisher.message.canonical import relax_header
from publisher.message.headers import (
    address_header,
    check_text,
    list_id_header,
    raw_header,
    text_header,
)
from publisher.message.parts import Body, Part, encode_part, name_slots, open_part

if TYPE_CHECKING:
    from hashlib import _Hash

_MAGIC = b"publisher-mailing/1\n"
_SUM_OCTETS = 32


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered issue, or a single message, before it is frozen.

    `sender` and `reply_to` are `Name <address>`. `slots` maps the markers in `html` and `text` to
    the slots that they stand for, such as `unsubscribe_url`, `confirm_url` and `name`. Without
    `html` there is only text. `list_id` may have a name before it; without it no List headers are
    written. `list_unsubscribe_mailto` is an address; `auto_submitted` is RFC 3834's
    `auto-generated` for single messages. `is_answer` tells that each recipient's answers a message
    that was sent to them.
    """

    sender: str
    subject: str
    html: str
    text: str
    language: str
    domain: str
    slots: Mapping[str, str]
    reply_to: str = ""
    list_id: str = ""
    list_unsubscribe_mailto: str = ""
    feedback_id: str = ""
    auto_submitted: str = ""
    is_answer: bool = False


class Frozen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The map of the format above."""

    headers: tuple[tuple[str, bytes], ...]
    mailto: str
    domain: str
    boundary: str
    parts: tuple[Part, ...]


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """Frozen content, prepared for many recipients: see splice.

    `head` are the header fields and the empty line behind them, with a `%b` for each that is
    `personal`; all other `%` are doubled. `canonical` has those that are everybody's in DKIM's
    relaxed form, by their names in lower case. `body_start` stands before the first value,
    `started_hash` is a SHA-256 that has read it. `bodies` are the parts, each with what goes before
    it; the first's is in `body_start` with its beginning. `slots` names the values needed.
    """

    head: bytes
    personal: tuple[str, ...]
    canonical: Mapping[str, bytes]
    mailto: str
    domain: str
    body_start: bytes
    started_hash: "_Hash"
    bodies: tuple[tuple[bytes, Body], ...]
    body_end: bytes
    slots: frozenset[str]
    has_list: bool
    is_answer: bool
    is_utf8: bool


def freeze(draft: Draft) -> bytes:
    """Freeze a draft in the format above.

    Raises ValueError where a value has control characters, halves of surrogate pairs or Unicode's
    line separators, and where an address, a domain or a list identifier is none.
    """
    texts = {"plain": draft.text, "html": draft.html}
    parts = tuple(
        encode_part(check_text(text), "html" if subtype == "html" else "plain", draft.slots)
        for subtype, text in texts.items()
        if text or subtype == "plain"
    )
    # Of the content, not of chance; and `=_` stands in no quoted-printable and in no base64.
    boundary = f"=_{sha256(msgspec.msgpack.encode(parts)).hexdigest()[:24]}"
    frozen = Frozen(
        headers=tuple(_headers(draft, boundary)),
        mailto=_mailto(draft.list_unsubscribe_mailto) if draft.list_id else "",
        domain=ascii_domain(draft.domain),
        boundary=boundary,
        parts=parts,
    )
    packed = msgspec.msgpack.encode(frozen)
    return _MAGIC + sha256(packed).digest() + packed


def digest(frozen: bytes) -> str:
    """The SHA-256 of frozen content in hex, by which operators know it."""
    return sha256(frozen).hexdigest()


def thaw(frozen: bytes) -> Template:
    """Prepare frozen content; raises ValueError where it is damaged or of a version not known."""
    return _prepare(_unpack(frozen))


def read_subject(frozen: bytes) -> str:
    """The subject of frozen content, in plain text. Raises ValueError as thaw does."""
    line = dict(_unpack(frozen).headers)["Subject"].decode()
    value = line.partition(":")[2].replace("\r\n", "").strip()
    return str(make_header(decode_header(value)))


def _unpack(frozen: bytes) -> Frozen:
    if not frozen.startswith(_MAGIC):
        raise ValueError("this is no frozen mailing of a version that is known here")
    head = len(_MAGIC) + _SUM_OCTETS
    packed = frozen[head:]
    if sha256(packed).digest() != frozen[len(_MAGIC) : head]:
        raise ValueError("the frozen mailing is damaged: its checksum differs")
    try:
        return msgspec.msgpack.decode(packed, type=Frozen)
    except msgspec.MsgspecError as error:
        raise ValueError(f"the frozen mailing cannot be read: {error}") from None


def _prepare(frozen: Frozen) -> Template:
    fixed = [(name, line) for name, line in frozen.headers if line]
    bodies = [(_opening(frozen.boundary, part), open_part(part)) for part in frozen.parts]
    start = bodies[0][0] + bodies[0][1].start
    rest = [(opening + body.start, body) for opening, body in bodies[1:]]
    return Template(
        head=b"".join([line.replace(b"%", b"%%") or b"%b" for _, line in frozen.headers]) + b"\r\n",
        personal=tuple(name for name, line in frozen.headers if not line),
        canonical={name.lower(): relax_header(line) for name, line in fixed},
        mailto=frozen.mailto,
        domain=frozen.domain,
        body_start=start,
        started_hash=sha256(start),
        bodies=((b"", bodies[0][1]), *rest),
        body_end=f"--{frozen.boundary}--\r\n".encode(),
        slots=name_slots(frozen.parts),
        has_list=any(name == "List-Unsubscribe" for name, _ in frozen.headers),
        is_answer=any(name == "In-Reply-To" for name, _ in frozen.headers),
        is_utf8=not all(line.isascii() for _, line in fixed),
    )


def _opening(boundary: str, part: Part) -> bytes:
    """What goes before a part's body."""
    return (
        f"--{boundary}\r\n"
        f"Content-Type: text/{part.subtype}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: {part.encoding}\r\n\r\n"
    ).encode()


def _headers(draft: Draft, boundary: str) -> Iterator[tuple[str, bytes]]:
    yield "From", address_header("From", draft.sender)
    yield "To", b""
    if draft.reply_to:
        yield "Reply-To", address_header("Reply-To", draft.reply_to)
    yield "Subject", text_header("Subject", draft.subject)
    yield "Date", b""
    yield "Message-ID", b""
    if draft.is_answer:
        yield "In-Reply-To", b""
        yield "References", b""
    if draft.list_id:
        yield "List-Id", list_id_header(draft.list_id)
        yield "List-Unsubscribe", b""
        yield _raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    for name, value in (
        ("Feedback-ID", draft.feedback_id),
        ("Auto-Submitted", draft.auto_submitted),
        ("MIME-Version", "1.0"),
        ("Content-Language", draft.language),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ):
        if value:
            yield _raw(name, value)


def _raw(name: str, value: str) -> tuple[str, bytes]:
    return name, raw_header(name, value)


def _mailto(address: str) -> str:
    """RFC 6068, section 2: what has a meaning of its own in a URI is escaped."""
    if not address:
        return ""
    local, _, domain = smtp_address(address).rpartition("@")
    return f"mailto:{quote(local, safe='!$*+')}@{ascii_domain(domain)}?subject=unsubscribe%20"
