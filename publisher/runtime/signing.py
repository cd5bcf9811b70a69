"""What proves that a request by HTTP was written by who knows a secret, and when.

The header is `t=SECONDS,v1=HEX`: the moment since 1970, and HMAC-SHA-256 (RFC 2104) with the
secret over `SECONDS.BODY`.
"""

import hmac
import re
from datetime import datetime, timedelta

HEADER = "Publisher-Signature"
# Clocks differ, and a request takes its time; after that it is somebody's who has listened.
LATEST = timedelta(minutes=5)

_FORM = re.compile(r"t=([0-9]{1,12}), ?v1=([0-9a-f]{64})", re.ASCII)


def sign(secret: str, at: datetime, body: bytes) -> str:
    """The header's value for a body that is sent at a moment."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_mac(secret, str(seconds), body)}"


def is_signed(secret: str, header: str, body: bytes, now: datetime) -> bool:
    """Tell whether a body was signed with the secret, within LATEST of now."""
    found = _FORM.fullmatch(header)
    if not found or not hmac.compare_digest(_mac(secret, found[1], body), found[2]):
        return False
    return abs(now.timestamp() - int(found[1])) <= LATEST.total_seconds()


def _mac(secret: str, seconds: str, body: bytes) -> str:
    return hmac.digest(secret.encode(), f"{seconds}.".encode() + body, "sha256").hex()
