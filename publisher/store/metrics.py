"""What is measured of a publication: asked for every few seconds, also with a million deliveries.

What was sent is most of it and is never counted row by row: it is what remains.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, func, literal, select

from publisher.model.delivery import DELIVERY_STATUSES, OF_ISSUES
from publisher.store import schema as s
from publisher.store.totals import count_folded

_L = s.ledger.c
_M = s.mailing.c
_D = s.delivery.c
RATE_SECONDS = 60
FAILED_WITHIN = timedelta(days=1)
_NOT_SENT = tuple(status for status in DELIVERY_STATUSES if status != "sent")
_FAILED = ("failed", "expired", "parked")


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a mailing that is sending or paused is; `counts` by the deliveries' status."""

    ref: str
    slug: str
    status: str
    counts: Mapping[str, int]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Mailings are those of issues and weeks. `oldest_queued_at` is when the oldest one began that
    is sending and has deliveries nobody has tried.
    """

    mailings: Mapping[str, int]
    deliveries: Mapping[str, int]
    active: tuple[Progress, ...]
    accepted: int
    failed: int
    oldest_queued_at: datetime | None
    alerts: Mapping[str, int]


def measure(connection: Connection, publication: int, now: datetime) -> Measured:
    """Measure it all, in one view of the database."""
    chosen = select(_M.id, _M.ref, _M.slug, _M.status, _M.recipients, _M.created_at)
    mailings = [
        row
        for purpose in OF_ISSUES
        # A literal, or the partial index is not used.
        for row in connection.execute(
            chosen.where(
                _M.publication == publication,
                _M.purpose == literal(purpose, literal_execute=True),
            )
        )
    ]
    others = _count_others(connection, [row.id for row in mailings])
    counts = {row.id: _complete(others.get(row.id, {}), row.recipients) for row in mailings}
    totals: Counter[str] = Counter(_complete({}, 0))
    for each in counts.values():
        totals.update(each)
    queued = [r.created_at for r in mailings if r.status == "sending" and counts[r.id]["queued"]]
    return Measured(
        mailings=Counter(row.status for row in mailings),
        deliveries=totals,
        active=tuple(
            Progress(ref=row.ref, slug=row.slug, status=row.status, counts=counts[row.id])
            for row in mailings
            if row.status in ("sending", "paused")
        ),
        accepted=_count_accepted(connection, publication, now - timedelta(seconds=RATE_SECONDS)),
        failed=_count_failed(connection, publication, now - FAILED_WITHIN),
        oldest_queued_at=min(queued, default=None),
        alerts=_count_alerts(connection, publication),
    )


def _count_others(connection: Connection, mailings: list[int]) -> dict[int, Counter[str]]:
    """How many deliveries of each mailing are in each status but sent."""
    counted = (
        select(_D.mailing, _D.status, func.count())
        .where(_D.status != literal("sent", literal_execute=True))
        .group_by(_D.mailing, _D.status)
    )
    known, found = set(mailings), dict[int, Counter[str]]()
    for mailing, status, number in connection.execute(counted):
        if mailing in known:
            found.setdefault(mailing, Counter())[status] = number
    for mailing, folded in count_folded(connection, mailings).items():
        its = found.setdefault(mailing, Counter())
        its.update({each: folded[each] for each in folded if each in _NOT_SENT})
    return found


def _complete(others: Mapping[str, int], recipients: int) -> dict[str, int]:
    known: dict[str, int] = {status: others.get(status, 0) for status in DELIVERY_STATUSES}
    return known | {"sent": recipients - sum(others.values())}


def _count_accepted(connection: Connection, publication: int, since: datetime) -> int:
    first = _find_first_since(connection, since)
    counted = select(func.count()).where(
        _L.id >= first, _L.publication + 0 == publication, _L.event == "accepted", _L.at >= since
    )
    return int(connection.execute(counted).scalar_one())


def _find_first_since(connection: Connection, since: datetime) -> int:
    """Where in the ledger the lines since a moment begin, which are in the order of time."""
    low = 0
    high = int(connection.execute(select(func.max(_L.id))).scalar() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        line = select(_L.id, _L.at).where(_L.id >= middle).order_by(_L.id).limit(1)
        row = connection.execute(line).first()
        if row is None or row.at >= since:
            high = middle
        else:
            low = row.id + 1
    return low


def _count_failed(connection: Connection, publication: int, since: datetime) -> int:
    counted = select(func.count()).where(
        # As the partial index has it, or that is not used.
        _L.event.in_([literal(event, literal_execute=True) for event in _FAILED]),
        _L.publication == publication,
        _L.at >= since,
    )
    return int(connection.execute(counted).scalar_one())


def _count_alerts(connection: Connection, publication: int) -> dict[str, int]:
    a = s.alert.c
    counted = select(a.kind, func.count()).where(
        a.publication == publication, a.cleared_at.is_(None)
    )
    return dict(connection.execute(counted.group_by(a.kind)).all())
