"""A mailing's canary: the deliveries up to its `canary_last`, behind which nothing is taken yet.

All functions but `count_canary` need a connection that writes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, insert, or_, select, update

from publisher.mailing.canary import Tried
from publisher.store import schema as s
from publisher.store.batches import enqueue_batches

_D, _S, _M, _L = s.delivery.c, s.subscriber.c, s.mailing.c, s.ledger.c
_COLUMNS = ("publication", "mailing", "subscriber", "variant")
_UNTRIED = ("queued", "sending")
_CAME_BACK = ("bounced", "soft_bounced", "complained")


def enqueue_canary(
    connection: Connection,
    publication: int,
    mailing: int,
    readers: Select[Any],
    *,
    first: int,
    seeds: Sequence[str],
) -> int:
    """Enqueue seeds and the first `readers`; gives how many. What is enqueued later is the rest.

    A seed that is no subscriber's gets it as an address, and whole.
    """
    addresses = [each.lower() for each in seeds]
    is_seed = func.lower(_S.email).in_(addresses)
    known = connection.execute(
        select(func.lower(_S.email)).where(_S.publication == publication, is_seed)
    )
    strangers = set(addresses) - set(known.scalars())
    count = 0
    for chosen in (readers.where(is_seed), readers.where(~is_seed).order_by(_S.id).limit(first)):
        count += connection.execute(insert(s.delivery).from_select(_COLUMNS, chosen)).rowcount
    row = {"publication": publication, "mailing": mailing}
    for address in sorted(strangers):
        connection.execute(insert(s.delivery).values(row | {"address": address}))
    last = select(func.max(_D.id)).where(_D.mailing == mailing).scalar_subquery()
    connection.execute(update(s.mailing).where(_M.id == mailing).values(canary_last=last))
    return count + len(strangers)


def is_not_enqueued(mailing: int) -> Any:
    """The condition that a subscriber is not among a mailing's deliveries."""
    return ~exists().where(_D.mailing == mailing, _D.subscriber == _S.id)


def count_canary(connection: Connection, mailing: int, last: int) -> Tried | None:
    """How the canary fared; None where some were not tried yet."""
    came_back = exists().where(_L.delivery == _D.id, _L.event.in_(_CAME_BACK))
    is_refused = or_(_D.status == "failed", and_(_D.status == "sent", came_back))
    chosen = select(
        func.count(), func.count().filter(is_refused), func.count().filter(_D.status.in_(_UNTRIED))
    ).where(_D.mailing == mailing, _D.id <= last)
    total, refused, untried = connection.execute(chosen).one()
    return None if untried else Tried(total, refused)


def wait_until(connection: Connection, mailing: int, moment: datetime) -> None:
    """Let the rest wait for a moment."""
    connection.execute(update(s.mailing).where(_M.id == mailing).values(canary_until=moment))


def release(connection: Connection, mailing: int) -> None:
    """Let the rest be taken as soon as the mailing is being sent."""
    values = {"canary_last": None, "canary_until": None}
    connection.execute(update(s.mailing).where(_M.id == mailing).values(values))
    enqueue_batches(connection, mailing)
