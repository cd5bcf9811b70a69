"""What happens in a rehearsal: who is late, when the relay is away, when nothing runs.

All of it is drawn before anything runs. What one firing meets depends on the seed and on that
firing alone, so that other settings meet the same days.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import exp, log
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from publisher.mailing.cron import Due, due_between, parse_cron
from publisher.mailing.schedule import Occurrence
from publisher.rehearsal.facts import Facts
from publisher.settings import Settings
from publisher.store.habits import PastFiring

# A habit that fewer firings show is none.
_LEAST_SEEN = 5
# Without a record: so often an editor is late, and so often there is no issue at all.
LATE, ABSENT = 0.1, 0.02
_LATE_BY = timedelta(minutes=5), timedelta(hours=4)
_EARLY_BY = timedelta(minutes=5), timedelta(hours=1)
# Of a firing that came late so much is the machine's own: ticks, and a short downtime.
_PUNCTUAL = timedelta(minutes=2)
_OUTAGE = timedelta(minutes=2), timedelta(hours=3)
_DOWN = timedelta(seconds=5), timedelta(hours=5)
# How long a mailing may be under way when something happens to it.
_AROUND = timedelta(minutes=15), timedelta(minutes=30)
# A share, of ten days each, of what goes wrong where nobody says how often.
DAYS_APART = 10

Kind = Literal["relay down", "domain slow", "crash"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is rehearsed: from when to when, by which seed, and how much goes wrong.

    None of `late`, a share of firings, is as the record has it.
    """

    begin: datetime
    end: datetime
    seed: int = 0
    late: float | None = None
    outages: int = 0
    crashes: int = 0
    is_calm: bool = False
    readers: int | None = None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong for a while; `domain` is the one that asks for less."""

    kind: Kind
    begin: datetime
    end: datetime
    domain: str = ""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A firing to come, and when its editor is ready, before or after: None is never."""

    schedule: str
    due: Due
    ready: datetime | None


class Habit(msgspec.Struct, frozen=True, kw_only=True):
    """How editors work: how late they were each time, on time as zero and never as None."""

    delays: tuple[timedelta | None, ...]


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that will happen; `assumed` says what of it is assumed, and why."""

    firings: tuple[Planned, ...]
    incidents: tuple[Incident, ...]
    assumed: tuple[str, ...]


def draw_scenario(settings: Settings, facts: Facts, options: Options) -> Scenario:
    """What will happen in a rehearsal of these settings."""
    habits = {each.name: _find_habit(facts, each.name) for each in settings.schedule}
    coming = list_coming(settings, options)
    waiting = [_plan_waiting(each, habits[each.schedule], options) for each in facts.open]
    firings = tuple(
        Planned(schedule=name, due=due, ready=_draw_ready(name, due, habits[name], options))
        for name, due in coming
    )
    incidents = _draw_incidents([due.instant for _, due in coming], facts, options)
    assumed = [_say_habit(name, habit, facts, options) for name, habit in habits.items()]
    return Scenario(firings=(*waiting, *firings), incidents=incidents, assumed=tuple(assumed))


def list_coming(settings: Settings, options: Options) -> list[tuple[str, Due]]:
    """All firings from the beginning to the end, by schedule's name, in their order."""
    zone = ZoneInfo(settings.publication.time_zone)
    before = options.begin - timedelta(microseconds=1)
    end = options.end - timedelta(microseconds=1)
    coming = [
        (each.name, due)
        for each in settings.schedule
        for due in due_between(parse_cron(each.cron), zone, before, end)
    ]
    return sorted(coming, key=lambda each: (each[1].instant, each[0]))


# Editors


def _find_habit(facts: Facts, schedule: str) -> Habit | None:
    """How this schedule's editors worked; those of all where it is too new for that."""
    own = [each for each in facts.past if each.schedule == schedule]
    past = own if len(own) >= _LEAST_SEEN else facts.past
    if len(past) < _LEAST_SEEN:
        return None
    dates = {file.slug: file.date for file in facts.files}
    return Habit(delays=tuple(_find_delay(each, dates) for each in past))


def _find_delay(each: PastFiring, dates: dict[str, datetime]) -> timedelta | None:
    """How late an issue was: by its own date, or by when the firing came; None is never."""
    if each.status != "fired" or each.ran_at is None:
        return None
    date = dates.get(each.slug or "", each.due)
    if date > each.due:
        return date - each.due
    late = each.ran_at - each.due
    return late if late > _PUNCTUAL else timedelta(0)


