"""Cron's five fields, read as wall time, and the instants that those wall times are.

A rule is evaluated on the wall clock alone, and each of its wall times is then mapped to one
instant with `fold=0` (PEP 495). So every wall time of a rule comes exactly once: in autumn's
repeated hour at its first pass, and where spring leaves out an hour (or midnight, or a whole day)
as long after the gap's beginning as the wall clock would have shown.
"""

import heapq
import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

import msgspec

# The leap day falls on a given weekday at least once in 40 years, also round 2100, so what did not
# come for this long never comes.
_NEVER = 41
# An offset from UTC is less than a day (PEP 495), so a wall time is less than a day from its
# instant, read as UTC.
_DAY = timedelta(days=1)
_END = datetime.max.replace(tzinfo=UTC)

_FORMAT = 'minute, hour, day of month, month and day of week, such as "30 6 * * mon-fri"'
_PART = re.compile(r"(?:(?P<every>\*)|(?P<first>[^-/*]+)(?:-(?P<last>[^-/*]+))?)(?:/(?P<step>.+))?")


class Cron(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: its numbers, ascending; of `weekdays` Sunday is 0.

    `is_either` tells that both day fields are restricted: then a day that fits one of them fits,
    else it has to fit both. A field that begins with `*` is not restricted, as in Vixie's cron.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    is_either: bool


class Due(NamedTuple):
    """A wall time of a rule, naive, and the instant that it is, aware and in UTC."""

    wall: datetime
    instant: datetime


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_MONTHS = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _WEEKDAYS),
)


def parse_cron(text: str) -> Cron:
    """Read five fields of lists, ranges, steps and names, as crontab(5) has them.

    `5/10` is `5-59/10`, and Sunday is 0 and 7. Raises ValueError, which says what would be right.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f'"{text}" has {len(fields)} fields; cron has five: {_FORMAT}')
    minutes, hours, days, months, weekdays = map(_read_field, fields, _FIELDS)
    return Cron(
        text=" ".join(fields),
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=tuple(sorted(days)),
        months=tuple(sorted(months)),
        weekdays=tuple(sorted({day % 7 for day in weekdays})),
        is_either=not (fields[2].startswith("*") or fields[4].startswith("*")),
    )


def _read_field(text: str, field: _Field) -> set[int]:
    return {number for part in text.lower().split(",") for number in _read_part(part, field)}


def _read_part(text: str, field: _Field) -> range:
    """One of a list: `*`, `5`, `1-5`, each with `/step` or without."""
    match = _PART.fullmatch(text)
    if not match:
        raise _wrong(text, field)
    step = _read_step(match["step"], field)
    if match["every"]:
        return range(field.low, field.high + 1, step)
    first = _read_number(match["first"], field)
    last = _read_number(match["last"], field) if match["last"] else first
    if match["step"] and not match["last"]:
        last = field.high
    if first > last:
        raise ValueError(f'the {field.name} "{text}" runs backwards; write it as two ranges')
    return range(first, last + 1, step)


def _read_number(text: str, field: _Field) -> int:
    if text in field.names:
        # A month's name is its place from 1, a weekday's from 0: both begin at the lowest.
        return field.low + field.names.index(text)
    number = _to_int(text) if text.isascii() and text.isdecimal() else -1
    if not field.low <= number <= field.high:
        raise _wrong(text, field)
    return number


def _read_step(text: str | None, field: _Field) -> int:
    if text is None:
        return 1
    if not (text.isascii() and text.isdecimal()) or _to_int(text) == 0:
        raise ValueError(f'the {field.name} has the step "{text[:20]}"; a step is a number from 1')
    return _to_int(text)


def _to_int(digits: str) -> int:
    """The number, or one that is too large as well: int() refuses thousands of digits."""
    return int(digits.lstrip("0")[:9] or "0")


def _wrong(text: str, field: _Field) -> ValueError:
    names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    allowed = f"{field.low} to {field.high}{names}, a range, a list, * or */5"
    return ValueError(f'the {field.name} "{text[:20]}" is none of {allowed}')


# The wall clock


def walls_after(cron: Cron, after: datetime) -> Iterator[datetime]:
    """The rule's wall times later than a naive one, in their order, as far as years go."""
    for day in _days(cron, after.date()):
        for hour in cron.hours:
            for minute in cron.minutes:
                wall = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001
                if wall > after:
                    yield wall


def _days(cron: Cron, first: date) -> Iterator[date]:
    """The days that fit, from the first on, until none came for as long as one could take."""
    year, end = first.year, first.year + _NEVER
    while year <= min(end, date.max.year):
        for day in _days_of(cron, year):
            if day >= first:
                end = year + _NEVER
                yield day
        year += 1


def _days_of(cron: Cron, year: int) -> Iterator[date]:
    for month in cron.months:
        for number in range(1, monthrange(year, month)[1] + 1):
            day = date(year, month, number)
            if _is_fit(cron, day):
                yield day


def _is_fit(cron: Cron, day: date) -> bool:
    in_month = day.day in cron.days
    in_week = day.isoweekday() % 7 in cron.weekdays
    return (in_month or in_week) if cron.is_either else (in_month and in_week)


# Instants


def to_instant(wall: datetime, zone: tzinfo) -> datetime:
    """The instant of a naive wall time, in UTC: the first where there are two.

    A wall time that the zone leaves out is counted with the offset from before the gap: where
    02:00 is followed by 03:00, 02:30 is what the clock then shows as 03:30; where midnight is left
    out, 00:00 is 01:00. Of a day that is left out (Apia, 30 December 2011) each wall time is the
    same time of the next day: two wall times then have one instant, and each keeps its own.
    """
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def due_between(cron: Cron, zone: tzinfo, after: datetime, until: datetime) -> Iterator[Due]:
    """What is due later than `after` and not later than `until`, in the order of the instants.

    However a span of time is cut into such intervals, each wall time is in exactly one of them. A
    wall time within a gap may come after a later one (02:30 after 03:10): the order is that of the
    instants, and of the wall times where these are equal.
    """
    # Of the same zone, aware times are compared by their wall clocks.
    after, until = after.astimezone(UTC), until.astimezone(UTC)
    waiting: list[tuple[datetime, datetime]] = []
    for wall in walls_after(cron, after.replace(tzinfo=None) - _DAY):
        # Neither this wall time nor a later one is due as early as this.
        earliest = wall.replace(tzinfo=UTC) - _DAY
        while waiting and waiting[0][0] <= earliest:
            instant, earlier = heapq.heappop(waiting)
            yield Due(earlier, instant)
        if earliest >= until:
            break
        instant = to_instant(wall, zone)
        if after < instant <= until:
            heapq.heappush(waiting, (instant, wall))
    yield from (Due(wall, instant) for instant, wall in sorted(waiting))


def next_due(cron: Cron, zone: tzinfo, after: datetime) -> Due | None:
    """What is due first, later than `after`; None where the rule never comes again."""
    return next(due_between(cron, zone, after, _END), None)
