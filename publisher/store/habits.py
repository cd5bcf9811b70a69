"""What a publication's record says of how it goes: its readers' domains, its editors, its relay."""

from collections import Counter
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, func, select

from publisher.mailing.schedule import OccurrenceStatus
from publisher.store import schema as s
from publisher.store.functions import place_of
from publisher.store.reachable import may_be_mailed as may_be_mailed
from publisher.store.totals import count_folded, find_fold

# Habits change: what is older than this many firings, or mailings, is left out.
_FIRINGS = 200
_MAILINGS = 10


class PastFiring(msgspec.Struct, frozen=True, kw_only=True):
    """An occurrence that was due, and what came of it. `ran_at` is when that was written."""

    schedule: str
    due: datetime
    status: OccurrenceStatus
    slug: str | None
    ran_at: datetime | None


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the last mailings together.

    `messages` were begun within `span`; `deferred` took more than one attempt, `failed` never went.
    """

    messages: int
    deferred: int
    failed: int
    span: timedelta


def count_domains(connection: Connection, publication: int, now: datetime) -> dict[str, int]:
    """How many would get an issue now, by their domain, the largest first."""
    email = func.lower(s.subscriber.c.email)
    behind, number = func.substr(email, place_of(email, "@") + 1), func.count()
    chosen = select(behind, number).where(*may_be_mailed(publication, now)).group_by(behind)
    domains: dict[str, int] = {}
    for text, readers in connection.execute(chosen):
        # What stands in quotes before the @ may have another one.
        domain = text.rpartition("@")[2]
        domains[domain] = domains.get(domain, 0) + readers
    return dict(sorted(domains.items(), key=lambda each: (-each[1], each[0])))


def find_past_firings(connection: Connection, publication: int, now: datetime) -> list[PastFiring]:
    """The last firings of all schedules that are over, the newest first."""
    o = s.occurrence.c
    columns = (o.schedule, o.due_at.label("due"), o.status, o.slug, o.ran_at)
    chosen = select(*columns).where(
        o.publication == publication, o.due_at <= now, o.status.in_(("fired", "missed"))
    )
    rows = connection.execute(chosen.order_by(o.due_at.desc(), o.schedule).limit(_FIRINGS))
    return [PastFiring(**row._mapping) for row in rows]


def sum_up_mailings(connection: Connection, publication: int) -> Tried:
    """What came of the last finished mailings of issues."""
    m, d = s.mailing.c, s.delivery.c
    chosen = select(m.id).where(
        m.publication == publication, m.purpose == "issue", m.status == "finished"
    )
    messages = deferred = failed = 0
    span = timedelta(0)
    for (mailing,) in connection.execute(chosen.order_by(m.id.desc()).limit(_MAILINGS)).all():
        count, later, lost, first, last = connection.execute(
            select(
                func.count(),
                func.count().filter(d.attempts > 1),
                func.count().filter(d.status == "failed"),
                func.min(d.first_attempt_at),
                func.max(d.first_attempt_at),
            ).where(d.mailing == mailing, d.first_attempt_at.is_not(None))
        ).one()
        if fold := find_fold(connection, mailing):
            count, later = count + fold.tried, later + fold.deferred
            lost += count_folded(connection, [mailing]).get(mailing, Counter())["failed"]
            first = min((each for each in (first, fold.first_at) if each), default=None)
            last = max((each for each in (last, fold.last_at) if each), default=None)
        messages, deferred, failed = messages + count, deferred + later, failed + lost
        span += last - first if count else timedelta(0)
    return Tried(messages=messages, deferred=deferred, failed=failed, span=span)
