"""Cron's rules on every zone's clock: each wall time once, whatever the clock does that day."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from publisher.mailing.cron import (
    Cron,
    Due,
    due_between,
    next_due,
    parse_cron,
    to_instant,
    walls_after,
)
from publisher.settings_values import is_cron

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
NAMES = {
    3: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    4: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# The reference: one set of numbers for each field by trial, and every minute tried.


@cache
def is_in(field: str, number: int, place: int) -> bool:
    """Whether a number of a field is in it: of each part, whether a step from its start hits it."""
    low, high = LIMITS[place]
    for name in NAMES.get(place, []):
        field = re.sub(name, str(NAMES[place].index(name) + low), field, flags=re.IGNORECASE)
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        end = int(last or (high if step else first))
        if int(first) <= number <= end and (number - int(first)) % int(step or 1) == 0:
            return True
    return False


def is_match(text: str, at: datetime) -> bool:
    minute, hour, day, month, weekday = text.split()
    number = at.isoweekday() % 7
    in_month = is_in(day, at.day, 2)
    in_week = is_in(weekday, number, 4) or (number == 0 and is_in(weekday, 7, 4))
    is_any = day[0] == "*" or weekday[0] == "*"
    return (
        is_in(minute, at.minute, 0)
        and is_in(hour, at.hour, 1)
        and is_in(month, at.month, 3)
        and (in_month and in_week if is_any else in_month or in_week)
    )


def next_wall(cron: Cron, after: datetime) -> datetime | None:
    return next(walls_after(cron, after), None)


def by_brute_force(text: str, start: datetime, minutes: int) -> list[datetime]:
    return [at for i in range(minutes) if is_match(text, at := start + i * MINUTE)]


@st.composite
def parts(draw: st.DrawFn, place: int) -> str:
    low, high = LIMITS[place]
    numbers = st.integers(low, high)

    def write(number: int) -> str:
        names = NAMES.get(place, [])
        is_named = number - low < len(names) and draw(st.booleans())
        return names[number - low] if is_named else f"{number:0{draw(st.integers(1, 2))}}"

    first, last = sorted((draw(numbers), draw(numbers)))
    shape = draw(st.sampled_from(["*", "one", "range"]))
    span = {"*": "*", "one": write(first), "range": f"{write(first)}-{write(last)}"}[shape]
    step = draw(st.one_of(st.just(""), st.integers(1, high + 2).map(lambda n: f"/{n}")))
    return span + step


def fields(place: int) -> st.SearchStrategy[str]:
    return st.one_of(st.just("*"), st.lists(parts(place), min_size=1, max_size=3).map(",".join))


CRONS = st.tuples(*map(fields, range(5))).map(" ".join)
# Rules as publications have them: some times of most days.
DAILY = st.tuples(fields(0), fields(1), st.just("*"), st.just("*"), st.just("*")).map(" ".join)


# The language


@pytest.mark.parametrize(
    ("text", "minutes", "hours", "days", "months", "weekdays"),
    [
        ("30 6 * * mon-fri", [30], [6], range(1, 32), range(1, 13), range(1, 6)),
        ("*/20 10-20/3 1,15 JAN,mar 0", [0, 20, 40], [10, 13, 16, 19], [1, 15], [1, 3], [0]),
        ("5/25 0 1 * 7", [5, 30, 55], [0], [1], range(1, 13), [0]),
        ("0 0 1 * 5-7", [0], [0], [1], range(1, 13), [0, 5, 6]),
        ("0 0 1 * sun,Sat", [0], [0], [1], range(1, 13), [0, 6]),
        ("007 00 */10 * *", [7], [0], [1, 11, 21, 31], range(1, 13), range(7)),
    ],
)
def test_fields_are_read(
    text: str,
    minutes: list[int],
    hours: list[int],
    days: Iterable[int],
    months: Iterable[int],
    weekdays: Iterable[int],
) -> None:
    cron = parse_cron(text)
    assert (cron.minutes, cron.hours) == (tuple(minutes), tuple(hours))
    assert (cron.days, cron.months) == (tuple(days), tuple(months))
    assert cron.weekdays == tuple(weekdays)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 6 * *", "has 4 fields; cron has five: minute, hour"),
        ("0 6 * * * *", "has 6 fields"),
        ("60 6 * * *", 'the minute "60" is none of 0 to 59, a range'),
        ("0 24 * * *", 'the hour "24"'),
        ("0 6 0 * *", 'the day of month "0"'),
        ("0 6 * sol *", 'the month "sol" is none of 1 to 12 or jan to dec'),
        ("0 6 * * fri-mon", 'the day of week "fri-mon" runs backwards; write it as two ranges'),
        ("0 6 * * 8", 'the day of week "8" is none of 0 to 7 or sun to sat'),
        ("*/0 6 * * *", 'the minute has the step "0"; a step is a number from 1'),
        ("*/x 6 * * *", 'the minute has the step "x"'),
        ("0 6 L * *", 'the day of month "l"'),
        ("0 6 * * 1#2", 'the day of week "1#2"'),
        ("0, 6 * * *", 'the minute ""'),
        ("-5 6 * * *", 'the minute "-5"'),
        (f"{'9' * 5000} 6 * * *", 'the minute "9999'),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_cron(text)


def is_parsed(text: str) -> bool:
    try:
        parse_cron(text)
    except ValueError:
        return False
    return True


@given(CRONS)
def test_the_settings_accept_what_is_parsed(text: str) -> None:
    assert is_cron(text)
    assert is_parsed(text)


@settings(max_examples=500)
@given(
    st.lists(st.text("*/-,01579 .sunmofribjx#LW?²٣", max_size=6), min_size=3, max_size=5).map(
        " ".join
    )
    | st.tuples(CRONS, st.integers(0, 30), st.sampled_from([*"*/-,0 9x", ""])).map(
        lambda drawn: drawn[0][: drawn[1]] + drawn[2] + drawn[0][drawn[1] + 1 :]
    )
)
def test_the_settings_accept_nothing_else(text: str) -> None:
    assert is_parsed(text) == is_cron(text)


# The wall clock


@settings(max_examples=60, deadline=None)
@given(CRONS, st.datetimes(datetime(1999, 1, 1), datetime(2101, 1, 1)))
def test_a_rule_is_what_trying_every_minute_finds(text: str, start: datetime) -> None:
    start = start.replace(second=0, microsecond=0)
    cron, end = parse_cron(text), start + DAY
    found = []
    for at in walls_after(cron, start - MINUTE):
        if at >= end:
            break
        found.append(at)
    assert found == by_brute_force(text, start, 24 * 60)


@settings(max_examples=60, deadline=None)
@given(CRONS, st.dates(date(1999, 1, 1), date(2101, 1, 1)))
def test_the_next_day_is_what_trying_every_day_finds(text: str, first: date) -> None:
    """At the same time of every day for four years; what lies beyond is left to the leap days."""
    cron = parse_cron(text)
    at = datetime(first.year, first.month, first.day, cron.hours[0], cron.minutes[0])
    days = (at + i * DAY for i in range(1, 4 * 366))
    expected = next((day for day in days if is_match(text, day)), None)
    found = next_wall(cron, at.replace(hour=23, minute=59))
    assert found == expected or (expected is None and (found is None or found > at + 4 * 365 * DAY))


@given(CRONS, st.datetimes(datetime(1999, 1, 1), datetime(2101, 1, 1)))
def test_the_next_is_later_and_fits(text: str, after: datetime) -> None:
    found = next_wall(parse_cron(text), after)
    assert found is None or (found > after and is_match(text, found))


def test_a_day_fits_either_field_where_both_are_restricted() -> None:
    either = walls_after(parse_cron("0 0 13 * fri"), wall("2026-02-01"))
    assert [at.day for at in islice(either, 6)] == [6, 13, 20, 27, 6, 13]
    both = walls_after(parse_cron("0 0 */2 * fri"), wall("2026-02-01"))
    assert [at.day for at in islice(both, 4)] == [13, 27, 13, 27]
    star = parse_cron("0 0 13 * *,fri")
    assert next_wall(star, wall("2026-02-01")) == wall("2026-02-13")
    assert next_wall(star, wall("2026-02-13")) == wall("2026-03-13")


def test_what_never_comes_is_none_and_what_is_rare_is_found() -> None:
    assert next_wall(parse_cron("0 0 30 2 *"), wall("2026-01-01")) is None
    assert next_wall(parse_cron("0 0 31 4,6,9,11 *"), wall("2026-01-01")) is None
    assert next_due(parse_cron("0 0 30 2 *"), UTC, utc("2026-01-01")) is None
    leap = parse_cron("0 0 29 2 *")
    assert next_wall(leap, wall("2096-02-29")) == wall("2104-02-29")
    # A leap day on a Sunday or Saturday: 40 years may pass, round 2100.
    days = list(walls_after(parse_cron("0 0 29 2 */7"), wall("2026-01-01")))
    assert days[0] == wall("2032-02-29")
    assert max(b.year - a.year for a, b in pairwise(days)) == 40
    assert days[-1].year > 9950


def test_the_last_minute_of_all_is_an_end() -> None:
    assert next_wall(parse_cron("* * * * *"), datetime(9999, 12, 31, 23, 59)) is None


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(fields(0), fields(1), fields(2), fields(3)),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
)
def test_apscheduler_agrees_where_it_means_the_same(
    texts: tuple[str, str, str, str], after: datetime
) -> None:
    """In UTC, without weekdays; it reads `5/10` and names otherwise, and refuses some steps."""
    minute, hour, day, month = texts
    try:
        trigger = CronTrigger(minute=minute, hour=hour, day=day, month=month, timezone=UTC)
    except ValueError:
        assume(False)
    assume(not re.search(r"[a-z]|(^|,)\w+/", ",".join(texts)))
    cron = parse_cron(f"{minute} {hour} {day} {month} *")
    theirs = trigger.get_next_fire_time(
        None, (after + timedelta(microseconds=1)).replace(tzinfo=UTC)
    )
    ours = next_wall(cron, after)
    assert ours == (theirs and theirs.replace(tzinfo=None))


# The days on which clocks change

CHANGES = [
    # zone, rule, day, what it gives: wall time and UTC
    ("Europe/Berlin", "30 2 * * *", "2025-03-30", ["02:30 01:30"]),
    ("Europe/Berlin", "30 2 * * *", "2025-10-26", ["02:30 00:30"]),
    ("Europe/Berlin", "0 1-3 * * *", "2025-03-30", ["01:00 00:00", "02:00 01:00", "03:00 01:00"]),
    ("America/New_York", "30 2 * * *", "2025-03-09", ["02:30 07:30"]),
    ("America/New_York", "30 1 * * *", "2025-11-02", ["01:30 05:30"]),
    ("America/Sao_Paulo", "0 0 * * *", "2018-11-04", ["00:00 03:00"]),
    ("America/Sao_Paulo", "30 23 * * *", "2018-02-17", ["23:30 01:30"]),
    ("Africa/Cairo", "0 0 * * *", "2023-04-28", ["00:00 22:00"]),
    ("Africa/Cairo", "30 23 * * *", "2023-10-26", ["23:30 20:30"]),
    ("Australia/Lord_Howe", "15 2 * * *", "2025-10-05", ["02:15 15:45"]),
    ("Australia/Lord_Howe", "45 1 * * *", "2025-04-06", ["01:45 14:45"]),
    ("Australia/Lord_Howe", "15 2 * * *", "2025-04-06", ["02:15 15:45"]),
    ("Pacific/Apia", "0 6 * * *", "2011-12-30", ["06:00 16:00"]),
    ("Pacific/Kwajalein", "0 6 * * *", "1993-08-21", ["06:00 18:00"]),
]


def due_on(cron: Cron, zone: ZoneInfo, day: str) -> list[Due]:
    """What comes of a day's wall times, whichever instants they have."""
    middle = to_instant(wall(day) + DAY / 2, zone)
    around = due_between(cron, zone, middle - 4 * DAY, middle + 4 * DAY)
    return [each for each in around if each.wall.date() == date.fromisoformat(day)]


