"""DKIM's relaxed form of a header field (RFC 6376, section 3.4.2)."""

import re

_BLANKS = re.compile(rb"[ \t]+")


def relax_header(line: bytes) -> bytes:
    """Name in lower case, unfolded, blanks as one space and none at the ends; CRLF at the end.

    Needs a whole field with its CRLF. A body needs no such form: see quoted.py.
    """
    name, _, value = line.partition(b":")
    value = value.replace(b"\r\n", b"")
    if b"  " in value or b"\t" in value:
        value = _BLANKS.sub(b" ", value)
    return b"%b:%b\r\n" % (name.rstrip(b" \t").lower(), value.strip(b" "))
