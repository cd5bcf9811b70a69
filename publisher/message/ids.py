"""Names of a delivery in what comes back: in Message-IDs, and in envelope senders (VERP).

Each holds the delivery's number and 80 bits of HMAC-SHA-256, so that a forged bounce names no
delivery that its writer has seen nothing of. All of it is lower-case letters, digits, dots and
hyphens, and is read in any case: some relays change that of addresses.
"""

import hmac
import re
from functools import lru_cache

from publisher.message.addresses import ascii_domain, smtp_address
from publisher.message.mac import hmac_sha256

# 16 characters of base32, without padding.
_MAC_BYTES = 10
_MAC = r"[a-z2-7]{16}"
# No database counts further than 19 digits; and no number has a second spelling.
_NUMBER = r"[1-9][0-9]{0,18}"
_REF = re.compile(r"[a-z0-9]{1,40}")
# One behind the last of them.
_NUMBERS_END = 10**19
# Base32 (RFC 4648, section 6) of ten bits each.
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(first + second for first in _LETTERS for second in _LETTERS)
_IN_TEXT = re.compile(
    rf"(?<![A-Za-z0-9.])([a-z0-9]{{1,40}})\.({_NUMBER})\.({_MAC})@", re.IGNORECASE | re.ASCII
)
_IN_ADDRESS = re.compile(rf"[^@]*\+({_NUMBER})-({_MAC})@[^@]+", re.IGNORECASE | re.ASCII)


def message_id(ref: str, delivery: int, key: bytes, domain: str) -> str:
    """A delivery's Message-ID (RFC 5322, section 3.6.4): the same whenever it is sent.

    `ref` is its mailing's, in lower-case letters and digits, so that a copied database gives no
    Message-ID a second meaning. Raises ValueError for another `ref`, and for no domain.
    """
    name = f"{_check_ref(ref)}.{_number(delivery)}"
    return f"<{name}.{_mac('message-id', name, key)}@{ascii_domain(domain)}>"


def read_message_id(text: str, key: bytes) -> int | None:
    """The delivery that the first Message-ID of ours names, in References or a quoted header."""
    for ref, number, mac in _IN_TEXT.findall(text):
        if _is_ours("message-id", f"{ref}.{number}".lower(), mac, key):
            return int(number)
    return None


def verp(return_path: str, delivery: int, key: bytes) -> str:
    """An envelope sender of a delivery's own: `local+NUMBER-MAC@domain`.

    Raises ValueError where `return_path` is no address, is in quotes or leaves no room.
    """
    local, _, domain = smtp_address(return_path).rpartition("@")
    if local.startswith('"'):
        raise ValueError(f"no return path that anything can be added to: {return_path!r}")
    number = _number(delivery)
    return smtp_address(f"{local}+{number}-{_mac('verp', number, key)}@{domain}")


def read_verp(address: str, key: bytes) -> int | None:
    """The delivery that an address of verp's names."""
    found = _IN_ADDRESS.fullmatch(address.strip().removeprefix("<").removesuffix(">"))
    return int(found[1]) if found and _is_ours("verp", found[1], found[2], key) else None


@lru_cache(maxsize=16)
def _check_ref(ref: str) -> str:
    if not _REF.fullmatch(ref):
        raise ValueError(f"a mailing's ref is of lower-case letters and digits: {ref!r}")
    return ref


def _number(delivery: int) -> str:
    if not 0 < delivery < _NUMBERS_END:
        raise ValueError(f"no delivery has the number {delivery}")
    return str(delivery)


def _is_ours(purpose: str, name: str, mac: str, key: bytes) -> bool:
    return hmac.compare_digest(_mac(purpose, name, key), mac.lower())


def _mac(purpose: str, name: str, key: bytes) -> str:
    data = hmac_sha256(key, f"{purpose}:{name}".encode())[:_MAC_BYTES]
    bits = int.from_bytes(data, "big")
    return "".join([_PAIRS[bits >> place & 1023] for place in range(70, -10, -10)])
