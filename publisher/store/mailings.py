"""Mailings: found, then paused, resumed, cancelled, finished."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from publisher.mailing.transitions import MAILING_TRANSITIONS
from publisher.model.delivery import DELIVERY_STATUSES, OF_ISSUES, TO_MANY, Counts, Mailing, Purpose
from publisher.store import schema as s
from publisher.store.totals import count_folded

_OPEN = ("queued", "sending", "deferred")
_UNFINISHED = ("sending", "paused")
_NOT_SENT = tuple(status for status in DELIVERY_STATUSES if status != "sent")
_is_to_all = s.mailing.c.purpose.in_(OF_ISSUES)


def _newest(name: str) -> Any:
    """A column of what a mailing was revised to last, or else of what it began with."""
    c = s.mailing_content.c
    is_newest = (c.mailing == s.mailing.c.id, c.revision == s.mailing.c.revision, c.variant == 0)
    revised = select(c[name]).where(*is_newest).correlate(s.mailing).scalar_subquery()
    return func.coalesce(revised, s.mailing.c[name]).label(name)


def _folded_at() -> Any:
    c = s.mailing_fold.c
    its = select(c.begun_at).where(c.mailing == s.mailing.c.id).correlate(s.mailing)
    return its.scalar_subquery().label("folded_at")


_COLUMNS = (
    *(s.mailing.c.id, s.mailing.c.ref, s.mailing.c.issue, s.mailing.c.slug, s.mailing.c.purpose),
    *(s.mailing.c.status, s.mailing.c.reason, _newest("digest"), _newest("version")),
    *(s.mailing.c.revision, s.mailing.c.recipients),
    *(s.mailing.c.created_at, s.mailing.c.finished_at),
    *(s.mailing.c.canary_last, s.mailing.c.canary_until, _folded_at()),
)


def find_mailing(
    connection: Connection, publication: int, issue: str, purpose: Purpose = "issue"
) -> Mailing | None:
    """The mailing of an issue's id, where there is one."""
    row = connection.execute(
        select(*_COLUMNS).where(
            s.mailing.c.publication == publication,
            s.mailing.c.issue == issue,
            s.mailing.c.purpose == purpose,
        )
    ).first()
    return _mailing(row) if row else None


def find_mailing_by_slug(connection: Connection, publication: int, slug: str) -> Mailing | None:
    """The newest mailing of an issue that had this NAME when it was sent, or the week's of it."""
    row = connection.execute(
        select(*_COLUMNS)
        .where(
            s.mailing.c.publication == publication,
            s.mailing.c.slug == slug,
            s.mailing.c.purpose.in_(OF_ISSUES),
        )
        .order_by(s.mailing.c.id.desc())
        .limit(1)
    ).first()
    return _mailing(row) if row else None


def find_mailing_by_ref(connection: Connection, publication: int, ref: str) -> Mailing | None:
    """A mailing by its random name, whatever it is for."""
    chosen = select(*_COLUMNS).where(s.mailing.c.publication == publication, s.mailing.c.ref == ref)
    row = connection.execute(chosen).first()
    return _mailing(row) if row else None


def find_last_test(connection: Connection, publication: int, slug: str) -> Mailing | None:
    """The newest trial mailing of the issue with this NAME."""
    m = s.mailing.c
    # By the index of issues: a trial's is a word of its own that begins like this.
    is_test = (m.issue > "test-", m.issue < "test.", m.purpose == "test")
    chosen = select(*_COLUMNS).where(m.publication == publication, *is_test, m.slug == slug)
    row = connection.execute(chosen.order_by(m.id.desc()).limit(1)).first()
    return _mailing(row) if row else None


def list_mailing_page(
    connection: Connection,
    publication: int,
    *,
    purpose: Purpose = "issue",
    status: str = "",
    before: int = 0,
    limit: int,
) -> list[Mailing]:
    """The newest mailings before one, by its row's id; of all of them where that is 0."""
    m = s.mailing.c
    # By a sum: an index on the publication would have all of them sorted for each page.
    chosen = select(*_COLUMNS).where(m.publication + 0 == publication, m.purpose == purpose)
    if status:
        chosen = chosen.where(m.status == status)
    if before:
        chosen = chosen.where(m.id < before)
    return [_mailing(row) for row in connection.execute(chosen.order_by(m.id.desc()).limit(limit))]


def get_mailing(connection: Connection, mailing: int) -> Mailing:
    """A mailing by its row's id."""
    return _mailing(connection.execute(select(*_COLUMNS).where(s.mailing.c.id == mailing)).one())


def get_domain(connection: Connection, mailing: int) -> str:
    """The domain of a mailing's Message-IDs."""
    chosen = select(s.mailing.c.domain).where(s.mailing.c.id == mailing)
    return str(connection.execute(chosen).scalar_one())


def list_issue_mailings(
    connection: Connection,
    publication: int,
    limit: int | None = None,
    before: int = 0,
    purpose: Purpose = "issue",
) -> list[Mailing]:
    """The mailings of issues, the newest first; all without a limit, with `before` older ones."""
    chosen = select(*_COLUMNS).where(
        s.mailing.c.publication == publication,
        # A literal, or the partial index is not used.
        s.mailing.c.purpose == literal(purpose, literal_execute=True),
    )
    if before:
        chosen = chosen.where(s.mailing.c.id < before)
    rows = connection.execute(chosen.order_by(s.mailing.c.id.desc()).limit(limit))
    return [_mailing(row) for row in rows]


