"""A rendered issue and a reader -> the finished message (RFC 5322, RFC 2045 to 2049)."""

from datetime import datetime
from email.message import MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

import msgspec

from publisher.message.headers import (
    address_header,
    list_id_header,
    raw_header,
    text_header,
)


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one reader's message is made of; `html` and `text` have their links in.

    `sender`, `recipient` and `reply_to` are `Name <address>`. `message_id` has its angle brackets,
    `list_id` may have a name before it, `date` is aware.
    """

    sender: str
    recipient: str
    subject: str
    html: str
    text: str
    date: datetime
    message_id: str
    list_id: str
    unsubscribe_url: str
    language: str
    reply_to: str = ""


def compose(letter: Letter) -> bytes:
    """Compose the message with CRLF line ends; text before HTML, so that HTML is preferred.

    The same letter gives the same bytes. Raises ValueError where a header's value has control
    characters, or where an address cannot be written in ASCII.
    """
    parts = [
        _part(letter.text, "plain"),
        _part(letter.html, "html"),
    ]
    # Of the content, not of chance, and nothing that a content could hold by chance.
    boundary = f"=_{sha256(b''.join(parts)).hexdigest()[:24]}"
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts)
    return _headers(letter, boundary) + b"\r\n" + body + mark + b"--\r\n"


def _headers(letter: Letter, boundary: str) -> bytes:
    """The message's headers; those of RFC 2369, 2919 and 8058 are what bulk senders must have."""
    reply_to = address_header("Reply-To", letter.reply_to) if letter.reply_to else b""
    return b"".join(
        (
            address_header("From", letter.sender),
            address_header("To", letter.recipient),
            reply_to,
            text_header("Subject", letter.subject),
            raw_header("Date", format_datetime(letter.date)),
            raw_header("Message-ID", letter.message_id),
            list_id_header(letter.list_id),
            raw_header("List-Unsubscribe", f"<{letter.unsubscribe_url}>"),
            raw_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            raw_header("MIME-Version", "1.0"),
            raw_header("Content-Language", letter.language),
            raw_header("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
        )
    )


def _part(body: str, subtype: str) -> bytes:
    part = MIMEPart(policy=SMTP)
    part.set_content(body, subtype=subtype, charset="utf-8", cte=_encoding(body))
    return part.as_bytes()


def _encoding(body: str) -> str:
    """The shorter of the two: quoted-printable for Latin text, base64 for most other scripts."""
    data = body.encode()
    escaped = sum(byte > 126 or byte == ord("=") for byte in data)
    return "quoted-printable" if 2 * escaped < len(data) / 3 else "base64"
