"""What came back about deliveries: found, recorded once, and counted.

What it does to a reader is in the same transaction as its line in the ledger; a delivery's status
stays, for it was sent.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import Connection, Select, and_, exists, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_once

from publisher.model.delivery import Purpose
from publisher.store import schema as s
from publisher.store.totals import count_folded

# The ledger's words: a mailbox is dead; a message did not arrive; a reader complained; one left by
# mail.
BounceEvent = Literal["bounced", "soft_bounced", "complained", "left"]
BOUNCE_EVENTS: tuple[BounceEvent, ...] = get_args(BounceEvent)

_D = s.delivery.c
_L = s.ledger.c
# As the partial indexes have it, or they are not used.
_CAME_BACK = text("ledger.event IN ('bounced', 'soft_bounced', 'complained', 'left')")
# Ids that may be a relay's and are no guess of many a thousand.
_AT_ONCE = 200


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that a report may be about, with the names of its mailing and its reader.

    `subscriber` is None for those that go to another address than a subscriber's, which `address`
    is then, and for those whose reader was erased.
    """

    id: int
    mailing: int
    mailing_ref: str
    slug: str
    domain: str
    purpose: Purpose
    subscriber: int | None
    subscriber_ref: str | None
    email: str | None
    address_hash: bytes | None
    address: str | None


def find_reached(connection: Connection, publication: int, delivery: int) -> Reached | None:
    """A delivery by its number."""
    chosen = _reached().where(_D.publication == publication, _D.id == delivery)
    row = connection.execute(chosen).one_or_none()
    return None if row is None else Reached(**row._mapping)


def find_by_relay(
    connection: Connection, publication: int, relay_ids: Sequence[str], since: datetime
) -> list[Reached]:
    """The deliveries that a relay accepted since then under one of these names, the newest first.

    There may be several: relays use short names again.
    """
    lines = select(_L.delivery).where(
        _L.relay_id.in_(relay_ids[:_AT_ONCE]),
        _L.relay_id.is_not(None),  # the index has no others
        _L.publication == publication,
        _L.event == "accepted",
        _L.at >= since,
    )
    chosen = _reached().where(_D.publication == publication, _D.id.in_(lines))
    return [Reached(**row._mapping) for row in connection.execute(chosen.order_by(_D.id.desc()))]


def find_last_reached(
    connection: Connection, publication: int, hash: bytes, since: datetime
) -> Reached | None:
    """What was sent last, since then, to the subscriber with an address's hash."""
    r, m = s.subscriber.c, s.mailing.c
    theirs = select(r.id).where(r.publication == publication, r.address_hash == hash)
    chosen = _reached().where(
        _D.subscriber == theirs.scalar_subquery(),
        _D.address.is_(None),
        _D.status == "sent",
        m.created_at >= since,
    )
    row = connection.execute(chosen.order_by(_D.id.desc()).limit(1)).one_or_none()
    return None if row is None else Reached(**row._mapping)


def remember(connection: Connection, publication: int, hash: bytes, now: datetime) -> bool:
    """Remember that a message was read; False where it was before. The connection writes."""
    line = insert_once(s.report).values(publication=publication, hash=hash, at=now)
    return connection.execute(line.on_conflict_do_nothing()).rowcount > 0


def has_event(connection: Connection, delivery: int, *events: BounceEvent) -> bool:
    """Tell whether the ledger has one of these events of a delivery."""
    line = exists().where(_L.delivery == delivery, _L.event.in_(events))
    return bool(connection.execute(select(line)).scalar())


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """What came back about a delivery, and what was said.

    `email` is where the message went; of who was erased, it is empty.
    """

    id: int
    at: datetime
    event: BounceEvent
    said: str
    delivery: int
    slug: str
    purpose: Purpose
    subscriber: int | None
    email: str


def list_returned(
    connection: Connection,
    publication: int,
    *,
    event: BounceEvent | None = None,
    subscriber: int | None = None,
    before: int = 0,
    limit: int,
) -> list[Returned]:
    """The newest of what came back before a line, by its id; of all of it where that is 0."""
    if subscriber is None:
        chosen = _returned().where(_L.publication == publication)
    else:
        theirs = select(_D.id).where(_D.publication == publication, _D.subscriber == subscriber)
        # By a sum: theirs are few, and the index on the publication has everybody's.
        chosen = _returned().where(_L.publication + 0 == publication, _L.delivery.in_(theirs))
    if event:
        chosen = chosen.where(_L.event == event)
    if before:
        chosen = chosen.where(_L.id < before)
    rows = connection.execute(chosen.order_by(_L.id.desc()).limit(limit))
    return [Returned(**row._mapping) for row in rows]


def count_returned(
    connection: Connection, mailings: Sequence[int]
) -> dict[tuple[int, BounceEvent], int]:
    """How often what came back of each of some mailings, also of what was folded since."""
    counted = select(_L.mailing, _L.event, func.count())
    counted = counted.where(_CAME_BACK, _L.mailing.in_(mailings)).group_by(_L.mailing, _L.event)
    counts = Counter({(row[0], row[1]): int(row[2]) for row in connection.execute(counted)})
    for mailing, folded in count_folded(connection, mailings).items():
        counts.update({(mailing, event): folded[event] for event in BOUNCE_EVENTS})
    return +counts


def record(
    connection: Connection,
    publication: int,
    reached: Reached,
    event: BounceEvent,
    said: str,
    now: datetime,
) -> None:
    """Add a line to the ledger. What was said of an erased reader is left out: it may name them.

    The connection writes.
    """
    is_anybody = reached.subscriber is not None or reached.address is not None
    line = {"publication": publication, "mailing": reached.mailing, "delivery": reached.id}
    reply = said if is_anybody and said else None
    connection.execute(insert(s.ledger).values(line | {"at": now, "event": event, "reply": reply}))


def count_soft(connection: Connection, publication: int, subscriber: int) -> None:
    """Count that a message did not arrive. The connection writes."""
    c = s.subscriber.c
    counted = update(s.subscriber).where(c.publication == publication, c.id == subscriber)
    connection.execute(counted.values(soft_bounces=c.soft_bounces + 1))


def _returned() -> Select[Any]:
    m, r = s.mailing.c, s.subscriber.c
    columns = (
        *(_L.id, _L.at, _L.event, func.coalesce(_L.reply, "").label("said")),
        *(_L.delivery, m.slug, m.purpose, r.id.label("subscriber")),
        func.coalesce(_D.address, r.email, "").label("email"),
    )
    joined = s.ledger.join(s.delivery, _D.id == _L.delivery).join(s.mailing, m.id == _L.mailing)
    chosen = select(*columns).select_from(joined.outerjoin(s.subscriber, r.id == _D.subscriber))
    return chosen.where(_CAME_BACK)


def _reached() -> Select[Any]:
    m, r = s.mailing.c, s.subscriber.c
    columns = (
        *(_D.id, _D.mailing, m.ref.label("mailing_ref"), m.slug, m.domain, m.purpose),
        *(r.id.label("subscriber"), r.ref.label("subscriber_ref"), r.email, r.address_hash),
        _D.address,
    )
    joined = s.delivery.join(s.mailing, m.id == _D.mailing)
    # What comes back from another address says nothing of the subscriber's own.
    is_theirs = and_(r.id == _D.subscriber, _D.address.is_(None))
    return select(*columns).select_from(joined.outerjoin(s.subscriber, is_theirs))
