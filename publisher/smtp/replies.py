"""A server's lines -> Reply (RFC 5321, section 4.2; RFC 3463)."""

import re
from functools import lru_cache
from typing import NamedTuple

from publisher.model.delivery import Reply

# RFC 5321, section 4.5.3.1.5, asks for 512; servers that explain themselves write more.
MAX_LINE = 4096
MAX_LINES = 256
# What is kept of a text: it goes into the database with every attempt.
_MAX_TEXT = 500

_LINE = re.compile(rb"([0-9]{3})(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)")


class Said(NamedTuple):
    """A reply, its lines' texts without their codes, and how many octets it took."""

    reply: Reply
    texts: tuple[bytes, ...]
    length: int


class ProtocolError(OSError):
    """What came from the server is no reply; the error's text says in what way."""


def split_line(line: bytes) -> tuple[int, bool, bytes]:
    """Take one line apart: (code, whether it is the reply's last, text).

    `line` has no line end. Raises ProtocolError where it cannot be read.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        raise ProtocolError(f"the server's answer is no SMTP reply: {clean(line)[:100]}")
    return int(match[1]), match[2] != b"-", match[3] or b""


# A mailing hears the same replies again and again.
@lru_cache(maxsize=16)
def find_reply(data: bytes) -> Said | None:
    """The reply that what came begins with; None where its end is still to come.

    A bare LF ends a line, too. Raises ProtocolError where it cannot be read, or never ends.
    """
    first, texts, start = 0, list[bytes](), 0
    while (end := data.find(b"\n", start)) >= 0:
        if end - start > MAX_LINE:
            break
        code, is_last, text = split_line(data[start:end].removesuffix(b"\r"))
        first = first if texts else code
        texts.append(text)
        if code != first:
            raise ProtocolError(f"a reply with two codes, {first} and {code}")
        if len(texts) > MAX_LINES:
            raise ProtocolError(f"a reply of more than {MAX_LINES} lines")
        start = end + 1
        if is_last:
            return Said(make_reply(first, tuple(texts)), tuple(texts), start)
    if len(data) - start > MAX_LINE:
        raise ProtocolError(f"a reply's line of more than {MAX_LINE} bytes")
    return None


def count_replies(data: bytes) -> int:
    """How many replies some bytes are; 0 where they end within one."""
    count = 0
    while data:
        if (said := find_reply(data)) is None:
            return 0
        count, data = count + 1, data[said.length :]
    return count


def make_reply(code: int, texts: tuple[bytes, ...]) -> Reply:
    """Make a Reply of its lines' texts; each line may repeat the enhanced code (RFC 2034)."""
    enhanced, words = "", []
    for line in texts:
        text = clean(line)
        if match := _ENHANCED.match(text):
            enhanced = enhanced or match[1]
            text = text[match.end() :]
        words.append(text)
    return Reply(code, enhanced, " ".join(filter(None, words))[:_MAX_TEXT])


def make_failure(words: str) -> Reply:
    """The Reply that stands where none could be read: code 0, and what happened."""
    return Reply(0, "", clean(words.encode(errors="replace"))[:_MAX_TEXT])


def clean(line: bytes) -> str:
    """Printable text on one line; what is no UTF-8 or cannot be printed becomes `?`."""
    text = line.decode("utf-8", "replace").strip()
    if not text.isprintable():
        text = "".join(each if each.isprintable() else "?" for each in text.replace("\t", " "))
    return text