@pytest.mark.parametrize(("zone", "text", "day", "expected"), CHANGES)
def test_on_the_day_of_a_change(zone: str, text: str, day: str, expected: list[str]) -> None:
    due = due_on(parse_cron(text), ZoneInfo(zone), day)
    given = [f"{each.wall:%H:%M} {each.instant:%H:%M}" for each in due]
    assert given == expected


def test_a_wall_time_in_a_gap_may_come_after_a_later_one() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    due = due_on(parse_cron("10,30 2,3 * * *"), berlin, "2025-03-30")
    assert [f"{each.wall:%H:%M} {each.instant:%H:%M}" for each in due] == [
        *("02:10 01:10", "03:10 01:10", "02:30 01:30", "03:30 01:30"),
    ]


def test_a_day_that_is_left_out_comes_with_the_next() -> None:
    apia = ZoneInfo("Pacific/Apia")
    start, end = utc("2011-12-28T00:00"), utc("2012-01-01T00:00")
    due = list(due_between(parse_cron("0 6 * * *"), apia, start, end))
    assert [f"{each.wall:%d} {each.instant:%d %H}" for each in due] == [
        *("28 28 16", "29 29 16", "30 30 16", "31 30 16", "01 31 16"),
    ]


def test_aware_times_of_the_same_zone_are_compared_as_instants() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2025, 10, 26, 2, 10, tzinfo=berlin, fold=0)
    second = datetime(2025, 10, 26, 2, 5, tzinfo=berlin, fold=1)
    due = list(due_between(parse_cron("30 2 * * *"), berlin, first, second))
    assert [each.instant for each in due] == [utc("2025-10-26T00:30")]


