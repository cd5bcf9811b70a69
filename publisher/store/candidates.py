"""What may be taken next: deliveries of a mailing, or single messages, read in pages."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, case, func, literal, select

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
    chosen = _candidates(publication, scope, "queued")
    chosen = chosen.where(_D.next_attempt_at.is_(None), _D.id > after)
    if last is not None:
        chosen = chosen.where(_D.id <= last)
    return _to_candidates(connection.execute(chosen.order_by(_D.id).limit(limit)))


def find_due(
    connection: Connection, publication: int, scope: Scope, now: datetime, limit: int
) -> list[Candidate]:
    """The deferred deliveries whose time has come, the longest due first."""
    chosen = _candidates(publication, scope, "deferred").where(_D.next_attempt_at <= now)
    return _to_candidates(connection.execute(chosen.order_by(_D.next_attempt_at).limit(limit)))


def find_next_due(
    connection: Connection, publication: int, scope: Scope, after: datetime
) -> datetime | None:
    """When, after a moment, the next deferred delivery may be tried."""
    chosen = select(func.min(_D.next_attempt_at)).where(
        *_in_scope(publication, scope), _D.status == literal_status("deferred"), NOT_SENT
    )
    return connection.execute(chosen.where(_D.next_attempt_at > after)).scalar()


def _candidates(publication: int, scope: Scope, status: DeliveryStatus) -> Any:
    pinned = case((_D.doubts > 0, func.coalesce(_D.relay, "")), else_="")
    return (
        select(_D.id, _D.mailing, func.coalesce(_D.address, _S.email, ""), pinned)
        .select_from(s.delivery.outerjoin(s.subscriber, _S.id == _D.subscriber))
        .where(*_in_scope(publication, scope), _D.status == literal_status(status), NOT_SENT)
    )


def _in_scope(publication: int, scope: Scope) -> tuple[Any, ...]:
    if isinstance(scope, Range):
        return (_D.mailing == scope.mailing, _D.id.between(scope.first, scope.last))
    if scope is not None:
        return (_D.mailing == scope,)
    singles = select(s.mailing.c.id).where(
        s.mailing.c.status == literal("sending", literal_execute=True),
        s.mailing.c.purpose.not_in(TO_MANY),
        s.mailing.c.publication == publication,
    )
    return (_D.mailing.in_(singles),)


def _to_candidates(rows: Iterable[Any]) -> list[Candidate]:
    return [
        Candidate(id, of, email.rpartition("@")[2].lower(), relay) for id, of, email, relay in rows
    ]
