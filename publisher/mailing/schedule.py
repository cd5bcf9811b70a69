"""What a schedule does at one tick: which firings became due, and which issue one of them takes.

An occurrence is known by its schedule and its wall time, once and for ever, so no jump of the clock
fires it twice. Of one schedule at most one occurrence is open, the newest.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

import msgspec

from publisher.mailing.cron import Cron, Due, due_between

OccurrenceStatus = Literal["open", "fired", "missed", "superseded"]

# Of a long downtime, or a clock that stood in another year. A daily schedule has three years of it.
_MOST_RECORDED = 1000
# How many passed over issues a decision names, and how many of them its reason; newest first.
_MOST_PASSED_OVER = 20
_MOST_IN_REASON = 3
# A tick comes a few seconds late: with a `catch_up` of nothing, what is ready is still mailed.
_LEAST_CATCH_UP = timedelta(seconds=10)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as the settings have it."""

    name: str
    cron: Cron
    catch_up: timedelta = timedelta(hours=3)
    max_age: timedelta = timedelta(hours=36)
    settle: timedelta = timedelta(seconds=60)
    min_highlights: int = 1


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One due time of a schedule: `wall` naive, `due` aware; `outcome` says what came of it."""

    schedule: str
    wall: datetime
    due: datetime
    status: OccurrenceStatus = "open"
    outcome: str = ""

    @property
    def is_open(self) -> bool:
        return self.status == "open"


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An issue as a schedule sees it.

    `issue` is its id, `date` is aware, and `changed_at` is the last change of its file.
    `has_mailing` counts only a mailing to readers; `is_superseded` tells that a schedule passed the
    issue over for a newer one, earlier.
    """

    issue: str
    slug: str
    date: datetime
    changed_at: datetime
    highlights: int
    status: Literal["draft", "ready"] = "ready"
    mail: bool = True
    has_mailing: bool = False
    has_errors: bool = False
    is_superseded: bool = False


class PassedOver(msgspec.Struct, frozen=True):
    """An issue that was not taken, and why, for people."""

    candidate: Candidate
    reason: str


