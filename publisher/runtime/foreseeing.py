"""What schedules are going to do: when, and with which issue if all stays as it is now."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

from publisher.mailing.cron import Due, next_due
from publisher.mailing.schedule import Decision, Occurrence, Rule, decide
from publisher.mailing.week import WeekDecision
from publisher.runtime.newsroom import Reading
from publisher.runtime.scheduler import Known, make_candidate, make_rule
from publisher.runtime.weekly import look_at_week
from publisher.settings import Schedule, Settings
from publisher.store.database import Database
from publisher.store.occurrences import (
    Firing,
    find_mailed,
    find_open,
    find_superseded,
    list_firings,
)

_COMING = 5


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as it stands: its next firings, and the `past` ones, the newest first.

    `occurrence` is the firing that is open now, or else the next one, and `decision` what becomes
    of that if nothing changes until then; None where the schedule never fires again.
    """

    schedule: Schedule
    coming: tuple[datetime, ...]
    past: list[Firing]
    occurrence: Occurrence | None
    decision: Decision | WeekDecision | None

    @property
    def is_open(self) -> bool:
        """Whether it is due, and waits for an issue."""
        return self.occurrence is not None and self.occurrence.due not in self.coming


class Foreseeing:
    """Looks ahead, without doing anything."""

    def __init__(self, database: Database, settings: Settings, newsroom: Reading) -> None:
        self.database = database
        self.settings = settings
        self.newsroom = newsroom
        self.zone = ZoneInfo(settings.publication.time_zone)

    def look(self, now: datetime, past: int) -> list[Foreseen]:
        """How each schedule stands. Raises PublisherError where the issues cannot be read."""
        publication = self.database.publication
        with self.database.read() as connection:
            known = Known(
                find_mailed(connection, publication), find_superseded(connection, publication)
            )
        return [self._look(each, known, now, past) for each in self.settings.schedules]

    def _look(self, schedule: Schedule, known: Known, now: datetime, past: int) -> Foreseen:
        publication, rule = self.database.publication, make_rule(schedule)
        with self.database.read() as connection:
            firings = list_firings(connection, publication, schedule.name, now, limit=past)
            open_ones = find_open(connection, publication, schedule.name)
        coming = list(islice(self._coming(rule, now), _COMING))
        ahead = [Occurrence(schedule=rule.name, wall=e.wall, due=e.instant) for e in coming[:1]]
        occurrence = next(iter([*open_ones, *ahead]), None)
        return Foreseen(
            schedule=schedule,
            coming=tuple(each.instant for each in coming),
            past=firings,
            occurrence=occurrence,
            decision=self._decide(rule, occurrence, known, now) if occurrence else None,
        )

    def _coming(self, rule: Rule, now: datetime) -> Iterator[Due]:
        due = next_due(rule.cron, self.zone, now)
        while due:
            yield due
            due = next_due(rule.cron, self.zone, due.instant)

    def _decide(
        self, rule: Rule, occurrence: Occurrence, known: Known, now: datetime
    ) -> Decision | WeekDecision:
        moment = max(now, occurrence.due)
        if self.settings.is_weekly(rule.name):
            return look_at_week(self.database, self.newsroom, rule, occurrence, moment)
        states = self.newsroom.read_states(now, occurrence.due - rule.max_age)
        candidates = [make_candidate(state, known) for state in states]
        return decide(rule, occurrence, candidates, moment)
