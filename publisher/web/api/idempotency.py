"""Idempotency-Key: a change that is asked for again is answered again, and not done again.

By draft-ietf-httpapi-idempotency-key-header. A refusal has changed nothing and is not kept: the
same request is looked at anew.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from threading import Lock
from typing import Any

import msgspec
from sqlalchemy import Connection

from publisher.store.answers import KeptAnswer, find_answer, keep_answer
from publisher.store.database import Database
from publisher.web.api.problems import ApiError

# RFC 8941, section 3.3.3, and the same without quotes, as many send it.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"')
_BARE = re.compile(r"[!#-\[\]-~]{1,255}")


class Keyed(msgspec.Struct, frozen=True, kw_only=True):
    """A change with a key: whose, which, and a hash of all that was asked for."""

    publication: int
    token: int
    key: str
    hash: bytes
    now: datetime

    def keep(
        self, connection: Connection, status: int, headers: Mapping[str, str], body: Any
    ) -> None:
        """Keep the answer, in the transaction of the change."""
        text = "" if body is None else msgspec.json.encode(body).decode()
        written = msgspec.json.encode(dict(headers)).decode()
        kept = KeptAnswer(hash=self.hash, status=status, headers=written, body=text)
        keep_answer(connection, self.publication, self.token, self.key, kept, self.now)


def read_key(header: str | None) -> str:
    """The key in a header; empty where there is none. Raises ApiError."""
    if header is None:
        return ""
    text = header.strip()
    if match := _QUOTED.fullmatch(text):
        return match[1]
    if _BARE.fullmatch(text):
        return text
    raise ApiError(
        "malformed",
        'Idempotency-Key is to be 1 to 255 ASCII characters in quotes, such as "8e03978e-40d5".',
    )


def hash_request(*parts: bytes) -> bytes:
    """A hash of a request's parts, each with its length before it."""
    whole = sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()


class Answering:
    """The keys of what is being answered at this moment."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: set[tuple[int, str]] = set()

    @contextmanager
    def hold(self, keyed: Keyed) -> Iterator[None]:
        """Answer a key's request alone. Raises ApiError where it is being answered already."""
        place = (keyed.token, keyed.key)
        with self._lock:
            if place in self._open:
                raise in_progress()
            self._open.add(place)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(place)


def in_progress() -> ApiError:
    return ApiError(
        "in-progress",
        "A request with this Idempotency-Key is being answered; ask again for its answer.",
        headers={"Retry-After": "1"},
    )


def find_kept(database: Database, keyed: Keyed) -> KeptAnswer | None:
    """What was answered before. Raises ApiError where that was another request."""
    with database.read() as connection:
        kept = find_answer(connection, keyed.publication, keyed.token, keyed.key, keyed.now)
    if kept is not None and kept.hash != keyed.hash:
        raise ApiError(
            "key-used",
            "This Idempotency-Key was used within 24 hours for another request; each change needs"
            " a key of its own.",
        )
    return kept