def test_the_interval_may_be_given_in_any_zone() -> None:
    """Also in one that is more than a day ahead of the rule's."""
    cron, pago = parse_cron("0 * * * *"), ZoneInfo("Pacific/Pago_Pago")
    start, end = utc("2025-06-01T00:00"), utc("2025-06-03T00:00")
    expected = list(due_between(cron, pago, start, end))
    assert len(expected) == 48
    for name in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"):
        zone = ZoneInfo(name)
        assert list(due_between(cron, pago, start.astimezone(zone), end)) == expected
        assert list(due_between(cron, pago, start, end.astimezone(zone))) == expected


def find_changes(zone: ZoneInfo, first: int, last: int) -> Iterator[datetime]:
    """The days (their noons in UTC) before which the zone's offset changed."""
    noon = datetime(first, 1, 1, 12, tzinfo=UTC)
    offset = noon.astimezone(zone).utcoffset()
    while noon.year < last:
        noon += DAY
        before, offset = offset, noon.astimezone(zone).utcoffset()
        if before != offset:
            yield noon


@cache
def changes_of(name: str) -> list[datetime]:
    return list(find_changes(ZoneInfo(name), 1970, 2038))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from(ZONES), DAILY)
def test_however_time_is_cut_each_wall_time_comes_once(
    data: st.DataObject, name: str, text: str
) -> None:
    zone, cron = ZoneInfo(name), parse_cron(text)
    middle = data.draw(st.sampled_from(changes_of(name) or [utc("2025-06-01T12:00")]))
    start, end = middle - DAY, middle + DAY
    offsets = st.integers(0, int((end - start).total_seconds()) // 60)
    cuts = [start, *(start + n * MINUTE for n in sorted(data.draw(st.lists(offsets)))), end]
    found = [due for a, b in pairwise(cuts) for due in due_between(cron, zone, a, b)]

    first = (start - DAY).replace(tzinfo=None)
    walls = by_brute_force(text, first, 4 * 24 * 60)
    instants = [(to_instant(at, zone), at) for at in walls]
    assert [(each.instant, each.wall) for each in found] == sorted(
        each for each in instants if start < each[0] <= end
    )


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(ZONES), st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)), DAILY)
def test_next_due_is_the_first_of_what_is_due(name: str, after: datetime, text: str) -> None:
    zone, cron, start = ZoneInfo(name), parse_cron(text), after.replace(tzinfo=UTC)
    due = next_due(cron, zone, start)
    assert due is not None
    assert due == next(due_between(cron, zone, start, due.instant))
    assert due.instant > start


