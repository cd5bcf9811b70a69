"""Erasing a subscriber: out of the tables, out of the log, out of what pages still hold."""

from collections.abc import Sequence
from datetime import datetime

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
    """
    return database.place.scrub(database.engine, emails, _CHECKPOINT_SECONDS)


def empty_log(database: Database, seconds: float = _CHECKPOINT_SECONDS) -> bool:
    """Empty the write-ahead log, in which what was erased still stands.

    False where another connection was still reading an older state after so many seconds.
    """
    return database.place.scrub(database.engine, (), seconds)


def _by_id(publication: int, subscriber: int) -> tuple[ColumnElement[bool], ...]:
    return (_TABLE.c.publication == publication, _TABLE.c.id == subscriber)
