"""Erasing a subscriber: out of the tables, out of the log, out of what pages still hold."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from publisher.model.delivery import TO_MANY
from publisher.store import imports
from publisher.store import schema as s
from publisher.store.answers import forget_answers
from publisher.store.database import Database
from publisher.store.subscribers import MOST_LOOKED_UP
from publisher.store.suppressions import suppress

_TABLE = s.subscriber
# Whoever reads does so in pages, each much shorter than this.
_CHECKPOINT_SECONDS = 10.0
# Looks for what it is given in a file, in a process of its own: closing a file takes away every
# lock that SQLite has on it in the same process (https://www.sqlite.org/howtocorrupt.html, 2.2).
_LOOK = """
import mmap, sys
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
    sys.exit(data.find(sys.stdin.buffer.read()) >= 0)
"""


class Erased(msgspec.Struct, frozen=True):
    """What an erasure went over: the addresses as they were kept, and how many deliveries."""

    emails: tuple[str, ...]
    deliveries: int


def erase(
    connection: Connection,
    publication: int,
    subscriber: int,
    at: datetime,
    *,
    requests: Sequence[bytes] = (),
) -> Erased:
    """Leave nothing of a subscriber but the keyed hash of the address among the suppressions.

    Deliveries stay, as numbers: they lose the subscriber, and what servers said, which quotes
    addresses. `requests` are the hashes under which requests of theirs were counted. Afterwards
    the files still have it all: see `scrub`. The connection writes.
    """
    columns = (_TABLE.c.address_hash, _TABLE.c.email)
    row = connection.execute(select(*columns).where(*_by_id(publication, subscriber))).one()
    suppress(connection, publication, row.address_hash, "erased", at)
    others = _list_addresses(connection, publication, subscriber)
    deliveries = _clear_deliveries(connection, publication, subscriber, row.email)
    hashes = [row.address_hash, *requests]
    r = s.request.c
    connection.execute(delete(s.request).where(r.publication == publication, r.hash.in_(hashes)))
    w = s.wish.c
    connection.execute(delete(s.wish).where(w.publication == publication, w.hash.in_(hashes)))
    for email in (row.email, *others):
        forget_answers(connection, publication, email)
        imports.forget_address(connection, publication, email)
    connection.execute(delete(_TABLE).where(*_by_id(publication, subscriber)))
    return Erased((row.email, *others), deliveries)


def _list_addresses(connection: Connection, publication: int, subscriber: int) -> list[str]:
    """The addresses other than their present one that messages about a subscriber went to."""
    d = s.delivery.c
    theirs = (d.publication == publication, d.subscriber == subscriber, d.address.is_not(None))
    return list(connection.execute(select(d.address).where(*theirs).distinct()).scalars())


def _clear_deliveries(connection: Connection, publication: int, subscriber: int, email: str) -> int:
    """Take out of deliveries, and of their lines in the ledger, what names a person."""
    d, ledger = s.delivery.c, s.ledger.c
    single = select(s.mailing.c.id).where(
        s.mailing.c.publication == publication, s.mailing.c.purpose.not_in(TO_MANY)
    )
    theirs = or_(
        d.subscriber == subscriber,
        and_(d.mailing.in_(single), func.lower(d.address) == func.lower(email)),
    )
    found = select(d.id).where(d.publication == publication, theirs)
    ids = list(connection.execute(found).scalars())
    for start in range(0, len(ids), MOST_LOOKED_UP):
        part = ids[start : start + MOST_LOOKED_UP]
        connection.execute(
            update(s.delivery).where(d.id.in_(part)).values(address=None, last_reply=None)
        )
        connection.execute(update(s.ledger).where(ledger.delivery.in_(part)).values(reply=None))
    return len(ids)


def scrub(database: Database, *emails: str) -> bool:
    """Take the last traces of erased addresses out of the database's files.

    False where somebody reads an older state: traces stay in the log until they have finished.
    SQLite's secure_delete overwrites what is deleted, but not the copies that it left where a full
    page was divided; about one address in 500 has such a one. Writing the database anew takes some
    seconds for each 100 MB, in which nobody else writes: it is done only where there is a trace.
    """
    is_clean = empty_log(database)
    if not any(_is_in_file(database.path, email) for email in emails):
        return is_clean
    raw = database.engine.raw_connection()
    try:
        raw.cursor().execute("VACUUM")
    finally:
        raw.close()
    return empty_log(database)


def empty_log(database: Database, seconds: float = _CHECKPOINT_SECONDS) -> bool:
    """Empty the write-ahead log, in which what was erased still stands.

    False where another connection was still reading an older state after so many seconds.
    """
    raw = database.engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA busy_timeout")
        usual: Any = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1_000)}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row: Any = cursor.fetchone()  # is it busy, pages in the log, pages taken out of it
        cursor.execute(f"PRAGMA busy_timeout = {usual[0]}")
        return bool(row[0] == 0)
    finally:
        raw.close()


def _is_in_file(path: Path, text: str) -> bool:
    command = [sys.executable, "-I", "-S", "-c", _LOOK, str(path)]
    done = subprocess.run(  # noqa: S603 - our own program and file
        command, input=text.encode(), capture_output=True, check=False
    )
    return done.returncode != 0  # also where it could not look


def _by_id(publication: int, subscriber: int) -> tuple[ColumnElement[bool], ...]:
    return (_TABLE.c.publication == publication, _TABLE.c.id == subscriber)
