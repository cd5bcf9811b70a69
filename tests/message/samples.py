"""A draft and a recipient to start from, and reading a message as a strict receiver does."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes, message_from_string, policy
from email.errors import NonASCIILocalPartDefect
from email.message import EmailMessage
from typing import Any

import msgspec

from publisher.message.dkim import Signer
from publisher.message.freeze import Draft, freeze, thaw
from publisher.message.splice import Message, Recipient, splice

NOW = datetime(2025, 12, 15, 7, 0, 5, 250, tzinfo=UTC)
URL = "https://daily.example/unsubscribe/AV5zMRr-wEeSqoUTvLLKsrfj-ao"
URL_SLOT = "https://slot.invalid/unsubscribe"
NAME_SLOT = "https://slot.invalid/name"
SLOTS = {URL_SLOT: "unsubscribe_url", NAME_SLOT: "name"}

DRAFT = Draft(
    sender="The Daily <daily@daily.example>",
    reply_to="Desk <desk@daily.example>",
    subject="今日要闻: a lamp",
    html=(
        f"<!doctype html>\n<p>Dear {NAME_SLOT},</p>\n<p>A lamp — 灯.</p>\n"
        f'<a href="{URL_SLOT}">Leave</a>, <a href="{URL_SLOT}">now</a>\n'
    ),
    text=f"Dear {NAME_SLOT},\n\nA lamp — 灯.\n\n-- \nLeave: {URL_SLOT}\n",
    language="en",
    list_id="The Daily <daily.example>",
    list_unsubscribe_mailto="leave@daily.example",
    feedback_id="42:daily:issue:publisher",
    domain="daily.example",
    slots=SLOTS,
)

RECIPIENT = Recipient(
    email="ada@reader.example",
    name="Ada Byron",
    message_id="<m1.7.abc@daily.example>",
    values={"unsubscribe_url": URL, "unsubscribe_token": "AV5zMRr-wEeSqoUT", "name": "Ada Byron"},
    return_path="bounces@daily.example",
)

# An answer to a message, such as a correction.
ANSWER = msgspec.structs.replace(DRAFT, subject="Re: 今日要闻: a lamp", is_answer=True)
ANSWERING = msgspec.structs.replace(RECIPIENT, in_reply_to="<m0.5.xyz@daily.example>")

HEADERS = [
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID"),
    *("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"),
    *("MIME-Version", "Content-Language", "Content-Type"),
]


def draft(**changes: Any) -> Draft:
    return msgspec.structs.replace(DRAFT, **changes)


def recipient(values: dict[str, str] | None = None, **changes: Any) -> Recipient:
    changed = {**RECIPIENT.values, **(values or {})}
    return msgspec.structs.replace(RECIPIENT, **{"values": changed, **changes})


def make(
    draft: Draft = DRAFT, recipient: Recipient = RECIPIENT, signers: Sequence[Signer] = ()
) -> Message:
    return splice(thaw(freeze(draft)), recipient, NOW, signers)


def parse(data: bytes) -> EmailMessage:
    """Parse a message; fails where anything in it is less than well formed."""
    if data.isascii():
        message = message_from_bytes(data, policy=policy.strict)
    else:  # Python's parser of bytes knows nothing of RFC 6532
        message = message_from_string(data.decode(), policy=policy.strict)
    for part in message.walk():
        assert part.defects == []
        for name, value in part.items():
            # Python has no name for RFC 6532, and calls this a defect.
            allowed = () if value.isascii() else NonASCIILocalPartDefect
            assert all(isinstance(each, allowed) for each in value.defects), (name, value)
    return message


def read_bodies(data: bytes) -> list[str]:
    """The bodies of a message, with `\\n` as line ends."""
    return [part.get_content().replace("\r\n", "\n") for part in parse(data).iter_parts()]


def assert_wire_form(data: bytes) -> None:
    """As SMTP takes it without a change: CRLF only, no dot in front, lines within the limits."""
    assert data.endswith(b"--\r\n")
    assert data.count(b"\r") == data.count(b"\n") == data.count(b"\r\n")
    lines = data[:-2].split(b"\r\n")
    assert not any(line.startswith(b".") for line in lines)
    assert max(map(len, lines)) <= 998
    header, _, body = data.partition(b"\r\n\r\n")
    assert all(line.strip() for line in header.split(b"\r\n"))
    assert body.isascii()
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    # DKIM's relaxed form of the body is the body.
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert b"  " not in body
    assert b"\t" not in body
    assert not any(line.startswith(b"From ") for line in lines)
