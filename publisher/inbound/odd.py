"""Bounces of no standard, as flufl.bounce knows them: whom they are about, and what they mean.

Guesses, all of it. They are made only about what a message-authentication code of ours ties to a
delivery, and count against it only where they name its reader.
"""

import logging
import re
from email import message_from_bytes

from flufl.bounce import all_failures

from publisher.inbound.mime import read_message
from publisher.inbound.report import Failure
from publisher.inbound.verdict import find_code, judge

# Its expressions take quadratic time in a line, and the email package in the depth of parts.
_OCTETS = 100_000
_LINE = 320
_HEADERS = 12
_CONTENT_TYPE = re.compile(rb"^content-type\s*:", re.IGNORECASE | re.MULTILINE)
_NO_ASCII = re.compile(rb"[^\t\n -~]")
# Where the message that came back begins, whose words are ours: qmail, Exim, and others.
_COPY = re.compile(
    r"^-{2,}.{0,60}(?:copy of (?:the|your)|original message|message follows|header).*$",
    re.IGNORECASE | re.MULTILINE,
)
_SAID_CHARACTERS = 2_000
_KEPT_CHARACTERS = 500

# It logs each message that it stumbles over, with the traceback.
logging.getLogger("flufl.bounce").disabled = True


def read_odd(data: bytes) -> tuple[Failure, ...]:
    """What a bounce of no standard says of its recipients; nothing where none is recognised."""
    # It fails at a header that is not ASCII, and looks for nothing else.
    plain = _NO_ASCII.sub(b"?", data[:_OCTETS].replace(b"\r\n", b"\n"))
    cut = b"\n".join(line[:_LINE] for line in plain.split(b"\n"))
    if len(_CONTENT_TYPE.findall(cut)) > _HEADERS:
        return ()
    try:
        passing, lasting = all_failures(message_from_bytes(cut))
    except Exception:  # of whatever its seventeen detectors stumble over
        return ()
    said = _said(data)
    verdict = judge("failed", find_code(said), said)
    kept = said[:_KEPT_CHARACTERS]
    return (
        *(Failure(recipients=(_text(each),), verdict="soft", said=kept) for each in passing),
        *(Failure(recipients=(_text(each),), verdict=verdict, said=kept) for each in lasting),
    )


def _said(data: bytes) -> str:
    """The server's own words, without the message that it quotes."""
    texts = [part.text() for part in read_message(data).walk() if part.kind == "text/plain"]
    own = _COPY.split(texts[0], maxsplit=1)[0] if texts else ""
    return "".join(filter(str.isprintable, " ".join(own.split())))[:_SAID_CHARACTERS]


def _text(address: bytes | str) -> str:
    return address.decode("utf-8", "replace") if isinstance(address, bytes) else address
