"""Subscribers: their addresses, and the record of what they agreed to.

Every change of a subscription's status writes a line of its record in the same transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from publisher.model.audience import Consent, ConsentAction, Subscriber, SubscriptionStatus
from publisher.model.choices import Content, Frequency
from publisher.store import schema as s
from publisher.store.columns import to_milliseconds
from publisher.store.driver import driver_of
from publisher.store.functions import has_part
from publisher.store.variants import read_choices

# What a subscription becomes by what happened to it.
STATUS_AFTER: dict[ConsentAction, SubscriptionStatus] = {
    "asked": "unconfirmed",
    "confirmed": "confirmed",
    "vouched": "confirmed",
    "unsubscribed": "unsubscribed",
}
_TABLE = s.subscriber
# Which addresses are looked up at once; SQLite takes 32,766 values in a statement.
MOST_LOOKED_UP = 20_000


class NewSubscriber(msgspec.Struct, frozen=True, kw_only=True):
    """A subscriber that is to be. `ref` is random, `address_hash` that of the address's key.

    `tags` are as the column has them, as `write_choices` makes it.
    """

    ref: str
    email: str
    name: str
    address_hash: bytes
    language: str = ""
    paused_until: datetime | None = None
    content: Content = "full"
    tags: str = ""
    frequency: Frequency = "daily"


class Known(msgspec.Struct, frozen=True):
    """What an import has to know of a subscriber that there is already."""

    id: int
    name: str
    status: SubscriptionStatus
    changed_at: datetime


def add(connection: Connection, publication: int, new: NewSubscriber, consent: Consent) -> int:
    """Add a subscriber with the first line of their record; gives the id.

    Raises IntegrityError where the address is known. The connection writes.
    """
    values = {
        **msgspec.structs.asdict(new),
        "publication": publication,
        "status": STATUS_AFTER[consent.action],
        "created_at": consent.at,
        "changed_at": consent.at,
    }
    inserted = connection.execute(insert(_TABLE).values(values).returning(_TABLE.c.id))
    subscriber = int(inserted.scalar_one())
    record(connection, publication, subscriber, consent)
    return subscriber


def add_all(
    connection: Connection, publication: int, new: Sequence[NewSubscriber], consent: Consent
) -> int:
    """Add many subscribers with the same first line, in their order.

    Gives the id that all of theirs are above. None may be known. The connection writes.
    """
    before = int(connection.execute(select(func.max(_TABLE.c.id))).scalar() or 0)
    if not new:
        return before
    status = STATUS_AFTER[consent.action]
    insert_all(connection, publication, [(one, status) for one in new], consent.at)
    _record_where(connection, publication, _TABLE.c.id > before, consent)
    return before


def insert_all(
    connection: Connection,
    publication: int,
    new: Sequence[tuple[NewSubscriber, SubscriptionStatus]],
    added_at: datetime,
) -> None:
    """Insert rows by the driver itself: SQLAlchemy takes twice as long to make their values."""
    own = NewSubscriber.__struct_fields__
    names = (*own, "status", "publication", "created_at", "changed_at")
    at = to_milliseconds(added_at)
    fixed = (publication, at, at)
    paused = own.index("paused_until")
    values = [
        (
            *(own_values := msgspec.structs.astuple(one))[:paused],
            None if one.paused_until is None else to_milliseconds(one.paused_until),
            *own_values[paused + 1 :],
            status,
            *fixed,
        )
        for one, status in new
    ]
    driver_of(connection).add_rows("subscriber", names, values)


def list_after(connection: Connection, publication: int, after: int, limit: int) -> list[int]:
    """The ids of subscribers behind an id, in the order in which they were added."""
    found = select(_TABLE.c.id).where(_in_order(publication), _TABLE.c.id > after)
    return list(connection.execute(found.order_by(_TABLE.c.id).limit(limit)).scalars())


def find_by_hash(connection: Connection, publication: int, hash: bytes) -> Subscriber | None:
    return _find(connection, publication, _TABLE.c.address_hash == hash)


def find_by_ref(connection: Connection, publication: int, ref: str) -> Subscriber | None:
    return _find(connection, publication, _TABLE.c.ref == ref)


def find_by_id(connection: Connection, publication: int, subscriber: int) -> Subscriber | None:
    return _find(connection, publication, _TABLE.c.id == subscriber)


def find_known(
    connection: Connection, publication: int, hashes: Sequence[bytes]
) -> dict[bytes, Known]:
    """Those of at most MOST_LOOKED_UP addresses that are subscribers, whatever their status."""
    columns = (_TABLE.c.address_hash, _TABLE.c.id, _TABLE.c.name, _TABLE.c.status)
    found = select(*columns, _TABLE.c.changed_at).where(
        _TABLE.c.publication == publication, _TABLE.c.address_hash.in_(hashes)
    )
    return {row[0]: Known(*row[1:]) for row in connection.execute(found)}


def list_page(
    connection: Connection,
    publication: int,
    *,
    after: int = 0,
    limit: int = 500,
    status: SubscriptionStatus | None = None,
    search: str = "",
) -> list[Subscriber]:
    """Subscribers behind the id `after`, at most `limit`, in the order in which they were added.

    `search` is looked for in addresses and names, in any case where it is ASCII.
    """
    wanted = select_subscribers(_in_order(publication)).where(_TABLE.c.id > after)
    if status:  # which has an index that is in order
        wanted = wanted.where(_TABLE.c.publication == publication, _TABLE.c.status == status)
    if search:
        found = (has_part(each, search) for each in (_TABLE.c.email, _TABLE.c.name))
        wanted = wanted.where(or_(*found))
    rows = connection.execute(wanted.order_by(_TABLE.c.id).limit(limit))
    return [read_subscriber(row) for row in rows]


def read_consents(
    connection: Connection, publication: int, subscribers: Sequence[int]
) -> dict[int, list[Consent]]:
    """The records of subscribers, each from its first line on."""
    c = s.consent.c
    lines = (
        select(c.subscriber, c.at, c.action, c.source, c.origin)
        # By a sum: an index on the publication would have the records of all looked through.
        .where(c.publication + 0 == publication, c.subscriber.in_(subscribers))
        .order_by(c.id)
    )
    records: dict[int, list[Consent]] = {subscriber: [] for subscriber in subscribers}
    for subscriber, at, action, source, origin in connection.execute(lines):
        line = Consent(at=at, action=action, source=source, origin=origin)
        records[subscriber].append(line)
    return records


def find_ends(
    connection: Connection, publication: int, subscribers: Sequence[int]
) -> dict[int, datetime]:
    """When each of those who unsubscribed last did so.

    Of who is unconfirmed too: anybody can type the address of somebody who left.
    """
    c = s.consent.c
    ends = (
        select(c.subscriber, func.max(c.at))
        # By a sum, as above.
        .where(c.publication + 0 == publication, c.subscriber.in_(subscribers))
        .where(c.action == "unsubscribed")
        .group_by(c.subscriber)
    )
    return dict(connection.execute(ends).all())


def count_by_status(connection: Connection, publication: int) -> dict[SubscriptionStatus, int]:
    counted = (
        select(_TABLE.c.status, func.count())
        .where(_TABLE.c.publication == publication)
        .group_by(_TABLE.c.status)
    )
    counts: dict[SubscriptionStatus, int] = {"unconfirmed": 0, "confirmed": 0, "unsubscribed": 0}
    return counts | dict(connection.execute(counted).all())


def change_status(
    connection: Connection, publication: int, subscriber: int, consent: Consent
) -> bool:
    """Make of a subscription what a line of its record says; False where it is that already.

    The connection writes.
    """
    return bool(change_all(connection, publication, [subscriber], consent))


def change_all(
    connection: Connection, publication: int, subscribers: Sequence[int], consent: Consent
) -> int:
    """Make of subscriptions what a line of their records says; gives how many it changed.

    Those that are of that status already stay as they are. A pause ends with what it was of. The
    connection writes.
    """
    status = STATUS_AFTER[consent.action]
    concerned = and_(
        _TABLE.c.publication == publication,
        _TABLE.c.id.in_(subscribers),
        _TABLE.c.status != status,
    )
    changed = _record_where(connection, publication, concerned, consent)
    values = {"status": status, "paused_until": None, "changed_at": consent.at}
    connection.execute(update(_TABLE).where(concerned).values(values))
    return changed


def rename(
    connection: Connection, publication: int, subscriber: int, name: str, at: datetime
) -> None:
    """Give a subscriber another name. The connection writes."""
    concerned = _by_id(publication, subscriber)
    connection.execute(update(_TABLE).where(*concerned).values(name=name, changed_at=at))


def rename_all(
    connection: Connection, publication: int, names: Sequence[tuple[int, str]], at: datetime
) -> None:
    """Give subscribers, by their ids, other names. The connection writes."""
    if names:
        concerned = _by_id(publication, bindparam("subscriber"))
        changed = update(_TABLE).where(*concerned).values(name=bindparam("given"), changed_at=at)
        connection.execute(changed, [{"subscriber": id_, "given": name} for id_, name in names])


def touch(connection: Connection, publication: int, subscriber: int, at: datetime) -> None:
    """Note that something was done with a subscriber now. The connection writes."""
    concerned = _by_id(publication, subscriber)
    connection.execute(update(_TABLE).where(*concerned).values(changed_at=at))


def drop_unconfirmed(connection: Connection, publication: int, subscriber: int) -> None:
    """Forget somebody who never confirmed, and their record with them. The connection writes."""
    concerned = _by_id(publication, subscriber)
    connection.execute(delete(_TABLE).where(*concerned, _TABLE.c.status == "unconfirmed"))


def unsubscribe(
    connection: Connection, publication: int, subscriber: int, consent: Consent
) -> bool:
    """End a subscription; the record stays. False where it had ended. The connection writes."""
    return change_status(connection, publication, subscriber, consent)


def _in_order(publication: int) -> ColumnElement[bool]:
    """A publication's, by a sum: an index on it would have all of them sorted for each page."""
    return _TABLE.c.publication + 0 == publication


