"""A simulation that cannot fail proves nothing: each of these defects breaks a promise in it."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import msgspec
import pytest

from publisher.errors import PublisherError
from publisher.mailing import cron, schedule
from publisher.mailing.schedule import Candidate, Missed, Occurrence, Rule, Wait
from publisher.model.choices import Audience
from publisher.rehearsal.newsroom import Newsroom
from publisher.rehearsal.world import Disk
from publisher.runtime import alerts, scheduler
from publisher.runtime.alerts import Alerts
from publisher.runtime.scheduler import Scheduler
from publisher.store import alerts as stored
from publisher.store import arming, occurrences
from tests.sampling import one_in
from tests.simulation.expected import BrokenPromise
from tests.simulation.schedules_history import history

Patch = pytest.MonkeyPatch
# Within so many histories each of them is found.
SEEDS = range(150)


def _ignore(patch: Patch, name: str, words: str) -> None:
    """Let no issue be passed over for a reason with these words."""
    why = getattr(schedule, name)

    def why_not(*values: Any) -> str | None:
        reason = why(*values)
        return None if reason and words in reason else reason

    patch.setattr(schedule, name, why_not)


def drafts_are_mailed(patch: Patch) -> None:
    _ignore(patch, "_why_never", "draft")


def what_says_mail_false_is_mailed(patch: Patch) -> None:
    _ignore(patch, "_why_never", "mail: false")


def old_issues_are_mailed(patch: Patch) -> None:
    _ignore(patch, "_why_never", "max_age")
    read = Newsroom.read_states
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    patch.setattr(Newsroom, "read_states", lambda self, now, since: read(self, now, long_ago))


def issues_to_come_are_mailed(patch: Patch) -> None:
    _ignore(patch, "_why_never", "lies in the future")


def what_was_mailed_is_taken_again(patch: Patch) -> None:
    _ignore(patch, "_why_never", "a mailing already")


def what_was_superseded_is_mailed(patch: Patch) -> None:
    _ignore(patch, "_why_never", "superseded")


def short_issues_are_mailed(patch: Patch) -> None:
    _ignore(patch, "_why_not", "min_highlights")


def nobody_waits_for_editors_to_stop(patch: Patch) -> None:
    _ignore(patch, "_why_not", "was changed")


def the_oldest_is_taken(patch: Patch) -> None:
    def oldness(each: Candidate) -> tuple[float, str]:
        return -each.date.timestamp(), each.slug

    patch.setattr(schedule, "_newness", oldness)


def what_was_saved_during_the_build_is_mailed(patch: Patch) -> None:
    look, seen = Scheduler._candidates, dict[object, list[Candidate]]()

    def look_once(self: Scheduler, rule: Rule, occurrence: Occurrence, *rest: Any) -> Any:
        key = (id(self), rule, occurrence.wall, rest[1])
        return seen.setdefault(key, look(self, rule, occurrence, *rest))

    patch.setattr(Scheduler, "_candidates", look_once)


def a_failed_build_is_mailed_all_the_same(patch: Patch) -> None:
    publish = Newsroom.publish

    def try_to(self: Newsroom, now: datetime) -> bool:
        try:
            return publish(self, now)
        except PublisherError:
            return False

    patch.setattr(Newsroom, "publish", try_to)


def who_was_second_fires_too(patch: Patch) -> None:
    patch.setattr(scheduler, "is_open", lambda *_: True)


def a_firing_waits_for_nobody(patch: Patch) -> None:
    decide = schedule.decide

    def decide_at_once(*values: Any) -> Any:
        decision = decide(*values)
        return Missed(reason=decision.reason) if isinstance(decision, Wait) else decision

    patch.setattr(scheduler, "decide", decide_at_once)


def a_firing_waits_for_ever(patch: Patch) -> None:
    def end(rule: Rule, occurrence: Occurrence) -> datetime:
        return occurrence.due.astimezone(UTC) + timedelta(days=9)

    patch.setattr(schedule, "_end", end)


def two_firings_are_open_at_once(patch: Patch) -> None:
    patch.setattr(scheduler, "close_older", list)


def a_new_schedule_makes_up_for_its_past(patch: Patch) -> None:
    see = occurrences.see_schedule

    def see_earlier(*values: Any) -> datetime:
        return see(*values) - timedelta(days=2)

    patch.setattr(scheduler, "see_schedule", see_earlier)


def a_clock_that_stood_ahead_uses_firings_up(patch: Patch) -> None:
    patch.setattr(scheduler, "forget_later", lambda *_: None)


def what_a_renamed_schedule_left_stays_open(patch: Patch) -> None:
    patch.setattr(scheduler, "find_gone", lambda *_: [])


def a_restored_database_makes_up_for_what_was_due(patch: Patch) -> None:
    patch.setattr(arming, "begin_anew", lambda *_: None)


def schedules_of_a_restored_database_fire(patch: Patch) -> None:
    patch.setattr(scheduler, "find_unarmed", lambda *_: "")


def nothing_is_superseded(patch: Patch) -> None:
    patch.setattr(scheduler, "supersede_issues", lambda *_: None)


def an_issue_is_mailed_to_nobody(patch: Patch) -> None:
    patch.setattr(scheduler, "count_audience", lambda *_: Audience(whole=1))


def an_alert_is_told_by_each_process(patch: Patch) -> None:
    raise_alert = stored.raise_alert
    patch.setattr(alerts, "raise_alert", lambda *values: raise_alert(*values) or True)


def nobody_is_told_that_nothing_is_ready(patch: Patch) -> None:
    hear = Alerts.hear_schedule

    def hear_some(self: Alerts, told: scheduler.Told, now: datetime) -> None:
        if told.event != "waiting":
            hear(self, told, now)

    patch.setattr(Alerts, "hear_schedule", hear_some)


def an_alert_is_noted_and_mailed_later(patch: Patch) -> None:
    """In two transactions: a kill between them keeps it from the operator for good."""

    def tell(self: Alerts, kind: str, about: str, text: str, now: datetime) -> None:
        with self.database.write() as connection:
            if not stored.raise_alert(connection, self.database.publication, kind, about, now):
                return
        with self.database.write() as connection:
            self._mail(connection, text, now)

    patch.setattr(Alerts, "tell", tell)


def the_second_pass_of_a_repeated_hour_counts(patch: Patch) -> None:
    def to_instant(wall: datetime, zone: tzinfo) -> datetime:
        return wall.replace(tzinfo=zone, fold=1).astimezone(UTC)

    patch.setattr(cron, "to_instant", to_instant)


def weekdays_are_counted_from_monday(patch: Patch) -> None:
    parse = cron.parse_cron

    def parse_as_others_do(text: str) -> cron.Cron:
        parsed = parse(text)
        weekdays = tuple(sorted((day + 1) % 7 for day in parsed.weekdays))
        return msgspec.structs.replace(parsed, weekdays=weekdays)

    patch.setattr(scheduler, "parse_cron", parse_as_others_do)


def both_day_fields_have_to_fit(patch: Patch) -> None:
    parse = cron.parse_cron

    def parse_strictly(text: str) -> cron.Cron:
        return msgspec.structs.replace(parse(text), is_either=False)

    patch.setattr(scheduler, "parse_cron", parse_strictly)


MUTATIONS: tuple[Callable[[Patch], None], ...] = (
    drafts_are_mailed,
    what_says_mail_false_is_mailed,
    old_issues_are_mailed,
    issues_to_come_are_mailed,
    what_was_mailed_is_taken_again,
    what_was_superseded_is_mailed,
    short_issues_are_mailed,
    nobody_waits_for_editors_to_stop,
    the_oldest_is_taken,
    what_was_saved_during_the_build_is_mailed,
    a_failed_build_is_mailed_all_the_same,
    who_was_second_fires_too,
    a_firing_waits_for_nobody,
    a_firing_waits_for_ever,
    two_firings_are_open_at_once,
    a_new_schedule_makes_up_for_its_past,
    a_clock_that_stood_ahead_uses_firings_up,
    what_a_renamed_schedule_left_stays_open,
    a_restored_database_makes_up_for_what_was_due,
    schedules_of_a_restored_database_fire,
    nothing_is_superseded,
    an_issue_is_mailed_to_nobody,
    an_alert_is_told_by_each_process,
    nobody_is_told_that_nothing_is_ready,
    an_alert_is_noted_and_mailed_later,
    the_second_pass_of_a_repeated_hour_counts,
    weekdays_are_counted_from_monday,
    both_day_fields_have_to_fit,
)


def _live_through(disk: Disk, seeds: Iterable[int]) -> None:
    for seed in seeds:
        history(disk, seed)


@pytest.mark.parametrize("mutate", one_in(5, MUTATIONS), ids=lambda mutate: mutate.__name__)
def test_a_defect_of_schedules_is_found(
    mutate: Callable[[Patch], None], disk: Disk, monkeypatch: Patch
) -> None:
    mutate(monkeypatch)
    with pytest.raises(BrokenPromise):
        _live_through(disk, SEEDS)