class Fire(msgspec.Struct, frozen=True, kw_only=True):
    """Mail this issue. Those `superseded` are never mailed by a schedule from now on."""

    candidate: Candidate
    superseded: tuple[Candidate, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Stay open. `is_alert` tells that somebody has to do something, and should be told once."""

    reason: str
    is_alert: bool
    passed_over: tuple[PassedOver, ...] = ()


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """Close the occurrence: its `catch_up` has passed."""

    reason: str
    passed_over: tuple[PassedOver, ...] = ()


Decision = Fire | Wait | Missed


# Which firings became due


def new_occurrences(
    rule: Rule,
    zone: tzinfo,
    first_seen: datetime,
    last_due: datetime | None,
    now: datetime,
    known: Collection[datetime] = (),
) -> list[Occurrence]:
    """The occurrences to record now, oldest first; the newest may be open, the others are closed.

    `first_seen` is when this rule was first seen with this `cron` in this zone: what was due until
    then is none of its firings; a clock that was put back before it has it moved back as well.
    `last_due` is the latest due time on record that is not after `now`. `known` are the wall times
    on record, those of the last two days at least: none is recorded again, whether the clock stood
    too far ahead or the zone was another. Of more than a thousand the newest are taken.
    """
    now, after = to_utc(now), max(to_utc(first_seen), to_utc(last_due or first_seen))
    known = frozenset(known)
    due = [each for each in _newest_due(rule.cron, zone, after, now) if each.wall not in known]
    occurrences = [Occurrence(schedule=rule.name, wall=e.wall, due=e.instant) for e in due]
    return close_older([_close_if_late(rule, each, now) for each in occurrences])


def close_older(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """Close as superseded the open occurrences that a later one of their schedule follows.

    Goes over what is open and what is new together, each time something is new: two open
    occurrences of one schedule never both send. Oldest first.
    """
    closed: list[Occurrence] = []
    later: dict[str, Occurrence] = {}
    for each in sorted(occurrences, key=_order, reverse=True):
        by = later.setdefault(each.schedule, each)
        if each.is_open and by is not each:
            outcome = f"superseded by the later firing of {say_minute(by.wall)}"
            each = msgspec.structs.replace(each, status="superseded", outcome=outcome)
        closed.append(each)
    return closed[::-1]


def _order(each: Occurrence) -> tuple[datetime, datetime, str]:
    return each.due, each.wall, each.schedule


def _newest_due(cron: Cron, zone: tzinfo, after: datetime, now: datetime) -> Sequence[Due]:
    """What became due, its last thousand: found backwards, a longer stretch at each step."""
    stretch = timedelta(days=1)
    while True:
        start = max(after, now - min(stretch, now - after))
        due = list(due_between(cron, zone, start, now))
        if start == after or len(due) > _MOST_RECORDED:
            return due[-_MOST_RECORDED:]
        stretch *= 2


def _close_if_late(rule: Rule, occurrence: Occurrence, now: datetime) -> Occurrence:
    if now < end_of(rule, occurrence):
        return occurrence
    late = say_span(now - occurrence.due)
    outcome = f"nothing ran when it was due, nor for {late}; catch_up is {say_span(rule.catch_up)}"
    return msgspec.structs.replace(occurrence, status="missed", outcome=outcome)


def end_of(rule: Rule, occurrence: Occurrence) -> datetime:
    """When the wait for what an occurrence takes is over, in UTC."""
    return to_utc(occurrence.due) + max(rule.catch_up, _LEAST_CATCH_UP)


# Which issue a firing takes

Reasons = Sequence[tuple[Candidate, str | None]]


def decide(
    rule: Rule, occurrence: Occurrence, candidates: Iterable[Candidate], now: datetime
) -> Decision:
    """What an open occurrence does now: take the newest issue that may be mailed, wait, or give up.

    An issue's age is counted to the time that the occurrence was due, so that waiting makes none
    too old; its date and its last change are held against `now`. An issue that has only to stay
    unchanged for a little longer is waited for rather than an older one mailed, unless `catch_up`
    ends before that. Raises ValueError for an occurrence that is closed.
    """
    if not occurrence.is_open:
        raise ValueError(f"{occurrence.schedule} {occurrence.wall} is closed: {occurrence.status}")
    now = to_utc(now)
    newest_first = sorted(candidates, key=newness, reverse=True)
    reasons = [(each, _why_not(rule, occurrence, each, now)) for each in newest_first]
    if now >= end_of(rule, occurrence):
        return _miss(rule, reasons)
    if now < occurrence.due:
        return Wait(reason=f"due at {say_minute(occurrence.wall)}", is_alert=False)
    for each, reason in reasons:
        if reason is None:
            return _fire(rule, occurrence, each, reasons, now)
        if _may_settle(rule, occurrence, each, now):
            return Wait(
                reason=f"{each.slug}: {reason}",
                is_alert=False,
                passed_over=_pass_over(reasons, each),
            )
    return Wait(reason=summarise(reasons), is_alert=True, passed_over=_pass_over(reasons))


def _fire(
    rule: Rule, occurrence: Occurrence, chosen: Candidate, reasons: Reasons, now: datetime
) -> Fire:
    """Take an issue; the older ones that are ready and due are superseded, whatever else."""
    superseded = tuple(
        each
        for each, _ in reasons
        if newness(each) < newness(chosen) and not _why_never(rule, occurrence, each, now)
    )
    others = [(each, reason) for each, reason in reasons if each not in superseded]
    return Fire(candidate=chosen, superseded=superseded, passed_over=_pass_over(others, chosen))


def _miss(rule: Rule, reasons: Reasons) -> Missed:
    """Say why nothing was mailed: what would be taken now comes too late."""
    late = f"the wait for one ({say_span(rule.catch_up)}, catch_up) is over"
    explained = [(each, reason or f"it could be mailed, but {late}") for each, reason in reasons]
    return Missed(reason=f"{late}; {summarise(explained)}", passed_over=_pass_over(explained))


def _why_not(rule: Rule, occurrence: Occurrence, each: Candidate, now: datetime) -> str | None:
    """Why an issue is not taken, in words that fit behind its name; None where it is."""
    never = _why_never(rule, occurrence, each, now)
    if never:
        return never
    if each.has_errors:
        return "it has errors; see `publisher check`"
    if each.highlights < rule.min_highlights:
        return f"it has {_count(each.highlights)}; min_highlights is {rule.min_highlights}"
    return why_unsettled(rule, each, now)


def why_unsettled(rule: Rule, each: Candidate, now: datetime) -> str | None:
    """Why an issue is still waited for, as somebody changed it a moment ago; None for others."""
    unchanged = now - each.changed_at
    if unchanged < timedelta(0):
        return f"its file's time, {say_moment(each.changed_at)}, lies in the future"
    if unchanged < rule.settle:
        settle = say_span(rule.settle)
        return f"it was changed {say_span(unchanged)} ago; taken once unchanged for {settle}"
    return None


def _why_never(rule: Rule, occurrence: Occurrence, each: Candidate, now: datetime) -> str | None:
    """Why an issue is none of those that are ready and due; None where it is one."""
    if each.has_mailing:
        return "it has a mailing already"
    if each.is_superseded:
        return "a newer issue superseded it; `publisher send` mails it by hand"
    if not each.mail:
        return "it says mail: false"
    age = to_utc(occurrence.due) - each.date
    if age > rule.max_age:
        return f"it was {say_span(age)} old when due; max_age is {say_span(rule.max_age)}"
    if each.status == "draft":
        return "it is a draft"
    if each.date > now:
        return f"its date, {say_moment(each.date)}, lies in the future"
    return None


def _may_settle(rule: Rule, occurrence: Occurrence, each: Candidate, now: datetime) -> bool:
    """Tell whether an issue is taken before `catch_up` ends if only nobody changes it."""
    settled_at = to_utc(each.changed_at) + rule.settle
    if settled_at >= end_of(rule, occurrence):
        return False
    return _why_not(rule, occurrence, each, max(now, settled_at)) is None


def newness(each: Candidate) -> tuple[datetime, str]:
    """By which issues are put in order, and the newest of them found."""
    return to_utc(each.date), each.slug


def _pass_over(reasons: Reasons, chosen: Candidate | None = None) -> tuple[PassedOver, ...]:
    """Those that are not taken; one that could be, but for the chosen one, is older than it."""
    older = f"{chosen.slug} is newer" if chosen else ""
    named = [PassedOver(each, reason or older) for each, reason in reasons if each is not chosen]
    return tuple(named[:_MOST_PASSED_OVER])


# Words


def summarise(reasons: Reasons) -> str:
    """Say why none of the issues is taken; the first are named."""
    if not reasons:
        return "there is no issue"
    said = [f"{each.slug}: {reason}" for each, reason in reasons[:_MOST_IN_REASON]]
    more = len(reasons) - len(said)
    return "no issue can be mailed. " + "; ".join(said) + (f"; and {more} older" if more else "")


def say_span(span: timedelta) -> str:
    """A duration much as the settings write it: `60s`, `36h`, `36h 20m`, `3d 4h`."""
    seconds = int(span.total_seconds())
    for unit, size, smaller, small in (("d", 86_400, "h", 3600), ("h", 3600, "m", 60)):
        if seconds >= 2 * size:
            rest = seconds % size // small
            return f"{seconds // size}{unit}" + (f" {rest}{smaller}" if rest else "")
    return f"{seconds // 60}m" if seconds >= 120 else f"{seconds}s"


def _count(highlights: int) -> str:
    return "1 highlight" if highlights == 1 else f"{highlights} highlights"


def say_minute(wall: datetime) -> str:
    return wall.isoformat(" ", "minutes")


def say_moment(instant: datetime) -> str:
    return instant.isoformat(" ", "seconds")


def to_utc(instant: datetime) -> datetime:
    """The same instant, to be compared."""
    """Of the same zone, aware times are compared by their wall clocks; of UTC they are not."""
    return instant.astimezone(UTC)