def select_subscribers(of_publication: ColumnElement[bool]) -> Select[Any]:
    """A publication's subscribers, by a condition that says which; `read_subscriber` reads rows."""
    is_suppressed = exists().where(
        s.suppression.c.publication == _TABLE.c.publication,
        s.suppression.c.address_hash == _TABLE.c.address_hash,
    )
    columns = (
        *(_TABLE.c.id, _TABLE.c.ref, _TABLE.c.email, _TABLE.c.name, _TABLE.c.status),
        *(_TABLE.c.language, _TABLE.c.paused_until, is_suppressed.label("is_suppressed")),
        *(_TABLE.c.content, _TABLE.c.tags, _TABLE.c.frequency),
    )
    return select(*columns).where(of_publication)


def _find(
    connection: Connection, publication: int, condition: ColumnElement[bool]
) -> Subscriber | None:
    wanted = select_subscribers(_TABLE.c.publication == publication).where(condition)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else read_subscriber(row)


def read_subscriber(row: Row[Any]) -> Subscriber:
    id_, ref, email, name, status, language, paused_until, is_suppressed, *chosen = tuple(row)
    return Subscriber(
        id=id_,
        ref=ref,
        email=email,
        name=name,
        status=status,
        is_suppressed=bool(is_suppressed),
        language=language,
        paused_until=paused_until,
        choices=read_choices(*chosen),
    )


def _by_id(
    publication: int, subscriber: int | BindParameter[int]
) -> tuple[ColumnElement[bool], ...]:
    return (_TABLE.c.publication == publication, _TABLE.c.id == subscriber)


def record(connection: Connection, publication: int, subscriber: int, consent: Consent) -> None:
    """Add a line to a subscriber's record that leaves their status. The connection writes."""
    line = msgspec.structs.asdict(consent)
    connection.execute(
        insert(s.consent).values(publication=publication, subscriber=subscriber, **line)
    )


def _record_where(
    connection: Connection, publication: int, concerned: ColumnElement[bool], consent: Consent
) -> int:
    """Write the same line into the record of each subscriber concerned; gives their number."""
    line = msgspec.structs.asdict(consent)
    c = s.consent.c
    values = [literal(value, c[key].type).label(key) for key, value in line.items()]
    lines = select(_TABLE.c.publication, _TABLE.c.id, *values).where(
        _TABLE.c.publication == publication, concerned
    )
    names = ["publication", "subscriber", *line]
    return connection.execute(
        insert(s.consent).from_select(names, lines.order_by(_TABLE.c.id))
    ).rowcount
