"""The bytes of a message that came back -> a report: pure, and never an exception."""

import re
from hashlib import sha256
from itertools import islice

import msgspec

from publisher.inbound.mime import (
    Fields,
    Part,
    decode_words,
    find,
    find_all,
    read_fields,
    read_message,
)
from publisher.inbound.report import Failure, Names, Report
from publisher.inbound.verdict import judge

# RFC 3464 and, for addresses beyond ASCII, RFC 6533.
_STATUS = ("message/delivery-status", "message/global-delivery-status")
_RETURNED = (
    *("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"),
    *("message/global", "message/global-headers"),
)
_FEEDBACK = "message/feedback-report"
_RECEIPT = "message/disposition-notification"
# Feedback types (RFC 5965, section 7.3) with which a reader says: no more of this. The second one
# is of the drafts before it. Fraud and virus are filters' words, not-spam is the opposite.
_COMPLAINTS = ("abuse", "opt-out")
_DELIVERED_TO = (
    *("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to"),
    *("x-rcpt-to", "apparently-to", "to", "cc"),
)
_FOR = re.compile(r"\bfor <([^<>\s]{3,320})>")
_QUEUE_ID = re.compile(r"\bid <?([\w.-]{8,100})")
_SUBJECT = re.compile(r"\bunsubscribe\s+([A-Za-z0-9_-]{20,200})(?!\S)", re.IGNORECASE)
_AROUND = re.compile(r"[\s<>,;:\"'()\[\]]+")
# RFC 6533, section 3: characters beyond ASCII in an address of type utf-8.
_UNICODE = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
# Who writes bounces of no standard.
_SERVERS = re.compile(r"\b(?:mailer-?daemon|postmaster|mail ?delivery|mdaemon)\b", re.IGNORECASE)
_RECIPIENTS = 50
_MOST_NAMES = 100
_SAID_CHARACTERS = 500
# Message-IDs of ours stand in the header of what came back, which goes before its text.
_QUOTED_CHARACTERS = 100_000


def read_report(data: bytes) -> Report:
    """Read a message, whatever it is."""
    message = read_message(data)
    parts = list(message.walk())
    returned = _returned(parts)
    report = _read(message, parts, returned)
    names = _names(message, parts, returned)
    if report.kind == "unclear":
        names = msgspec.structs.replace(
            names, message_ids=f"{names.message_ids}\n{_quoted(parts)}", relay_ids=()
        )
    return msgspec.structs.replace(report, names=names, identity=_identify(message, data))


def _read(message: Part, parts: list[Part], returned: Fields) -> Report:
    by_kind = {part.kind: part for part in reversed(parts)}  # the first of each
    for kind in _STATUS:
        if part := by_kind.get(kind):
            return _read_bounce(part)
    if part := by_kind.get(_FEEDBACK):
        return _read_complaint(part, returned)
    if _RECEIPT in by_kind:
        return _none("a receipt from a mail program")
    if tokens := _SUBJECT.findall(decode_words(find(message.fields, "subject"))):
        return Report(kind="unsubscribe", identity=b"", tokens=tuple(tokens[:1]))
    return _read_other(message.fields)


def _read_other(fields: Fields) -> Report:
    """What has no form: a server's own words, by its name or by its null reverse-path."""
    if _SERVERS.search(find(fields, "from", "sender")) or find(fields, "x-failed-recipients"):
        return Report(kind="unclear", identity=b"")
    if is_automatic_answer(fields):
        return _none("an automatic answer")
    if find(fields, "return-path").replace(" ", "") == "<>":  # RFC 5321, section 4.5.5
        return Report(kind="unclear", identity=b"")
    return _none("no bounce, complaint or unsubscribe mail")


def is_automatic_answer(fields: Fields) -> bool:
    """Tell a holiday's notice, whose mailbox lives, from a bounce (RFC 3834, section 5)."""
    return (
        find(fields, "auto-submitted").lower().startswith("auto-replied")
        or bool(find(fields, "x-autoreply", "x-autorespond"))
        or find(fields, "precedence").lower() == "auto_reply"
    )


def _none(why: str) -> Report:
    return Report(kind="none", identity=b"", why=why)


def _read_bounce(part: Part) -> Report:
    """RFC 3464, section 2: a block about the message, then one for each recipient."""
    blocks = [read_fields(block) for block in _blocks(part.text())]
    about = [block for block in blocks if find(block, "final-recipient", "original-recipient")]
    failures = tuple(_failure(block) for block in about[:_RECIPIENTS])
    if not failures:
        return _none("a delivery report about nobody")
    if all(failure.verdict == "none" for failure in failures):
        return _none("a delivery report of no failure")
    return Report(kind="bounce", identity=b"", failures=failures)


