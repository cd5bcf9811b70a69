"""Subscribers among very many: by how they stand, by what is typed; the newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import ColumnElement, Connection, func, or_, select

from publisher.model.audience import Subscriber, SubscriptionStatus
from publisher.store import schema as s
from publisher.store.functions import has_part
from publisher.store.reachable import has_paused, is_suppressed
from publisher.store.subscribers import (
    count_by_status,
    read_subscriber,
    select_subscribers,
)

# How subscribers stand: their subscription's status, or what keeps issues from them all the same.
Standing = Literal["confirmed", "unconfirmed", "unsubscribed", "paused", "suppressed"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)
_STATUSES: tuple[SubscriptionStatus, ...] = get_args(SubscriptionStatus)

_S = s.subscriber.c


def find_newest(
    connection: Connection,
    publication: int,
    now: datetime,
    *,
    standing: Standing | None = None,
    search: str = "",
    before: int = 0,
    limit: int,
) -> list[Subscriber]:
    """The newest subscribers before one, by its id; of all of them where that is 0.

    `search` is looked for in addresses and names, in any case where it is ASCII.
    """
    # By sums: in the order of ids, none has to be sorted for a page.
    wanted = select_subscribers(_S.publication + 0 == publication)
    if standing in _STATUSES:  # which has an index that is in order
        wanted = wanted.where(_S.publication == publication, _S.status == standing)
    elif standing:
        wanted = wanted.where(_is_kept_from(publication, standing, now))
    if search:
        found = (has_part(each, search) for each in (_S.email, _S.name))
        wanted = wanted.where(or_(*found))
    if before:
        wanted = wanted.where(_S.id < before)
    rows = connection.execute(wanted.order_by(_S.id.desc()).limit(limit))
    return [read_subscriber(row) for row in rows]


def count_standings(connection: Connection, publication: int, now: datetime) -> dict[Standing, int]:
    """How many stand how; who has paused or is suppressed is in another number as well."""
    by_status = count_by_status(connection, publication)
    counts: dict[Standing, int] = {each: by_status[each] for each in _STATUSES}
    others: Sequence[Standing] = ("paused", "suppressed")
    for standing in others:
        counted = select(func.count()).select_from(s.subscriber)
        counted = counted.where(_S.publication == publication)
        counted = counted.where(_is_kept_from(publication, standing, now))
        counts[standing] = int(connection.execute(counted).scalar_one())
    return counts


def _is_kept_from(publication: int, standing: Standing, now: datetime) -> ColumnElement[bool]:
    """Who gets no issue whatever their status."""
    is_paused = standing == "paused"
    return has_paused(publication, now) if is_paused else is_suppressed(publication)
