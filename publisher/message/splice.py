"""Frozen content and a recipient -> the finished message, as bytes that are joined.

What is everybody's was encoded when the mailing was frozen, so that a message of 30 KB takes some
20 µs; with the email package it takes a hundred times that.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from publisher.message.addresses import smtp_address
from publisher.message.canonical import relax_header
from publisher.message.freeze import Template
from publisher.message.headers import check, mailbox_header, raw_header, raw_list_header
from publisher.model.delivery import Envelope

if TYPE_CHECKING:
    from publisher.message.dkim import Signer, Unsigned

# RFC 5322, section 3.6.4: two dot-atoms, without what only comments and quotes would allow.
_ATOMS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_MESSAGE_ID = re.compile(f"<{_ATOMS}@{_ATOMS}>")
# What stands between angle brackets in RFC 2369: no blank, no angle bracket, nothing to encode.
_URL = re.compile(r"https?://[A-Za-z0-9\[][!-;=?-~]*")
# With the header's name before it, it has to have room on a line.
_LONGEST = 900
_TOKEN = re.compile(r"[A-Za-z0-9._~-]+")


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Whom one message is for, and what stands only in theirs.

    `message_id` has its angle brackets, as has `in_reply_to`, the one of what an answer answers.
    `values` has one for each slot of the template; with List headers also `unsubscribe_url`, and
    `unsubscribe_token` where unsubscribing by mail is offered. `return_path` is the envelope's
    sender; empty for RFC 5321's null reverse-path.
    """

    email: str
    name: str = ""
    message_id: str
    values: Mapping[str, str]
    return_path: str
    in_reply_to: str = ""


class Unfinished(msgspec.Struct, frozen=True):
    """A message that only its signatures are missing of, and where these go."""

    unsigned: tuple["Unsigned", ...]
    rest: tuple[bytes, ...]
    envelope: Envelope

    def sign(self) -> "Message":
        return self.finish([field.sign() for field in self.unsigned])

    def finish(self, signatures: Sequence[bytes]) -> "Message":
        """Put in the signatures of what is unsigned, in that order."""
        fields = [
            field.finish(signature)
            for field, signature in zip(self.unsigned, signatures, strict=True)
        ]
        return Message((*fields, *self.rest), self.envelope)


class Message(msgspec.Struct, frozen=True):
    """A message as it goes on the wire: with CRLF line ends, and no line begins with a dot.

    Its parts go one behind the other; most are everybody's.
    """

    parts: tuple[bytes, ...]
    envelope: Envelope

    @property
    def data(self) -> bytes:
        """All of it."""
        return b"".join(self.parts)


def splice(
    template: Template, recipient: Recipient, date: datetime, signers: Sequence["Signer"] = ()
) -> Message:
    """Put a recipient's message together, signed by each of `signers`: see prepare."""
    return prepare(template, recipient, date, signers).sign()


def prepare(
    template: Template, recipient: Recipient, date: datetime, signers: Sequence["Signer"]
) -> Unfinished:
    """Put a recipient's message together, but for the signatures; `date` is aware.

    The same arguments give the same bytes. Raises ValueError where a value is missing or has
    control characters, and where an address, a Message-ID or a URL is none.
    """
    address = smtp_address(check(recipient.email))
    sender = _sender(recipient.return_path)
    personal = _personal_headers(template, recipient, address, date)
    rest = tuple(_fill(template, recipient.values))
    unsigned = _prepare_fields(template, personal, rest, date, signers) if signers else ()
    head = template.head % tuple([personal[name] for name in template.personal])
    is_utf8 = template.is_utf8 or not (address.isascii() and sender.isascii())
    return Unfinished(
        unsigned,
        (head, template.body_start, *rest),
        Envelope(sender, address, is_utf8),
    )


@lru_cache(maxsize=64)
def _sender(return_path: str) -> str:
    """The envelope's sender, the same for all without VERP."""
    return smtp_address(check(return_path)) if return_path else ""


def _fill(template: Template, values: Mapping[str, str]) -> Iterator[bytes]:
    """Everything behind the body's start."""
    if not template.slots <= values.keys():
        missing = ", ".join(sorted(template.slots - values.keys()))
        raise ValueError(f"the recipient has no value for {missing}")
    for slot in template.slots:
        check(values[slot])
    for opening, body in template.bodies:
        yield opening
        yield from body.fill(values)
    yield template.body_end


def _personal_headers(
    template: Template, recipient: Recipient, address: str, date: datetime
) -> dict[str, bytes]:
    if date.utcoffset() is None:
        raise ValueError("a message's date needs a time zone")
    personal = {
        "To": mailbox_header("To", recipient.name, address),
        "Date": _date_header(int(date.timestamp())),
        "Message-ID": _id_header("Message-ID", recipient.message_id),
    }
    if template.is_answer:  # RFC 5322, section 3.6.4
        for name in ("In-Reply-To", "References"):
            personal[name] = _id_header(name, recipient.in_reply_to)
    if template.has_list:
        personal["List-Unsubscribe"] = _unsubscribe_header(template.mailto, recipient.values)
    return personal


def _id_header(name: str, value: str) -> bytes:
    if len(value) > _LONGEST or not _MESSAGE_ID.fullmatch(value) or "=?" in value:
        raise ValueError(f"no Message-ID, or control characters in it: {value!r}")
    return f"{name}: {value}\r\n".encode("ascii")


@lru_cache(maxsize=64)
def _date_header(seconds: int) -> bytes:
    """RFC 5322, section 3.3, in UTC; a fast mailing has hundreds of messages in a second."""
    return raw_header("Date", format_datetime(datetime.fromtimestamp(seconds, UTC)))


def _unsubscribe_header(mailto: str, values: Mapping[str, str]) -> bytes:
    """RFC 2369, section 3.2; the URL is first, for it is what RFC 8058's one click posts to."""
    url = values.get("unsubscribe_url", "")
    if not _URL.fullmatch(url) or "=?" in url:
        raise ValueError(f"no URL to unsubscribe, or control characters in it: {url!r}")
    uris = [f"<{url}>"]
    if mailto:
        token = values.get("unsubscribe_token", "")
        if not _TOKEN.fullmatch(token):
            raise ValueError(f"no token to unsubscribe by mail: {token!r}")
        uris.append(f"<{mailto}{token}>")
    return raw_list_header("List-Unsubscribe", uris)


def _prepare_fields(
    template: Template,
    personal: Mapping[str, bytes],
    rest: Sequence[bytes],
    date: datetime,
    signers: Sequence["Signer"],
) -> tuple["Unsigned", ...]:
    own = {name.lower(): relax_header(line) for name, line in personal.items()}
    canonical = {**template.canonical, **own}
    # Its beginning, which is everybody's, was read already.
    body = template.started_hash.copy()
    for piece in rest:
        body.update(piece)
    return tuple(signer.prepare(canonical, body.digest(), date) for signer in signers)
