"""Who may be mailed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from publisher.store import schema as s

_S, _X = s.subscriber.c, s.suppression.c


def may_be_mailed(publication: int, now: datetime) -> tuple[Any, ...]:
    """The conditions that a subscriber may be sent an issue now."""
    suppressed = exists().where(
        _X.publication == _S.publication, _X.address_hash == _S.address_hash
    )
    return (
        _S.publication == publication,
        _S.status == "confirmed",
        or_(_S.paused_until.is_(None), _S.paused_until <= now),
        ~suppressed,
    )


def count_mailable(connection: Connection, publication: int, now: datetime) -> int:
    """How many may be sent an issue now: those who subscribe, but for the few who are kept from it.

    None of a million is looked at for that; their index is counted.
    """
    its = _S.publication == publication
    is_here = or_(_S.paused_until.is_(None), _S.paused_until <= now)
    suppressed = (is_suppressed(publication), _S.status + "" == "confirmed", is_here)
    return (
        _count(connection, its, _S.status == "confirmed")
        - _count(connection, has_paused(publication, now))
        - _count(connection, its, *suppressed)
    )


def has_paused(publication: int, now: datetime) -> ColumnElement[bool]:
    """The condition that a subscriber has paused, as the partial index has it, in its order."""
    those = (_S.publication == publication, _S.paused_until.is_not(None), _S.paused_until > now)
    # By a sum: the index by status would have all who are confirmed looked through.
    return and_(*those, _S.status + "" == "confirmed")


def is_suppressed(publication: int) -> ColumnElement[bool]:
    """The condition that a publication's subscriber is suppressed, found by the suppressions."""
    return _S.address_hash.in_(select(_X.address_hash).where(_X.publication == publication))


def _count(connection: Connection, *those: ColumnElement[bool]) -> int:
    counted = select(func.count()).select_from(s.subscriber).where(*those)
    return int(connection.execute(counted).scalar_one())
