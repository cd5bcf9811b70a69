"""Schedules' firings: each due time once, with what came of it."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from publisher.mailing.schedule import Occurrence, OccurrenceStatus
from publisher.store import schema as s

_O = s.occurrence.c
_COLUMNS = (_O.schedule, _O.wall, _O.due_at, _O.status, _O.outcome)


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """An occurrence as it is shown: `ran_at` is when its outcome was last written."""

    due: datetime
    status: OccurrenceStatus
    outcome: str
    slug: str | None
    ran_at: datetime | None


def see_schedule(
    connection: Connection, publication: int, name: str, cron: str, zone: str, now: datetime
) -> datetime:
    """When a schedule was first seen as it is now; another rule or zone begins anew.

    Where the clock was put back to before that, it is seen first now. The connection writes.
    """
    key = {"publication": publication, "name": name}
    values = {"cron": cron, "zone": zone, "first_seen_at": now}
    claim = insert(s.schedule).values(key | values)
    connection.execute(claim.on_conflict_do_nothing())
    table = s.schedule.c
    is_it = (table.publication == publication, table.name == name)
    is_other = (table.cron != cron) | (table.zone != zone) | (table.first_seen_at > now)
    connection.execute(update(s.schedule).where(*is_it, is_other).values(values))
    first_seen: datetime = connection.execute(
        select(table.first_seen_at).where(*is_it)
    ).scalar_one()
    return first_seen


def find_gone(connection: Connection, publication: int, names: Collection[str]) -> list[str]:
    """The schedules on record that are none of these."""
    chosen = select(s.schedule.c.name).where(s.schedule.c.publication == publication)
    return sorted(set(connection.execute(chosen).scalars()) - set(names))


def forget_gone(
    connection: Connection, publication: int, names: Collection[str], now: datetime
) -> None:
    """Close what schedules left open that are no more, and forget when they were first seen.

    What came of their firings stays. The connection writes.
    """
    close_open(connection, publication, "there is no such schedule any more", now, names)
    table = s.schedule.c
    connection.execute(
        delete(s.schedule).where(table.publication == publication, table.name.in_(names))
    )


def begin_anew(connection: Connection, publication: int, outcome: str, now: datetime) -> None:
    """Let no schedule do what was due until now. The connection writes."""
    close_open(connection, publication, outcome, now)
    is_it = s.schedule.c.publication == publication
    connection.execute(update(s.schedule).where(is_it).values(first_seen_at=now))


def close_open(
    connection: Connection,
    publication: int,
    outcome: str,
    now: datetime,
    names: Collection[str] | None = None,
) -> None:
    """Close as missed what is open, of these schedules or of all. The connection writes."""
    chosen = update(s.occurrence).where(_O.publication == publication, _O.status == "open")
    if names is not None:
        chosen = chosen.where(_O.schedule.in_(names))
    connection.execute(chosen.values(status="missed", outcome=outcome, ran_at=now))


def forget_later(connection: Connection, publication: int, name: str, now: datetime) -> None:
    """Forget what is still to come, and was recorded while the clock stood ahead.

    It comes again in its time; what fired is kept, and does not. The connection writes.
    """
    is_later = (*_of(publication, name), _O.due_at > now, _O.status != "fired")
    connection.execute(delete(s.occurrence).where(*is_later))


def find_last(
    connection: Connection, publication: int, name: str, now: datetime
) -> list[Occurrence]:
    """The latest occurrence on record that is not due after `now`, or none."""
    chosen = select(*_COLUMNS).where(*_of(publication, name), _O.due_at <= now)
    rows = connection.execute(chosen.order_by(_O.due_at.desc(), _O.wall.desc()).limit(1))
    return [_occurrence(row) for row in rows]


def find_walls_since(
    connection: Connection, publication: int, name: str, since: datetime
) -> set[datetime]:
    """The wall times on record that were due after a moment."""
    chosen = select(_O.wall).where(*_of(publication, name), _O.due_at > since)
    return {datetime.fromisoformat(wall) for wall in connection.execute(chosen).scalars()}


def find_open(connection: Connection, publication: int, name: str) -> list[Occurrence]:
    """The occurrences that may still fire."""
    chosen = select(*_COLUMNS).where(*_of(publication, name), _O.status == "open")
    return [_occurrence(row) for row in connection.execute(chosen)]


def list_open(connection: Connection, publication: int) -> list[tuple[str, datetime]]:
    """The firings of all schedules that may still fire: of which schedule, and its wall time."""
    chosen = select(_O.schedule, _O.wall).where(_O.publication == publication, _O.status == "open")
    rows = connection.execute(chosen)
    return [(schedule, datetime.fromisoformat(wall)) for schedule, wall in rows]


def save_occurrences(
    connection: Connection, publication: int, occurrences: Iterable[Occurrence], now: datetime
) -> None:
    """Record occurrences, or how open ones stand now. The connection writes."""
    for each in occurrences:
        if note_open(connection, publication, each, now):
            continue
        row = {
            "publication": publication,
            "schedule": each.schedule,
            "wall": each.wall.isoformat(timespec="minutes"),
            "due_at": each.due,
        }
        claim = insert(s.occurrence).values(row | _standing(each, now))
        connection.execute(claim.on_conflict_do_nothing())


def note_open(
    connection: Connection, publication: int, occurrence: Occurrence, now: datetime
) -> bool:
    """Note how an open occurrence stands now; False where it is not, or not any more, open.

    The connection writes.
    """
    chosen = update(s.occurrence).where(*_is_it(publication, occurrence), _O.status == "open")
    return bool(connection.execute(chosen.values(_standing(occurrence, now))).rowcount)


def _standing(occurrence: Occurrence, now: datetime) -> dict[str, Any]:
    ran_at = None if occurrence.is_open else now
    return {"status": occurrence.status, "outcome": occurrence.outcome, "ran_at": ran_at}


def is_open(connection: Connection, publication: int, occurrence: Occurrence) -> bool:
    """Tell whether an occurrence may still fire: another process may have been first."""
    chosen = select(_O.status).where(*_is_it(publication, occurrence))
    return connection.execute(chosen).scalar() == "open"


def close_fired(
    connection: Connection,
    publication: int,
    occurrence: Occurrence,
    now: datetime,
    *,
    outcome: str,
    issue: str,
    slug: str,
    mailing: int,
) -> None:
    """Close an open occurrence as fired. The connection writes."""
    values = {"outcome": outcome, "issue": issue, "slug": slug, "mailing": mailing, "ran_at": now}
    chosen = update(s.occurrence).where(*_is_it(publication, occurrence))
    connection.execute(chosen.values(status="fired", **values))


def find_last_firing(
    connection: Connection, publication: int, name: str, now: datetime
) -> Firing | None:
    """The newest occurrence that was due, and what came of it."""
    return next(iter(list_firings(connection, publication, name, now, limit=1)), None)


def list_firings(
    connection: Connection, publication: int, name: str, now: datetime, *, limit: int
) -> list[Firing]:
    """The newest occurrences that were due, and what came of each."""
    columns = (_O.due_at.label("due"), _O.status, _O.outcome, _O.slug, _O.ran_at)
    chosen = select(*columns).where(*_of(publication, name), _O.due_at <= now)
    rows = connection.execute(chosen.order_by(_O.due_at.desc(), _O.wall.desc()).limit(limit))
    return [Firing(**row._mapping) for row in rows]


def supersede_issues(
    connection: Connection, publication: int, issues: Iterable[str], now: datetime
) -> None:
    """Record issues that no schedule mails any more. The connection writes."""
    for issue in issues:
        row = {"publication": publication, "issue": issue, "at": now}
        connection.execute(insert(s.superseded).values(row).on_conflict_do_nothing())


def find_superseded(connection: Connection, publication: int) -> set[str]:
    """The ids of issues that a schedule passed over for a newer one."""
    chosen = select(s.superseded.c.issue).where(s.superseded.c.publication == publication)
    return set(connection.execute(chosen).scalars())


def list_superseded(
    connection: Connection, publication: int, limit: int
) -> list[tuple[str, datetime]]:
    """The issues that were passed over last, by their ids, and when."""
    chosen = select(s.superseded.c.issue, s.superseded.c.at)
    chosen = chosen.where(s.superseded.c.publication == publication)
    rows = connection.execute(chosen.order_by(s.superseded.c.id.desc()).limit(limit))
    return [(issue, at) for issue, at in rows]


def find_mailed(connection: Connection, publication: int) -> set[str]:
    """The ids of issues that have a mailing to readers."""
    chosen = select(s.mailing.c.issue).where(
        s.mailing.c.publication == publication, s.mailing.c.purpose == "issue"
    )
    return set(connection.execute(chosen).scalars())


def _is_it(publication: int, occurrence: Occurrence) -> tuple[Any, ...]:
    wall = occurrence.wall.isoformat(timespec="minutes")
    return (*_of(publication, occurrence.schedule), _O.wall == wall)


def _of(publication: int, name: str) -> tuple[Any, ...]:
    return (_O.publication == publication, _O.schedule == name)


def _occurrence(row: Any) -> Occurrence:
    return Occurrence(
        schedule=row.schedule,
        wall=datetime.fromisoformat(row.wall),
        due=row.due_at,
        status=row.status,
        outcome=row.outcome,
    )