def _say_habit(name: str, habit: Habit | None, facts: Facts, options: Options) -> str:
    if options.is_calm:
        return f"{name}: every issue is ready in time (--calm)"
    if options.late is not None:
        return (
            f"{name}: {options.late:.0%} of the issues are late, by 5 minutes to 4 hours (--late)"
        )
    if habit is None:
        return (
            f"{name}: {LATE:.0%} of the issues are late, by 5 minutes to 4 hours, and {ABSENT:.0%}"
            f" are never written; assumed, for {_count(len(facts.past))} on record"
        )
    late = sum(bool(each) for each in habit.delays)
    never = sum(each is None for each in habit.delays)
    return (
        f"{name}: editors work as at the last {_count(len(habit.delays))} on record, of which"
        f" {late} came late and {never} never"
    )


def _count(firings: int) -> str:
    return "1 firing is" if firings == 1 else f"{firings} firings"


def _draw_ready(name: str, due: Due, habit: Habit | None, options: Options) -> datetime | None:
    chance = Random(f"{options.seed} {name} {due.wall}")  # noqa: S311 - nothing secret
    early = _between(_EARLY_BY, chance)
    delay = _draw_delay(habit, options, chance)
    if delay is None:
        return None
    return due.instant + (delay or -early)


def _plan_waiting(occurrence: Occurrence, habit: Habit | None, options: Options) -> Planned:
    """Of a firing that is open now the editor was not ready yet, and may be within the hour."""
    due = Due(occurrence.wall, occurrence.due)
    chance = Random(f"{options.seed} {occurrence.schedule} {due.wall}")  # noqa: S311 - no secret
    soon = options.begin + _between(_EARLY_BY, chance)
    is_written = _draw_delay(habit, options, chance) is not None
    return Planned(schedule=occurrence.schedule, due=due, ready=soon if is_written else None)


def _draw_delay(habit: Habit | None, options: Options, chance: Random) -> timedelta | None:
    luck, late_by = chance.random(), _between(_LATE_BY, chance)
    if options.is_calm:
        return timedelta(0)
    if options.late is not None:
        return late_by if luck < options.late else timedelta(0)
    if habit is not None:
        return habit.delays[int(luck * len(habit.delays))]
    if luck < ABSENT:
        return None
    return late_by if luck < ABSENT + LATE else timedelta(0)


# What breaks


def _draw_incidents(
    due: Sequence[datetime], facts: Facts, options: Options
) -> tuple[Incident, ...]:
    """Half of it happens around a firing, where it tells most."""
    chance = Random(f"{options.seed} incidents")  # noqa: S311 - nothing secret
    drawn: list[Incident] = []
    for number in range(0 if options.is_calm else options.outages):
        domain = _draw_domain(facts, chance)
        is_domain = number % 3 == 2 and bool(domain)
        begin = _draw_moment(due, options, chance, is_near=number % 2 == 0)
        drawn.append(
            Incident(
                kind="domain slow" if is_domain else "relay down",
                begin=begin,
                end=begin + _between(_OUTAGE, chance),
                domain=domain if is_domain else "",
            )
        )
    for number in range(0 if options.is_calm else options.crashes):
        begin = _draw_moment(due, options, chance, is_near=number % 2 == 0)
        drawn.append(Incident(kind="crash", begin=begin, end=begin + _between(_DOWN, chance)))
    return tuple(_keep_apart(drawn))


def _draw_domain(facts: Facts, chance: Random) -> str:
    """One of the five largest."""
    luck, largest = chance.random(), list(facts.domains)[:5]
    return largest[int(luck * len(largest))] if largest else ""


def _draw_moment(
    due: Sequence[datetime], options: Options, chance: Random, *, is_near: bool
) -> datetime:
    """A whole second, some minutes before or after a firing, or at any time."""
    luck, place = chance.random(), chance.random()
    if is_near and due:
        before, after = _AROUND
        moment = due[int(luck * len(due))] - before + (before + after) * place
    else:
        moment = options.begin + (options.end - options.begin) * luck
    return max(moment, options.begin).astimezone(UTC).replace(microsecond=0)


def _keep_apart(incidents: Sequence[Incident]) -> list[Incident]:
    """In their order; of one kind none begins before the last one has ended."""
    kept: list[Incident] = []
    for each in sorted(incidents, key=lambda one: (one.begin, one.kind)):
        last = next((one for one in reversed(kept) if one.kind == each.kind), None)
        if last is None or last.end < each.begin:
            kept.append(each)
    return kept


def _between(span: tuple[timedelta, timedelta], chance: Random) -> timedelta:
    """A whole number of seconds: most are short, some are long."""
    low, high = (log(each.total_seconds()) for each in span)
    return timedelta(seconds=round(exp(low + (high - low) * chance.random())))
