"""A rendered issue and a reader -> the finished message (RFC 5322, RFC 2045 to 2049)."""

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256

import msgspec

# Control characters would end a header line and begin another one of somebody's choice.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one reader's message is made of; `html` and `text` have their links in.

    `sender` and `recipient` are `Name <address>`. `message_id` has its angle brackets.
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

    Raises ValueError where a header's value has control characters.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(letter.sender)
    message["To"] = _address(letter.recipient)
    if letter.reply_to:
        message["Reply-To"] = _address(letter.reply_to)
    message["Subject"] = _checked(letter.subject)
    message["Date"] = format_datetime(letter.date)
    message["Message-ID"] = _checked(letter.message_id)
    message["Content-Language"] = _checked(letter.language)
    message.set_content(letter.text, cte=_encoding(letter.text))
    message.add_alternative(letter.html, subtype="html", cte=_encoding(letter.html))
    # Of the content, not of chance: the same message has the same bytes.
    digest = sha256((letter.text + letter.html).encode()).hexdigest()
    message.set_boundary(f"=_{digest[:32]}")
    return _list_headers(letter) + message.as_bytes()


def _list_headers(letter: Letter) -> bytes:
    """RFC 2369, 2919 and 8058, as raw lines: folded by the library they would be encoded words."""
    lines = (
        f"List-Id: <{_checked(letter.list_id)}>",
        f"List-Unsubscribe: <{_checked(letter.unsubscribe_url)}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    )
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _address(text: str) -> Address:
    name, address = parseaddr(_checked(text))
    return Address(display_name=name, addr_spec=address)


def _checked(value: str) -> str:
    if _CONTROLS.search(value):
        raise ValueError(f"control characters in a header: {value!r}")
    return value


def _encoding(body: str) -> str:
    """Quoted-printable keeps Latin text readable; base64 is shorter for most other scripts."""
    data = body.encode()
    escaped = sum(1 for byte in data if byte > 126 or byte == 61)
    return "quoted-printable" if escaped * 3 < len(data) // 3 + escaped else "base64"
