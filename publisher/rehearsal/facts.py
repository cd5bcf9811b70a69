"""What is known of a publication before it is rehearsed; all of it is only looked at."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import median_low
from zoneinfo import ZoneInfo

import msgspec

from publisher.intake.read import read_issue
from publisher.mailing.schedule import Occurrence
from publisher.model.plan import Plan
from publisher.rehearsal.newsroom import File
from publisher.settings import Settings
from publisher.site.scan import read_file, scan_issues
from publisher.store.arming import find_unarmed
from publisher.store.habits import (
    PastFiring,
    Tried,
    count_domains,
    find_past_firings,
    sum_up_mailings,
)
from publisher.store.looking import look
from publisher.store.occurrences import find_mailed, find_open, find_superseded
from publisher.store.place import find_place
from publisher.store.plans import list_waiting
from publisher.store.relays import list_days

# Of a long archive so many are read: what schedules may still take, and how issues are made.
_ISSUES = 100


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The readers by domain, the issues' files, and what is on record.

    `highlights` is how many an issue has, `is_dated` whether issues have a time of day: else their
    date is the midnight before. `unarmed` says why the database sends nothing. `relay_days` are
    those on which a relay sent anything.
    """

    domains: Mapping[str, int] = {}
    files: tuple[File, ...] = ()
    mailed: frozenset[str] = frozenset()
    superseded: frozenset[str] = frozenset()
    open: tuple[Occurrence, ...] = ()
    plans: tuple[Plan, ...] = ()
    past: tuple[PastFiring, ...] = ()
    tried: Tried = Tried(messages=0, deferred=0, failed=0, span=timedelta(0))
    highlights: int = 0
    is_dated: bool = False
    unarmed: str = ""
    relay_days: tuple[tuple[str, date], ...] = ()

    @property
    def readers(self) -> int:
        return sum(self.domains.values())


def read_facts(folder: Path, settings: Settings, now: datetime) -> Facts:
    """Look at a publication, and write nothing. Raises StoreError for a database of another age."""
    zone = ZoneInfo(settings.publication.time_zone)
    files = read_files(folder, zone)
    facts = Facts(
        files=files,
        highlights=median_low([each.highlights for each in files] or [0]),
        is_dated=_is_mostly_dated(files, zone),
    )
    url = settings.database.url
    with look(url, folder, settings.publication.id) as seen:
        if seen is None:
            return facts
        connection, publication = seen
        names = [each.name for each in settings.schedule]
        return msgspec.structs.replace(
            facts,
            domains=count_domains(connection, publication, now),
            mailed=frozenset(find_mailed(connection, publication)),
            superseded=frozenset(find_superseded(connection, publication)),
            open=tuple(e for name in names for e in find_open(connection, publication, name)),
            plans=tuple(list_waiting(connection, publication)),
            past=tuple(find_past_firings(connection, publication, now)),
            tried=sum_up_mailings(connection, publication),
            unarmed=find_unarmed(connection, find_place(url, folder)),
            relay_days=tuple(list_days(connection, publication)),
        )


def read_files(folder: Path, zone: ZoneInfo) -> tuple[File, ...]:
    """The issues that can be read: the last ones by name, and those that were changed last."""
    changes = dict(_changes(folder))
    newest = sorted(changes, reverse=True)[:_ISSUES]
    latest = sorted(changes, key=lambda path: changes[path], reverse=True)[:_ISSUES]
    files = []
    for path in sorted({*newest, *latest}):
        issue, problems = read_issue(read_file(folder, path), path, zone)
        if issue is None or issue.date is None or not issue.id:
            continue
        files.append(
            File(
                id=issue.id,
                slug=issue.slug,
                date=issue.date.astimezone(UTC),
                changed_at=changes[path],
                version=0,
                is_ready=issue.status == "ready",
                highlights=len(issue.highlights),
                mail=issue.mail,
                # What a draft lacks stops nobody.
                has_errors=issue.status == "ready"
                and any(each.level == "error" for each in problems),
            )
        )
    return tuple(files)


def _changes(folder: Path) -> Iterable[tuple[str, datetime]]:
    for file in scan_issues(folder):
        if not file.problem:
            changed = (folder / file.path).lstat().st_ctime
            yield file.path, datetime.fromtimestamp(changed, UTC)


def _is_mostly_dated(files: tuple[File, ...], zone: ZoneInfo) -> bool:
    dated = sum(each.date.astimezone(zone).time() != time(0) for each in files)
    return dated * 2 > len(files)
