"""Passwords of operators: what may be one, and how one is kept and recognised."""

import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from publisher.errors import PublisherError

LEAST_CHARACTERS = 12
# Nobody types more; a hash of megabytes would take its time.
MOST_CHARACTERS = 500
# RFC 9106, section 4: its second choice, for machines that share their memory, is what it takes
# (64 MiB, three passes). No more than this many are made at once.
_AT_ONCE = BoundedSemaphore(2)
_HASHER = PasswordHasher()


class PasswordError(PublisherError):
    """What is wrong with a password, for people."""


def require_good(password: str, *unfit: str) -> None:
    """Raise PasswordError where something cannot be a password.

    `unfit` is what anybody would try first: the operator's address, the publication's title.
    """
    length = len(_normal(password))
    if length < LEAST_CHARACTERS:
        raise PasswordError(
            f"The password is too short: it needs at least {LEAST_CHARACTERS} characters. Four"
            " words that have nothing to do with each other are a good one."
        )
    if length > MOST_CHARACTERS:
        raise PasswordError(f"The password is longer than {MOST_CHARACTERS} characters.")
    if len(set(password)) == 1 or _plain(password) in {_plain(each) for each in unfit}:
        raise PasswordError(
            "This is what anybody would try first: it must not be your address, the publication's"
            " title or one character over and over."
        )


def hash_password(password: str) -> str:
    """The hash (argon2id, with its parameters and salt) that a password is kept as."""
    with _AT_ONCE:
        return _HASHER.hash(_encode(password))


def is_password(password: str, hash: str) -> bool:
    """Tell whether a password is the one of a hash; without a hash in the same time that it is not.

    Who was removed has an empty hash, which no password has.
    """
    with _AT_ONCE:
        try:
            is_it = _HASHER.verify(hash or _nobodys(), _encode(password[:MOST_CHARACTERS]))
        except (VerificationError, InvalidHashError):
            return False
    return is_it and bool(hash)


def is_outdated(hash: str) -> bool:
    """Tell whether a hash was made with less effort than is usual now."""
    return _HASHER.check_needs_rehash(hash)


@cache
def _nobodys() -> str:
    """What is compared with where there is no such operator, so that it takes as long."""
    return _HASHER.hash("nobody has this password")


def _encode(password: str) -> bytes:
    return _normal(password).encode("utf-8", "surrogatepass")


def _normal(password: str) -> str:
    """The same characters however a keyboard composes them (NIST SP 800-63B, section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _plain(text: str) -> str:
    return "".join(_normal(text).casefold().split())
