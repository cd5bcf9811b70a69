"""DKIM signatures (RFC 6376; Ed25519 by RFC 8463), c=relaxed/relaxed.

The canonical form is ours, since all of what is signed was written by us; the arithmetic is
cryptography's, which lets no other thread run meanwhile. There is no `x=`, since a delivery may be
deferred for long, and no `l=`, which would let anybody add to the body.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Literal

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from publisher.message.addresses import ascii_domain
from publisher.message.canonical import relax_header

Algorithm = Literal["rsa-sha256", "ed25519-sha256"]

# From is there twice: where a second one is slipped in, the signature does not hold any more
# (RFC 6376, section 8.15). RFC 8058, section 4, wants the List headers covered.
DEFAULT_HEADERS = (
    *(
        "From",
        "From",
        "To",
        "Reply-To",
        "Subject",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
    ),
    *("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("MIME-Version", "Content-Type", "Content-Language", "Feedback-ID"),
)

# RFC 6376, section 3.3.3, as RFC 8301 has it: receivers take no shorter one as valid.
_MIN_BITS = 1024
_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_LINE = 78


class Unsigned(msgspec.Struct, frozen=True):
    """A DKIM-Signature field up to its signature, and the bytes that `key` is to sign."""

    frame: bytes
    data: bytes
    key: RSAPrivateKey | Ed25519PrivateKey

    def sign(self) -> bytes:
        """The signature: the same whenever it is made."""
        return sign(self.key, self.data)

    def finish(self, signature: bytes) -> bytes:
        """The field, with its CRLF, to be put before the other headers."""
        text = b64encode(signature)
        lines = [text[i : i + _LINE - 3] for i in range(0, len(text), _LINE - 3)]
        return self.frame + b"\r\n ".join(lines) + b"\r\n"


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """A key and what is said with it; `headers` are lower-case names, `bits` the key's length."""

    domain: str
    selector: str
    algorithm: Algorithm
    headers: tuple[str, ...]
    bits: int
    key: RSAPrivateKey | Ed25519PrivateKey

    def prepare(self, canonical: Mapping[str, bytes], body_hash: bytes, date: datetime) -> Unsigned:
        """What is to be signed, and the field around it.

        `canonical` has the message's header fields in relaxed form by lower-case names, each of
        which it has once; `body_hash` is the SHA-256 of the body in relaxed form. Names that the
        message does not have are left out, since a relay may still add such a header.
        """
        names = tuple(name for name in self.headers if name in canonical)
        frame, relaxed = _frame(self.domain, self.selector, self.algorithm, names)
        values = (int(date.timestamp()), b64encode(body_hash))
        signed = [canonical[name] for name in dict.fromkeys(names)]
        return Unsigned(frame % values, b"".join((*signed, relaxed % values)), self.key)


def write_key(key: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    """A private key in PEM, as load_key reads it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def sign(key: RSAPrivateKey | Ed25519PrivateKey, data: bytes) -> bytes:
    """Sign some bytes with a key of load_key's."""
    if isinstance(key, RSAPrivateKey):
        return key.sign(data, PKCS1v15(), SHA256())
    # RFC 8463, section 3: what is signed is the digest.
    return key.sign(sha256(data).digest())


def make_signer(
    domain: str, selector: str, pem: bytes, headers: Sequence[str] = DEFAULT_HEADERS
) -> Signer:
    """Make a signer of a private key in PEM: RSA of at least 1024 bits, or Ed25519.

    `headers` are signed as often as they are listed, From in any case. Raises ValueError for a key,
    a domain, a selector or a header name that cannot be used, and says why.
    """
    if not all(_SELECTOR.fullmatch(label) for label in selector.split(".")):
        raise ValueError(f"{selector!r} is no DKIM selector: letters, digits, hyphens and dots")
    for name in headers:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no header's name")
    names = [name.lower() for name in headers]
    key = load_key(pem)
    is_rsa = isinstance(key, RSAPrivateKey)
    return Signer(
        domain=ascii_domain(domain),
        selector=selector,
        algorithm="rsa-sha256" if is_rsa else "ed25519-sha256",
        headers=tuple(names if "from" in names else ["from", "from", *names]),
        bits=key.key_size if isinstance(key, RSAPrivateKey) else 256,
        key=key,
    )


def dns_record(pem: bytes) -> str:
    """The TXT record of a private key's public half, to be published at SELECTOR._domainkey.DOMAIN.

    Longer than the 255 octets of one string: name servers' tools cut it. Raises ValueError as
    make_signer does.
    """
    public = load_key(pem).public_key()
    if isinstance(public, Ed25519PublicKey):
        data = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={b64encode(data).decode()}"
    data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={b64encode(data).decode()}"


def load_key(pem: bytes) -> RSAPrivateKey | Ed25519PrivateKey:
    """A private key in PEM; raises ValueError as make_signer does."""
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ValueError("the DKIM key is encrypted; it must be there without a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("the DKIM key is no private key in PEM (BEGIN PRIVATE KEY)") from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size < _MIN_BITS:
            raise ValueError(
                f"the DKIM key has {key.key_size} bits; receivers refuse RSA keys below 1024, "
                "and 2048 is what they ask for"
            )
        return key
    if not isinstance(key, Ed25519PrivateKey):
        kind = type(key).__name__.removesuffix("PrivateKey").lstrip("_")
        raise ValueError(f"the DKIM key is of the kind {kind}; it must be RSA or Ed25519")
    return key


@lru_cache(maxsize=16)
def _frame(
    domain: str, selector: str, algorithm: str, names: tuple[str, ...]
) -> tuple[bytes, bytes]:
    """The field up to its signature, as written and in relaxed form, with places for t= and bh=."""
    words = ["v=1;", f"a={algorithm};", "c=relaxed/relaxed;", f"d={domain};", f"s={selector};"]
    # The place is shorter than its value, which has a line to itself anyway.
    words += ["t=%d;", *_fold_names(names)]
    lines = ["DKIM-Signature:"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > _LINE - 10:  # ten for the seconds in t=
            lines.append("")
        lines[-1] += f" {word}"
    written = "\r\n".join((*lines, " bh=%b;", " b=")).encode()
    return written, relax_header(written + b"\r\n").removesuffix(b"\r\n")


def _fold_names(names: Sequence[str]) -> list[str]:
    """`h=` in words that white space may stand between (RFC 6376, section 3.5)."""
    return [
        f"{'h=' * (i == 0)}{name}{';' if i == len(names) - 1 else ':'}"
        for i, name in enumerate(names)
    ]
