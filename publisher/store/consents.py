"""Many subscribers at once, each with lines of their own in the record of what they agreed to."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select, update

from publisher.model.audience import Consent, SubscriptionStatus
from publisher.store import schema as s
from publisher.store.columns import to_milliseconds
from publisher.store.driver import driver_of
from publisher.store.subscribers import NewSubscriber, insert_all

_C, _R = s.consent.c, s.subscriber.c


class Draft(msgspec.Struct, frozen=True):
    """Somebody who is to be a subscriber, and the lines that their record begins with."""

    new: NewSubscriber
    status: SubscriptionStatus
    lines: tuple[Consent, ...]


def add_each(
    connection: Connection, publication: int, drafts: Sequence[Draft], at: datetime
) -> list[int]:
    """Add subscribers, in their order, each with the lines of their record; gives their ids.

    None may be known. The connection writes.
    """
    before = int(connection.execute(select(func.max(_R.id))).scalar() or 0)
    if not drafts:
        return []
    insert_all(connection, publication, [(one.new, one.status) for one in drafts], at)
    added = connection.execute(select(_R.ref, _R.id).where(_R.id > before))
    ids: dict[str, int] = dict(added.all())
    record_all(connection, publication, [(ids[one.new.ref], one.lines) for one in drafts])
    return [ids[one.new.ref] for one in drafts]


def change_each(
    connection: Connection,
    publication: int,
    changed: Sequence[tuple[int, Sequence[Consent]]],
    status: SubscriptionStatus,
    at: datetime,
) -> None:
    """Give subscribers, by their ids, another status, each with the lines that say why.

    A pause ends with what it was of. The connection writes.
    """
    ids = [id_ for id_, _ in changed]
    concerned = (_R.publication == publication, _R.id.in_(ids))
    values = {"status": status, "paused_until": None, "changed_at": at}
    connection.execute(update(s.subscriber).where(*concerned).values(values))
    record_all(connection, publication, changed)


def record_all(
    connection: Connection, publication: int, records: Sequence[tuple[int, Sequence[Consent]]]
) -> None:
    """Add lines to the records of subscribers, by their ids. The connection writes."""
    names = ("publication", "subscriber", "at", "action", "source", "origin")
    rows = [
        (publication, id_, to_milliseconds(line.at), line.action, line.source, line.origin)
        for id_, lines in records
        for line in lines
    ]
    if rows:
        # By the driver itself, as in `subscribers.insert_all`.
        driver_of(connection).add_rows("consent", names, rows)


def find_agreements(
    connection: Connection, publication: int, subscribers: Sequence[int]
) -> dict[int, datetime]:
    """When each of those who agreed to it here, and not by a file, last did so."""
    agreed = (
        select(_C.subscriber, func.max(_C.at))
        .where(_C.publication == publication, _C.subscriber.in_(subscribers))
        .where(_C.action.in_(("confirmed", "vouched")), _C.source != "import")
        .group_by(_C.subscriber)
    )
    return dict(connection.execute(agreed).all())