def check_once_a_day(name: str, text: str, first: date, days: int) -> None:
    """Each day's wall time comes once, and shows that time or, after a gap, a later one."""
    zone, cron = ZoneInfo(name), parse_cron(text)
    walls = [datetime(first.year, first.month, first.day) + i * DAY for i in range(days)]
    start, end = to_instant(walls[0] - DAY, zone), to_instant(walls[-1] + 2 * DAY, zone)
    due = list(due_between(cron, zone, start, end))
    assert sorted({each.wall.date() for each in due} & {at.date() for at in walls}) == [
        at.date() for at in walls
    ]
    assert len({each.wall for each in due}) == len(due)
    for each in due:
        shown = each.instant.astimezone(zone).replace(tzinfo=None)
        assert shown == each.wall or timedelta(0) < shown - each.wall <= DAY


@pytest.mark.parametrize("text", ["0 0 * * *", "30 2 * * *"])
def test_once_a_day_in_every_zone(text: str) -> None:
    for name in ZONES[::5]:
        check_once_a_day(name, text, date(2025, 1, 1), 365)


@pytest.mark.long
def test_once_a_day_at_every_change_of_every_zone() -> None:
    changes = [(name, noon.date()) for name in ZONES for noon in changes_of(name)]
    assert len(changes) > 10_000
    for name, day in changes:
        for text in ("0 0 * * *", "30 0 * * *", "30 1 * * *", "30 2 * * *"):
            check_once_a_day(name, text, day - 2 * DAY, 4)


def test_every_change_of_midnight_is_among_them() -> None:
    """The zones that leave out midnight are what the rule is for: some are there to be tested."""
    cairo = [noon.date() for noon in changes_of("Africa/Cairo")]
    assert date(2023, 4, 28) in cairo
    shown = to_instant(wall("2023-04-28T00:00"), ZoneInfo("Africa/Cairo"))
    assert shown.astimezone(ZoneInfo("Africa/Cairo")).hour == 1