def list_mailings_of_issues(
    connection: Connection, publication: int, limit: int | None = None, before: int = 0
) -> list[Mailing]:
    """The mailings of issues and of weeks, as those of issues alone are listed."""
    both = [
        each
        for purpose in OF_ISSUES
        for each in list_issue_mailings(connection, publication, limit, before, purpose)
    ]
    return sorted(both, key=lambda each: -each.id)[:limit]


def list_active_mailings(connection: Connection, publication: int) -> list[Mailing]:
    """What is being sent, in the order in which it is: single messages, corrections, the others.

    Of each the oldest is first.
    """
    rows = connection.execute(
        select(*_COLUMNS)
        .where(
            # A literal, or the partial index is not used.
            s.mailing.c.status.in_([literal("sending", literal_execute=True)]),
            s.mailing.c.publication == publication,
        )
        .order_by(*(_is_to_all, s.mailing.c.purpose == "correction", s.mailing.c.id))
    )
    return [_mailing(row) for row in rows]


def list_unfinished_mailings(connection: Connection, publication: int) -> list[int]:
    """The mailings to many that are sending or paused."""
    chosen = select(s.mailing.c.id).where(
        s.mailing.c.status.in_([literal(each, literal_execute=True) for each in _UNFINISHED]),
        s.mailing.c.publication == publication,
        s.mailing.c.purpose.in_(TO_MANY),
    )
    return list(connection.execute(chosen).scalars())


def _mailing(row: Any) -> Mailing:
    return Mailing(**row._mapping)


def change_mailing(
    connection: Connection,
    publication: int,
    mailing: int,
    event: str,
    now: datetime,
    *,
    reason: str = "",
) -> bool:
    """Move a mailing as `event` does; False where its status does not allow that.

    The connection writes. `reason` is shown with a paused one.
    """
    transition = MAILING_TRANSITIONS[event]
    finished_at = now if transition.after in ("finished", "cancelled") else None
    changed = connection.execute(
        update(s.mailing)
        .where(s.mailing.c.id == mailing, s.mailing.c.status.in_(transition.before))
        .values(status=transition.after, reason=reason, finished_at=finished_at)
    )
    if changed.rowcount:
        record_event(connection, publication, mailing, event, now, reason)
    return bool(changed.rowcount)


def reopen_mailing(connection: Connection, publication: int, mailing: int, now: datetime) -> bool:
    """Let a finished mailing be sent again, for deliveries that were queued again."""
    return change_mailing(connection, publication, mailing, "reopened", now)


def finish_if_done(connection: Connection, publication: int, mailing: int, now: datetime) -> bool:
    """Finish a mailing that has no delivery left to be tried. The connection writes."""
    is_open = select(s.delivery.c.id).where(
        s.delivery.c.mailing == mailing,
        s.delivery.c.status.in_([literal(status, literal_execute=True) for status in _OPEN]),
        s.delivery.c.status != literal("sent", literal_execute=True),
    )
    if connection.execute(is_open.limit(1)).first():
        return False
    return change_mailing(connection, publication, mailing, "finished", now)


def count_deliveries(connection: Connection, mailing: Mailing) -> Counts:
    """How many deliveries are in each status; what was sent is the rest, which is most of it."""
    rows = connection.execute(
        select(s.delivery.c.status, func.count())
        .where(
            s.delivery.c.mailing == mailing.id,
            s.delivery.c.status != literal("sent", literal_execute=True),
        )
        .group_by(s.delivery.c.status)
    )
    folded = count_folded(connection, [mailing.id]) if mailing.folded_at else {}
    others = Counter({row[0]: row[1] for row in rows}) + folded.get(mailing.id, Counter())
    return _sum_up(mailing, {name: others[name] for name in others if name in _NOT_SENT})


def _sum_up(mailing: Mailing, others: Mapping[str, int]) -> Counts:
    """Counts from those of all statuses but `sent`."""
    known = {status: others.get(status, 0) for status in DELIVERY_STATUSES}
    return Counts(**known | {"sent": mailing.recipients - sum(others.values())})


def find_last_event(connection: Connection) -> tuple[int, str]:
    """The ledger's last line but for what the relay was not reached with, and its very last event.

    0 and an empty event where there is none.
    """
    lines = s.ledger.c
    last = connection.execute(select(lines.id, lines.event).order_by(lines.id.desc()).limit(1))
    row = last.first()
    if row is None:
        return 0, ""
    moved = select(lines.id).where(lines.event != "released").order_by(lines.id.desc()).limit(1)
    return int(connection.execute(moved).scalar() or 0), str(row.event)


def record_event(
    connection: Connection,
    publication: int,
    mailing: int,
    event: str,
    now: datetime,
    reason: str = "",
) -> None:
    """Write a line of the ledger about a mailing as a whole."""
    connection.execute(
        insert(s.ledger).values(
            publication=publication, mailing=mailing, at=now, event=event, reply=reason or None
        )
    )