def _failure(block: Fields) -> Failure:
    action = find(block, "action").split(" ")[0].split(";")[0].lower()
    status, diagnostic = find(block, "status"), find(block, "diagnostic-code")
    written = find_all(block, "final-recipient", "original-recipient")
    said = " ".join(f"{status} {diagnostic.partition(';')[2] or diagnostic}".split())
    return Failure(
        recipients=tuple(filter(None, map(_typed_address, written))),
        verdict=judge(action, status, diagnostic),
        said="".join(filter(str.isprintable, said))[:_SAID_CHARACTERS],
    )


def _typed_address(value: str) -> str:
    """The address of `rfc822; ada@reader.example` (RFC 3464, section 2.1.2)."""
    kind, semicolon, address = value.partition(";")
    address = (address if semicolon else kind).strip().strip("<>").strip()
    if kind.strip().lower() == "utf-8":
        address = _UNICODE.sub(_character, address)
    return address[:320]


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number < 0xD800 or 0xDFFF < number < 0x110000 else ""


def _read_complaint(part: Part, returned: Fields) -> Report:
    """RFC 5965, section 3."""
    fields = read_fields(part.text())
    kind = find(fields, "feedback-type").lower()
    if kind not in _COMPLAINTS:
        return _none(f"feedback that is no complaint ({_printable(kind) or 'of no type'})")
    # The header's reader is whom it was addressed to, where the report itself conceals that.
    named = [*find_all(fields, "original-rcpt-to"), *find_all(returned, "to")]
    recipients = tuple(islice(_addresses(named), _RECIPIENTS))
    return Report(kind="complaint", identity=b"", recipients=recipients)


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:40]


def _returned(parts: list[Part]) -> Fields:
    """The header of the message that came back."""
    for part in parts:
        if part.kind in _RETURNED:
            return read_fields(part.text().lstrip("\n").partition("\n\n")[0])
    return ()


def _names(message: Part, parts: list[Part], returned: Fields) -> Names:
    reports = [read_fields(part.text()) for part in parts if part.kind in (*_STATUS, _FEEDBACK)]
    about = tuple(field for fields in reports for field in fields)
    places = [
        *find_all(message.fields, *_DELIVERED_TO),
        *_FOR.findall(" ".join(find_all(message.fields, "received"))),
        *find_all(about, "original-mail-from", "x-postfix-sender"),
        *find_all(returned, "return-path", "x-envelope-from"),
    ]
    ids = [
        *find_all(message.fields, "in-reply-to", "references"),
        *(value for name, value in message.fields if name.endswith("original-message-id")),
        *(value for name, value in returned if name.endswith("message-id")),
    ]
    return Names(
        addresses=tuple(islice(_addresses(places), _MOST_NAMES)),
        message_ids="\n".join(ids),
        links=find(returned, "list-unsubscribe"),
        relay_ids=_relay_ids(about, returned),
    )


def _relay_ids(about: Fields, returned: Fields) -> tuple[str, ...]:
    """What may be the relay's name for the message, each once.

    Some relays make it the Message-ID of what they send on.
    """
    found = [
        *find_all(about, "x-postfix-queue-id", "original-envelope-id"),
        *(value.strip("<> ").partition("@")[0] for value in find_all(returned, "message-id")),
        *_QUEUE_ID.findall(" ".join(find_all(returned, "received"))),
    ]
    return tuple(dict.fromkeys(found))[:_MOST_NAMES]


def _addresses(values: list[str]) -> list[str]:
    # Split, not searched for: a search takes quadratic time where there is none.
    return [word for value in values for word in _AROUND.split(value) if "@" in word]


def _quoted(parts: list[Part]) -> str:
    """The text of a bounce of no standard, with the message that it quotes."""
    texts = (part.text() for part in parts if not part.parts)
    return "\n".join(texts)[:_QUOTED_CHARACTERS]


def _blocks(text: str) -> list[str]:
    return [block for block in re.split(r"\n[ \t]*\n", text.strip()) if block.strip()]


def _identify(message: Part, data: bytes) -> bytes:
    """What tells this message from any other, also where another server passed it on."""
    named = [find(message.fields, name) for name in ("message-id", "date", "from", "subject")]
    return sha256("\n".join(named).encode() if named[0] else data).digest()
