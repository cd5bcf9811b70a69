"""What may be taken next: deliveries of a mailing, or single messages, read in pages."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, FromClause, Subquery, case, func, literal, select, true

from publisher.model.delivery import TO_MANY, DeliveryStatus
from publisher.store import schema as s

_D, _S = s.delivery.c, s.subscriber.c
# Written as it is, so that the partial index of what was not sent is used.
NOT_SENT = _D.status != literal("sent", literal_execute=True)


class Candidate(msgspec.Struct, frozen=True):
    """A delivery that may be taken, its mailing and its recipient's domain.

    What was ever in doubt goes over the same `relay` again, or not at all; empty is any.
    """

    id: int
    mailing: int
    domain: str
    relay: str = ""


class Range(msgspec.Struct, frozen=True):
    """The deliveries of a mailing with ids from `first` to `last`."""

    mailing: int
    first: int
    last: int


# Which deliveries are meant: those of a mailing, or of a part of it, or (None) of all single
# messages.
Scope = int | Range | None


def literal_status(value: DeliveryStatus) -> Any:
    return literal(value, literal_execute=True)


def find_queued(
    connection: Connection,
    publication: int,
    scope: Scope,
    after: int,
    limit: int,
    last: int | None = None,
) -> list[Candidate]:
    """The next queued deliveries with ids above `after`, none above `last`, by id."""
    waiting = [_is("queued"), NOT_SENT, _D.next_attempt_at.is_(None), _D.id > after]
    if last is not None:
        waiting.append(_D.id <= last)
    # As the index of what was not sent has them: the moment is none for all.
    order = ("next_attempt_at", "id")
    return _find(connection, _in_scope(connection, publication, scope), waiting, order, limit)


def find_due(
    connection: Connection, publication: int, scope: Scope, now: datetime, limit: int
) -> list[Candidate]:
    """The deferred deliveries whose time has come, the longest due first."""
    waiting = [_is("deferred"), NOT_SENT, _D.next_attempt_at <= now]
    those, order = _in_scope(connection, publication, scope), ("next_attempt_at",)
    return _find(connection, those, waiting, order, limit)


def find_next_due(
    connection: Connection, publication: int, scope: Scope, after: datetime
) -> datetime | None:
    """When, after a moment, the next deferred delivery may be tried."""
    of, in_scope = _in_scope(connection, publication, scope)
    chosen = select(func.min(_D.next_attempt_at).label("at")).where(
        in_scope, _is("deferred"), NOT_SENT, _D.next_attempt_at > after
    )
    if of is not None:
        each = chosen.lateral("d")
        chosen = select(func.min(each.c.at)).select_from(of.join(each, true()))
    return connection.execute(chosen).scalar()


def _is(status: DeliveryStatus) -> Any:
    return _D.status == literal_status(status)


def _in_scope(
    connection: Connection, publication: int, scope: Scope
) -> tuple[Subquery | None, Any]:
    """The condition of being meant, and the mailings by which it is to be asked one by one.

    A server takes each of a few single messages for as many deliveries as a mailing has in the
    mean, and would rather look through all that there are.
    """
    if isinstance(scope, Range):
        return None, (_D.mailing == scope.mailing) & _D.id.between(scope.first, scope.last)
    if scope is not None:
        return None, _D.mailing == scope
    singles = select(s.mailing.c.id).where(
        s.mailing.c.status == literal("sending", literal_execute=True),
        s.mailing.c.purpose.not_in(TO_MANY),
        s.mailing.c.publication == publication,
    )
    if connection.dialect.name == "sqlite":  # which has no such joins, and no need of them
        return None, _D.mailing.in_(singles)
    of = singles.subquery("m")
    return of, _D.mailing == of.c.id


def _find(
    connection: Connection,
    scope: tuple[Subquery | None, Any],
    waiting: Iterable[Any],
    order: Iterable[str],
    limit: int,
) -> list[Candidate]:
    """Those that wait, in an order of columns."""
    of, in_scope = scope
    rows: FromClause = s.delivery
    source, conditions = rows, [in_scope, *waiting]
    if of is not None:
        each = select(s.delivery).where(*conditions).order_by(*(_D[name] for name in order))
        rows, conditions = each.limit(limit).lateral("d"), []
        source = of.join(rows, true())
    d = rows.c
    pinned = case((d.doubts > 0, func.coalesce(d.relay, "")), else_="")
    chosen = select(d.id, d.mailing, func.coalesce(d.address, _S.email, ""), pinned)
    chosen = chosen.select_from(source.outerjoin(s.subscriber, _S.id == d.subscriber))
    chosen = chosen.where(*conditions).order_by(*(d[name] for name in order)).limit(limit)
    return _to_candidates(connection.execute(chosen))


def _to_candidates(rows: Iterable[Any]) -> list[Candidate]:
    return [
        Candidate(id, of, email.rpartition("@")[2].lower(), relay) for id, of, email, relay in rows
    ]
