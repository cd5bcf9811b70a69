"""Signed tokens for the links in mail: who is meant, and that we wrote it.

A token is base64url without padding (RFC 4648, section 5) of: one byte for its purpose, one that
tells which key signed it, the subject in UTF-8, and 16 bytes of HMAC-SHA-256 (RFC 2104) over all
of that. The key's byte is the first of its SHA-256; it saves trying all keys, and vouches for
nothing.

Keys are given in the order of their age, the newest first: that one signs, and all of them verify,
so that links in old mail go on working when a new key is put before the others.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from publisher.message.mac import hmac_sha256

Purpose = Literal["unsubscribe", "confirm", "preferences", "address"]

_PURPOSES: dict[Purpose, int] = {"unsubscribe": 1, "confirm": 2, "preferences": 3, "address": 4}
# Half of SHA-256: 128 bits, which nobody guesses and which keeps the link short.
_MAC_BYTES = 16


def sign_token(purpose: Purpose, subject: str, keys: Sequence[bytes]) -> str:
    """Make the token for a purpose and a subject; the same arguments give the same token."""
    body = bytes((_PURPOSES[purpose], _key_id(keys[0]))) + subject.encode()
    return urlsafe_b64encode(body + _mac(body, keys[0])).rstrip(b"=").decode()


def read_token(token: str, purpose: Purpose, keys: Sequence[bytes]) -> str | None:
    """The subject of a token of ours, or None. Only the canonical spelling is accepted."""
    try:
        data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (Base64Error, ValueError):
        return None
    if urlsafe_b64encode(data).rstrip(b"=") != token.encode() or len(data) < 2 + _MAC_BYTES:
        return None
    body, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
    if body[0] != _PURPOSES[purpose]:
        return None
    candidates = (key for key in keys if _key_id(key) == body[1])
    if not any(hmac.compare_digest(mac, _mac(body, key)) for key in candidates):
        return None
    try:
        return body[2:].decode()
    except UnicodeDecodeError:
        return None


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac_sha256(key, body)[:_MAC_BYTES]


@lru_cache(maxsize=16)
def _key_id(key: bytes) -> int:
    return sha256(key).digest()[0]
