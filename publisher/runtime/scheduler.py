"""The schedules at one tick: what became due is recorded; what is open fires, waits or is missed.

Ticks may come late, twice or from two processes: an occurrence is one row, and it closes in the
transaction that starts its mailing.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

import msgspec

from publisher.errors import PublisherError
from publisher.mailing.cron import next_due, parse_cron
from publisher.mailing.schedule import (
    Candidate,
    Fire,
    Missed,
    Occurrence,
    OccurrenceStatus,
    Rule,
    close_older,
    decide,
    new_occurrences,
)
from publisher.model.delivery import Mailing
from publisher.runtime.issue_mailing import make_ahead
from publisher.runtime.newsroom import Newsroom
from publisher.runtime.start import require_sendable
from publisher.settings import Schedule, Settings
from publisher.site.state import IssueState
from publisher.store.arming import find_unarmed
from publisher.store.database import Database, Held
from publisher.store.occurrences import (
    close_fired,
    find_gone,
    find_last,
    find_last_firing,
    find_mailed,
    find_open,
    find_superseded,
    find_walls_since,
    forget_gone,
    forget_later,
    is_open,
    note_open,
    save_occurrences,
    see_schedule,
    supersede_issues,
)
from publisher.store.starting import NewMailing, find_lack_of, start_issue_mailing
from publisher.store.variants import count_audience

# What fired while the clock stood too far ahead is recognised so far back.
_JUMP = timedelta(days=2)

Event = Literal["fired", "waiting", "failed", "missed"]


class Told(msgspec.Struct, frozen=True):
    """What a tick has to tell, and why.

    `fired`; `waiting`: nothing was ready, and somebody is still waited for; `failed`: something was
    ready and could not be sent, which is tried again; `missed`: the firing is over.
    """

    event: Event
    schedule: str
    occurrence: Occurrence
    reason: str
    mailing: Mailing | None = None


class Known(msgspec.Struct, frozen=True):
    """The ids of issues that have a mailing, and of those that a newer one superseded."""

    mailed: Collection[str]
    superseded: Collection[str]


class OtherFirings(Protocol):
    """What decides about the firings of the schedule that takes more than an issue."""

    def decide(
        self, scheduler: "Scheduler", rule: Rule, occurrence: Occurrence, now: datetime
    ) -> None:
        """Let an open firing do what it does now, by what the scheduler records and tells."""
        ...


class Scheduler:
    """The schedules of a publication; `hear` is told what an operator should know.

    Without `weeks` that of the week's message stands still.
    """

    def __init__(
        self,
        database: Database | Held,
        settings: Settings,
        newsroom: Newsroom,
        hear: Callable[[Told], None] = lambda told: None,
        weeks: OtherFirings | None = None,
    ) -> None:
        self.database = database
        self.settings = settings
        self.newsroom = newsroom
        self.hear = hear
        self.weeks = weeks
        self.zone = ZoneInfo(settings.publication.time_zone)
        # What was told last of each schedule: a firing that waits for hours is told of once.
        self._told: dict[str, tuple[datetime, Event]] = {}

    def tick(self, now: datetime) -> None:
        """Let every schedule do what is due. A database that is not armed does nothing.

        Raises StoreError where the database fails, after every schedule had its turn.
        """
        with self.database.read() as connection:
            if find_unarmed(connection, self.database.place):
                return
        self._forget_gone(now)
        fault: PublisherError | None = None
        for schedule in self.settings.schedules:
            if self.settings.is_weekly(schedule.name) and self.weeks is None:
                continue
            rule = make_rule(schedule)
            try:
                occurrence = self._record_due(rule, now)
                if occurrence is not None:
                    self._decide(rule, occurrence, now)
            except PublisherError as error:
                fault = error
        if fault is not None:
            raise fault

    def _forget_gone(self, now: datetime) -> None:
        """A schedule that was renamed or taken out leaves nothing open, and begins anew later."""
        names = [schedule.name for schedule in self.settings.schedules]
        with self.database.read() as connection:
            gone = find_gone(connection, self.database.publication, names)
        if gone:
            with self.database.write() as connection:
                forget_gone(connection, self.database.publication, gone, now)

    def _record_due(self, rule: Rule, now: datetime) -> Occurrence | None:
        """Record what became due since; give the occurrence that is open."""
        publication, name = self.database.publication, rule.name
        with self.database.write() as connection:
            first_seen = see_schedule(
                connection, publication, name, rule.cron.text, str(self.zone), now
            )
            # A clock that was put back does not make the schedule wait for its own past.
            forget_later(connection, publication, name, now)
            last = find_last(connection, publication, name, now)
            known = find_walls_since(connection, publication, name, now - _JUMP)
            last_due = last[0].due if last else None
            new = new_occurrences(rule, self.zone, first_seen, last_due, now, known)
            before = {*find_open(connection, publication, name), *last}
            standing = close_older([*before, *new])
            save_occurrences(
                connection, publication, [each for each in standing if each not in before], now
            )
        self._tell_missed(rule, [each for each in new if each.status == "missed"])
        return next((each for each in standing if each.is_open), None)

    def _tell_missed(self, rule: Rule, missed: list[Occurrence]) -> None:
        """Of a long downtime is told once."""
        if missed:
            reason = missed[-1].outcome
            if len(missed) > 1:
                reason = f"{len(missed)} firings since {missed[0].wall:%Y-%m-%d %H:%M}: {reason}"
            self.hear(Told("missed", rule.name, missed[-1], reason))

    def _decide(self, rule: Rule, occurrence: Occurrence, now: datetime) -> None:
        if self.weeks is not None and self.settings.is_weekly(rule.name):
            self.weeks.decide(self, rule, occurrence, now)
            return
        with self.database.read() as connection:
            publication = self.database.publication
            known = Known(
                find_mailed(connection, publication), find_superseded(connection, publication)
            )
        fault, candidates = "", list[Candidate]()
        try:
            candidates = self._candidates(rule, occurrence, known, now)
        except PublisherError as error:
            fault = str(error)
        decision = decide(rule, occurrence, candidates, now)
        if isinstance(decision, Fire):
            self._fire(rule, occurrence, decision, known, now)
        elif isinstance(decision, Missed):
            if self.note(occurrence, "missed", fault or decision.reason, now):
                self.hear(Told("missed", rule.name, occurrence, fault or decision.reason))
        elif fault:
            self.wait(occurrence, fault, now, "failed")
        else:
            self.wait(occurrence, decision.reason, now, "waiting" if decision.is_alert else None)

    def _candidates(
        self, rule: Rule, occurrence: Occurrence, known: Known, now: datetime
    ) -> list[Candidate]:
        states = self.newsroom.read_states(now, occurrence.due - rule.max_age)
        return [make_candidate(state, known) for state in states]

    def wait(self, occurrence: Occurrence, reason: str, now: datetime, event: Event | None) -> None:
        """Leave it open. `event` is what to tell of that, once."""
        if not self.note(occurrence, "open", reason, now):
            return
        name = occurrence.schedule
        if event is not None and self._told.get(name) != (occurrence.wall, event):
            self.hear(Told(event, name, occurrence, reason))
            self._told[name] = (occurrence.wall, event)

    def note(
        self, occurrence: Occurrence, status: OccurrenceStatus, reason: str, now: datetime
    ) -> bool:
        """Note how it stands; False where another process has closed it meanwhile."""
        noted = msgspec.structs.replace(occurrence, status=status, outcome=reason)
        if noted == occurrence:
            with self.database.read() as connection:
                return is_open(connection, self.database.publication, occurrence)
        with self.database.write() as connection:
            return note_open(connection, self.database.publication, noted, now)

    def _fire(
        self, rule: Rule, occurrence: Occurrence, fire: Fire, known: Known, now: datetime
    ) -> None:
        """Build, publish, and start the mailing; what goes wrong leaves the occurrence open."""
        slug = fire.candidate.slug
        try:
            require_sendable(self.settings)
            self.newsroom.publish(now)
            new = self.newsroom.freeze(now, slug)
            # Building takes its time, and editors do not wait: what was saved meanwhile has not
            # been left alone for `settle`. The next tick decides anew.
            candidates = self._candidates(rule, occurrence, known, now)
        except PublisherError as error:
            self.wait(occurrence, f"{slug}: {error}", now, "failed")
            return
        again = decide(rule, occurrence, candidates, now)
        if not isinstance(again, Fire) or again.candidate != fire.candidate:
            return
        outcome, mailing = self._start(occurrence, again, new, now)
        if mailing is not None:
            self.hear(Told("fired", rule.name, occurrence, outcome, mailing))
        elif outcome:
            self.wait(occurrence, outcome, now, "waiting")

    def _start(
        self, occurrence: Occurrence, fire: Fire, new: NewMailing, now: datetime
    ) -> tuple[str, Mailing | None]:
        """Start the mailing, and close the occurrence with it: what came of it.

        Where it did not fire, there is no mailing; and no outcome where another process was first.
        """
        publication = self.database.publication
        make_ahead(self.database, new.variants, now)
        with self.database.write() as connection:
            if not is_open(connection, publication, occurrence):
                return "", None
            audience = count_audience(connection, publication, new.variants, now)
            if not audience.total:
                # A mailing to nobody would keep the issue from those who subscribe in an hour.
                return f"{fire.candidate.slug}: {audience.why_nobody}", None
            if lack := find_lack_of(connection, publication, new):
                return f"{fire.candidate.slug}: {lack}", None
            mailing = start_issue_mailing(connection, publication, new, now)
            outcome = _say_fired(fire, mailing, is_ours=mailing.ref == new.ref)
            close_fired(
                connection,
                publication,
                occurrence,
                now,
                outcome=outcome,
                issue=fire.candidate.issue,
                slug=fire.candidate.slug,
                mailing=mailing.id,
            )
            supersede_issues(connection, publication, (e.issue for e in fire.superseded), now)
        return outcome, mailing


def _say_fired(fire: Fire, mailing: Mailing, *, is_ours: bool) -> str:
    outcome = f"sent to {mailing.recipients:,}" if is_ours else "joined a mailing that was there"
    if fire.superseded:
        outcome += f"; superseded: {', '.join(each.slug for each in fire.superseded)}"
    return outcome


def make_rule(schedule: Schedule) -> Rule:
    """A schedule of the settings as the decisions take it."""
    return Rule(
        name=schedule.name,
        cron=parse_cron(schedule.cron),
        catch_up=schedule.catch_up,
        max_age=schedule.max_age,
        settle=schedule.settle,
        min_highlights=schedule.min_highlights,
    )


def find_next(schedule: Schedule, settings: Settings, now: datetime) -> datetime | None:
    """When a schedule fires next, in the publication's zone."""
    zone = ZoneInfo(settings.publication.time_zone)
    due = next_due(parse_cron(schedule.cron), zone, now)
    return due.instant.astimezone(zone) if due else None


