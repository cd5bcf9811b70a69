"""Quoted-printable (RFC 2045, section 6.7) that nothing on the way has a reason to change.

No line begins with a dot (SMTP would double it) or with `From ` (mailboxes quote it), none ends
with a blank, and no two blanks stand side by side, so that DKIM's relaxed form of it (RFC 6376,
section 3.4.4) is the very same bytes.
"""

import re
from functools import lru_cache

# All but printable ASCII; `=`; a tab; of blanks the second and further ones, and the last.
_ESCAPED = re.compile(rb"[^!-<>-~ ]|(?<= ) | \Z")
_NEVER_ESCAPED = bytes(each for each in range(33, 127) if each != ord("="))
_OPENS = (b".", b"F")
_OPENINGS = re.compile(rb"\.|F(?=rom )")
# A line has 76 places (section 6.7, rule 5), the last of them for a soft break's `=`.
_LINE = 75
_SOFT = b"=\r\n"


def quote_between(text: str, *, is_first: bool, is_last: bool) -> bytes:
    """Quote what stands between two values that have lines of their own.

    Lines of `text` end with `\\n`. It begins by ending the line of the value before it, unless it
    is the first, and leaves the value behind it a new line, unless it is the last.
    """
    begins = b"" if is_first or text.startswith("\n") or (is_last and not text) else _SOFT
    quoted = b"\r\n".join(map(quote_line, text.split("\n")))
    ends = b"" if is_last or not text or text.endswith("\n") else _SOFT
    return begins + quoted + ends


# A recipient's values stand in text and HTML alike.
@lru_cache(maxsize=256)
def quote_line(line: str) -> bytes:
    """Quote a text without line ends, in as many lines with soft breaks as it takes."""
    data = line.encode()
    is_plain = not data.translate(None, _NEVER_ESCAPED)
    if is_plain and len(data) <= _LINE and data[:1] not in _OPENS:
        return data
    if not is_plain:
        data = _ESCAPED.sub(_escape, data)
    pieces = []
    start = 0
    while True:
        opening = b""
        if _OPENINGS.match(data, start):
            opening = b"=%02X" % data[start]
            start += 1
        end = start + _LINE - len(opening)
        if end >= len(data):
            pieces.append(opening + data[start:])
            return _SOFT.join(pieces)
        # Never within an escape.
        end -= 1 if data[end - 1] == 61 else 2 if data[end - 2] == 61 else 0
        pieces.append(opening + data[start:end])
        start = end


def _escape(match: re.Match[bytes]) -> bytes:
    return b"=%02X" % match[0][0]
