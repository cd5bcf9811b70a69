"""How many subscribe and leave, by their consent records: what a chart of readers is made of."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Connection, func, select, type_coerce

from publisher.store import schema as s
from publisher.store.columns import from_milliseconds

_C = s.consent.c
# Every zone's days begin at a quarter of an hour, and no more lines than these are ever read.
_QUARTER = timedelta(minutes=15) // timedelta(milliseconds=1)
# What makes a subscription a confirmed one.
_AGREED = ("confirmed", "vouched")


class Change(msgspec.Struct, frozen=True):
    """How many became readers, and how many left, in the quarter of an hour that began `at`."""

    at: datetime
    joined: int
    left: int


def find_changes(connection: Connection, publication: int, since: datetime) -> list[Change]:
    """The changes since a moment, in their order. Who was erased is in none of them."""
    is_in = (_C.publication == publication, _C.at >= since)
    # Who confirms another address was a reader before.
    joined = _count_quarters(connection, *is_in, _C.action.in_(_AGREED), _C.source != "address")
    left = _count_quarters(connection, *is_in, _C.action == "unsubscribed", _had_agreed())
    return [
        Change(from_milliseconds(quarter * _QUARTER), joined.get(quarter, 0), left.get(quarter, 0))
        for quarter in sorted({*joined, *left})
    ]


def count_left(connection: Connection, publication: int, since: datetime, until: datetime) -> int:
    """How many readers left by themselves between two moments."""
    by_themselves = ("link", "preferences", "one-click", "mail")
    counted = select(func.count()).where(
        *(_C.publication == publication, _C.at >= since, _C.at < until),
        *(_C.action == "unsubscribed", _C.source.in_(by_themselves)),
    )
    return int(connection.execute(counted).scalar_one())


def _count_quarters(connection: Connection, *is_it: ColumnElement[bool]) -> dict[int, int]:
    quarter = (type_coerce(_C.at, BigInteger) // _QUARTER).label("quarter")
    counted = select(quarter, func.count()).where(*is_it).group_by(quarter)
    return {int(at): int(number) for at, number in connection.execute(counted)}


def _had_agreed() -> ColumnElement[bool]:
    """Tell of a line that the one before it made a reader of them: others leave nothing."""
    earlier = s.consent.alias()
    last = (
        select(earlier.c.action)
        .where(earlier.c.subscriber == _C.subscriber, earlier.c.id < _C.id)
        .order_by(earlier.c.id.desc())
        .limit(1)
    )
    return last.scalar_subquery().in_(_AGREED)