def describe_schedule(
    database: Database, settings: Settings, schedule: Schedule, now: datetime
) -> dict[str, Any]:
    """A schedule as programs read it, with its next and its last firing."""
    zone = ZoneInfo(settings.publication.time_zone)
    with database.read() as connection:
        last = find_last_firing(connection, database.publication, schedule.name, now)
    upcoming = find_next(schedule, settings, now)
    document: dict[str, Any] = {"name": schedule.name, "cron": schedule.cron}
    document["next"] = upcoming.isoformat() if upcoming else None
    document["last"] = None
    if last is not None:
        document["last"] = {
            "due": last.due.astimezone(zone).isoformat(),
            "ran": last.ran_at.astimezone(zone).isoformat() if last.ran_at else None,
            "outcome": last.status,
            "issue": last.slug,
            "reason": last.outcome,
        }
    return document


def make_candidate(state: IssueState, known: Known) -> Candidate:
    """An issue of the folder as the decisions take it."""
    return Candidate(
        issue=state.id,
        slug=state.slug,
        date=state.date,
        changed_at=state.changed_at,
        highlights=state.highlights,
        status=state.status,
        mail=state.mail,
        has_mailing=state.id in known.mailed,
        has_errors=state.has_errors,
        is_superseded=state.id in known.superseded,
    )
