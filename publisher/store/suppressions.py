"""Suppressions: addresses that nothing is sent to, by their keyed hashes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from publisher.model.audience import SuppressionReason
from publisher.store import schema as s

_TABLE = s.suppression


class Suppression(msgspec.Struct, frozen=True):
    """A standing instruction not to mail an address: why, and since when."""

    id: int
    address_hash: bytes
    reason: SuppressionReason
    at: datetime


def suppress(
    connection: Connection, publication: int, hash: bytes, reason: SuppressionReason, at: datetime
) -> bool:
    """Send nothing to an address from now on; False where that was so. The connection writes.

    The first reason stays, but for an erasure, which nothing may hide.
    """
    added = insert(_TABLE).values(publication=publication, address_hash=hash, reason=reason, at=at)
    if reason == "erased":
        key = [_TABLE.c.publication, _TABLE.c.address_hash]
        was_there = find(connection, publication, hash) is not None
        connection.execute(
            added.on_conflict_do_update(index_elements=key, set_={"reason": reason, "at": at})
        )
        return not was_there
    return connection.execute(added.on_conflict_do_nothing()).rowcount > 0


def find(connection: Connection, publication: int, hash: bytes) -> Suppression | None:
    return find_all(connection, publication, [hash]).get(hash)


def is_suppressed(connection: Connection, publication: int, hash: bytes) -> bool:
    return find(connection, publication, hash) is not None


def find_all(
    connection: Connection, publication: int, hashes: Sequence[bytes]
) -> dict[bytes, Suppression]:
    """Those of the addresses that nothing is sent to; at most 20,000 at once."""
    wanted = _suppressions(publication).where(_TABLE.c.address_hash.in_(hashes))
    return {row.address_hash: Suppression(*row) for row in connection.execute(wanted)}


def find_reasons(
    connection: Connection, publication: int, subscribers: Sequence[int]
) -> dict[int, SuppressionReason]:
    """Why nothing is sent to those of the subscribers that are suppressed, by their ids."""
    found = (
        select(s.subscriber.c.id, _TABLE.c.reason)
        .join(
            _TABLE,
            (_TABLE.c.publication == publication)
            & (_TABLE.c.address_hash == s.subscriber.c.address_hash),
        )
        # By a sum: by an index on the publication all suppressions would be looked through.
        .where(s.subscriber.c.publication + 0 == publication, s.subscriber.c.id.in_(subscribers))
    )
    return dict(connection.execute(found).all())


def has_any(connection: Connection, publication: int) -> bool:
    return connection.execute(_suppressions(publication).limit(1)).first() is not None


def lift(connection: Connection, publication: int, hash: bytes) -> bool:
    """Let an address be mailed again; False where it could be. The connection writes."""
    lifted = delete(_TABLE).where(
        _TABLE.c.publication == publication, _TABLE.c.address_hash == hash
    )
    return connection.execute(lifted).rowcount > 0


def list_page(
    connection: Connection, publication: int, *, after: int = 0, limit: int = 500
) -> list[Suppression]:
    """Suppressions behind the id `after`, at most `limit`, in the order they were added."""
    # By a sum: an index on the publication would have all of them sorted for each page.
    columns = (_TABLE.c.id, _TABLE.c.address_hash, _TABLE.c.reason, _TABLE.c.at)
    wanted = select(*columns).where(_TABLE.c.publication + 0 == publication, _TABLE.c.id > after)
    rows = connection.execute(wanted.order_by(_TABLE.c.id).limit(limit))
    return [Suppression(*row) for row in rows]


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A suppression, with the subscriber whose address it is, where there is one."""

    id: int
    reason: SuppressionReason
    at: datetime
    subscriber: int | None
    email: str


def list_newest(
    connection: Connection,
    publication: int,
    *,
    reason: SuppressionReason | None = None,
    hash: bytes | None = None,
    before: int = 0,
    limit: int,
) -> list[Listed]:
    """The newest suppressions before one, by its id; `hash` chooses that of an address."""
    r = s.subscriber.c
    is_theirs = (r.publication == _TABLE.c.publication) & (r.address_hash == _TABLE.c.address_hash)
    columns = (
        *(_TABLE.c.id, _TABLE.c.reason, _TABLE.c.at, r.id.label("subscriber")),
        func.coalesce(r.email, "").label("email"),
    )
    chosen = select(*columns).select_from(_TABLE.outerjoin(s.subscriber, is_theirs))
    # By a sum, as above.
    chosen = chosen.where(_TABLE.c.publication + 0 == publication)
    if reason:
        chosen = chosen.where(_TABLE.c.reason == reason)
    if hash is not None:
        chosen = chosen.where(_TABLE.c.publication == publication, _TABLE.c.address_hash == hash)
    if before:
        chosen = chosen.where(_TABLE.c.id < before)
    rows = connection.execute(chosen.order_by(_TABLE.c.id.desc()).limit(limit))
    return [Listed(**row._mapping) for row in rows]


def get(connection: Connection, publication: int, suppression: int) -> Suppression | None:
    """A suppression by its row's id."""
    chosen = _suppressions(publication).where(_TABLE.c.id == suppression)
    row = connection.execute(chosen).one_or_none()
    return None if row is None else Suppression(*row)


def _suppressions(publication: int) -> Select[Any]:
    columns = (_TABLE.c.id, _TABLE.c.address_hash, _TABLE.c.reason, _TABLE.c.at)
    return select(*columns).where(_TABLE.c.publication == publication)
