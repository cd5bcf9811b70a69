"""What a schedule does at its ticks: late editors, downtime, jumping clocks, and never twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.mailing.cron import parse_cron
from publisher.mailing.schedule import (
    Candidate,
    Fire,
    Missed,
    Occurrence,
    Rule,
    Wait,
    close_older,
    decide,
    new_occurrences,
)

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

BERLIN = ZoneInfo("Europe/Berlin")
RULE = Rule(name="morning", cron=parse_cron("30 6 * * *"))
# Monday, 06:30 in Berlin
DUE = datetime(2025, 12, 15, 5, 30, tzinfo=UTC)
OPEN = Occurrence(schedule="morning", wall=datetime(2025, 12, 15, 6, 30), due=DUE)
TODAY = Candidate(
    issue="aa11",
    slug="2025-12-15",
    date=datetime(2025, 12, 15, tzinfo=BERLIN),
    changed_at=DUE - 5 * HOUR,
    highlights=12,
)
YESTERDAY = msgspec.structs.replace(
    TODAY, issue="bb22", slug="2025-12-14", date=TODAY.date - DAY, changed_at=DUE - 2 * DAY
)


def today(**changes: Any) -> Candidate:
    return msgspec.structs.replace(TODAY, **changes)


def yesterday(**changes: Any) -> Candidate:
    return msgspec.structs.replace(YESTERDAY, **changes)


def rule(cron: str = "30 6 * * *", **changes: Any) -> Rule:
    return msgspec.structs.replace(RULE, cron=parse_cron(cron), **changes)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def new(a_rule: Rule, last: datetime, now: datetime, zone: ZoneInfo = BERLIN) -> list[Occurrence]:
    return new_occurrences(a_rule, zone, last, None, now)


# Which firings became due


def test_what_became_due_is_open() -> None:
    assert new(RULE, DUE - HOUR, DUE - SECOND) == []
    assert new(RULE, DUE - HOUR, DUE) == [OPEN]
    assert new_occurrences(RULE, BERLIN, DUE - DAY, DUE, DUE + HOUR) == []


def test_before_a_schedule_was_first_seen_nothing_was_missed() -> None:
    assert new_occurrences(RULE, BERLIN, DUE, None, DUE + HOUR) == []
    # It was re-timed, so it is first seen anew.
    retimed = rule("0 6 * * *")
    assert new_occurrences(retimed, BERLIN, DUE, DUE - DAY, DUE + HOUR) == []
    (next_day,) = new_occurrences(retimed, BERLIN, DUE, DUE - DAY, DUE + DAY)
    assert next_day.wall == datetime(2025, 12, 16, 6)


def test_a_wall_time_on_record_is_not_recorded_again_in_another_zone() -> None:
    """06:30 was in Berlin; then the publication moved to New York, where 06:30 is yet to come."""
    new_york, moved = ZoneInfo("America/New_York"), DUE + HOUR
    found = new_occurrences(RULE, new_york, moved, DUE, moved + DAY, {OPEN.wall})
    assert found == []
    (tomorrow,) = new_occurrences(RULE, new_york, moved, DUE, moved + 2 * DAY, {OPEN.wall})
    assert tomorrow.wall == OPEN.wall + DAY


def test_after_three_days_of_downtime_only_the_newest_is_open() -> None:
    missed = new_occurrences(RULE, BERLIN, DUE - 9 * DAY, DUE - 3 * DAY, DUE + HOUR)
    assert [(each.wall.day, each.status) for each in missed] == [
        *((13, "missed"), (14, "missed"), (15, "open")),
    ]
    assert missed[0].outcome == ("nothing ran when it was due, nor for 2d 1h; catch_up is 3h")


def test_after_the_catch_up_all_are_missed() -> None:
    missed = new_occurrences(RULE, BERLIN, DUE - 9 * DAY, DUE - 3 * DAY, DUE + 3 * HOUR)
    assert [each.status for each in missed] == ["missed"] * 3
    assert missed[-1].outcome.startswith("nothing ran when it was due, nor for 3h;")


def test_within_a_long_catch_up_the_older_ones_are_superseded() -> None:
    patient = rule(catch_up=2 * DAY)
    missed = new_occurrences(patient, BERLIN, DUE - 9 * DAY, DUE - 3 * DAY, DUE + HOUR)
    assert [each.status for each in missed] == ["missed", "superseded", "open"]
    assert missed[1].outcome == "superseded by the later firing of 2025-12-15 06:30"


def test_an_open_one_of_earlier_is_closed_by_a_later_one() -> None:
    (later,) = new(rule("0 7 * * *"), DUE, DUE + HOUR)
    other = msgspec.structs.replace(OPEN, schedule="evening")
    closed = close_older([later, OPEN, other])
    assert [(each.schedule, each.status) for each in closed] == [
        *(("evening", "open"), ("morning", "superseded"), ("morning", "open")),
    ]
    fired = msgspec.structs.replace(OPEN, status="fired", outcome="mailed 2025-12-15")
    assert close_older([fired, later]) == [fired, later]


def test_of_a_very_long_time_the_newest_are_recorded() -> None:
    often = rule("* * * * *", catch_up=MINUTE)
    found = new(often, DUE - 40 * 365 * DAY, DUE)
    assert len(found) == 1000
    assert found[-1].due == DUE
    assert len({each.wall for each in found}) == 1000
    yearly = new(rule("30 6 15 12 *"), DUE - 40 * 365 * DAY, DUE)
    assert [each.wall.year for each in yearly] == list(range(1986, 2026))


CHANGE_DAYS = [
    *(("Europe/Berlin", "2025-03-30"), ("Europe/Berlin", "2025-10-26")),
    *(("America/New_York", "2025-03-09"), ("America/New_York", "2025-11-02")),
    *(("America/Sao_Paulo", "2018-11-04"), ("America/Sao_Paulo", "2018-02-18")),
    *(("Africa/Cairo", "2023-04-28"), ("Africa/Cairo", "2023-10-27")),
    *(("Australia/Lord_Howe", "2025-10-05"), ("Australia/Lord_Howe", "2025-04-06")),
]


@pytest.mark.parametrize(("name", "day"), CHANGE_DAYS)
@pytest.mark.parametrize("time", ["0 0", "30 0", "30 1", "15 2", "30 2", "30 23"])
def test_ticking_through_a_change_fires_once_a_day(name: str, day: str, time: str) -> None:
    zone, a_rule = ZoneInfo(name), rule(f"{time} * * *")
    noon = at(day, zone).astimezone(UTC) + DAY / 2
    now, last, fired = noon - 2 * DAY, None, list[Occurrence]()
    while now < noon + 2 * DAY:
        found = new_occurrences(a_rule, zone, noon - 2 * DAY, last, now)
        last = found[-1].due if found else last
        fired += found
        now += 29 * MINUTE
    days = [each.wall.date() for each in fired]
    assert len(days) == len(set(days)) == 4
    assert {each.status for each in fired} == {"open"}


# A clock that jumps: the machine's time at each tick is the true time and what the clock is off.


def tick_through(a_rule: Rule, offsets: list[timedelta], step: timedelta) -> Iterator[Occurrence]:
    """What is recorded by ticks, as the store does it: keyed by wall time, never written over."""
    first = DUE - DAY / 2
    recorded: dict[datetime, Occurrence] = {}
    for number, offset in enumerate(offsets):
        now = first + number * step + offset
        past = [each.due for each in recorded.values() if each.due <= now]
        last = max(past, default=None)
        for each in new_occurrences(a_rule, BERLIN, first, last, now, recorded.keys()):
            assert each.wall not in recorded
            recorded[each.wall] = each
            yield each


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
@pytest.mark.parametrize("length", [1, 5, 9, 500])
def test_an_hours_jump_fires_once(jump: timedelta, length: int) -> None:
    """Ticks of ten minutes around 06:30; the clock jumps and, after a while, is set right."""
    for start in range(60, 78):
        offsets = [jump if start <= n < start + length else timedelta(0) for n in range(144)]
        found = list(tick_through(RULE, offsets, 10 * MINUTE))
        assert [each.wall for each in found] == [OPEN.wall]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-180, 180), min_size=1, max_size=40), st.integers(1, 90))
def test_no_jump_records_a_wall_time_twice(jumps: list[int], minutes: int) -> None:
    a_rule = rule("*/20 * * * *")
    offsets = [n * MINUTE for n in jumps]
    # tick_through itself holds that none is new twice; set right, the clock has lost none.
    offsets += [timedelta(0)] * 20
    found = [each.wall for each in tick_through(a_rule, offsets, minutes * MINUTE)]
    start = datetime(2025, 12, 14, 18, 30)
    end = start + (len(offsets) - 1) * minutes * MINUTE
    ticks = {start + n * MINUTE for n in range(1, (end - start) // MINUTE + 1)}
    due = {tick for tick in ticks if tick.minute % 20 == 0}
    assert {tick for tick in found if start < tick <= end} <= due
    if max(jumps) <= 0:
        assert set(found) == due


def test_a_clock_of_another_century_does_no_lasting_harm() -> None:
    offsets = [timedelta(0), 70 * 365 * DAY, *[timedelta(0)] * 150]
    found = list(tick_through(RULE, offsets, 10 * MINUTE))
    assert len(found) == 1001
    assert [each for each in found if each.wall.year == 2025] == [OPEN]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(["*/15 * * * *", "30 2 * * *", "10,30 2,3 * * *", "0 0 * * 0"]))
def test_at_most_one_is_open_and_none_is_lost(data: st.DataObject, text: str) -> None:
    """Ticks at any times over days with a clock change, and downtimes between."""
    a_rule = rule(text, catch_up=data.draw(st.integers(0, 600)) * MINUTE)
    start = datetime(2025, 3, 28, tzinfo=UTC)
    minutes = data.draw(st.lists(st.integers(1, 5 * 24 * 60), unique=True, min_size=1))
    now, last, recorded = start, None, list[Occurrence]()
    for minute in sorted(minutes):
        now = start + minute * MINUTE
        found = new_occurrences(a_rule, BERLIN, start, last, now)
        kept = [each for each in recorded if not each.is_open]
        recorded = kept + close_older([*(e for e in recorded if e.is_open), *found])
        assert sum(each.is_open for each in recorded) <= 1
        last = max((each.due for each in recorded), default=None)
    at_once = new_occurrences(a_rule, BERLIN, start, None, now)
    assert sorted(each.wall for each in recorded) == sorted(each.wall for each in at_once)


# Which issue a firing takes


def test_the_newest_issue_is_taken_and_the_others_are_superseded() -> None:
    older = yesterday(issue="cc33", slug="2025-12-14-extra", date=YESTERDAY.date + HOUR)
    fire = decide(RULE, OPEN, [YESTERDAY, TODAY, older], DUE)
    assert fire == Fire(candidate=TODAY, superseded=(older, YESTERDAY))


def test_what_is_superseded_includes_what_could_not_be_mailed_yet() -> None:
    """Or it would be mailed after the newer one, as soon as somebody mends it."""
    others = [
        yesterday(issue="e", has_errors=True),
        yesterday(issue="f", highlights=0),
        yesterday(issue="g", changed_at=DUE),
    ]
    fire = decide(RULE, OPEN, [TODAY, *others], DUE)
    assert isinstance(fire, Fire)
    assert {each.issue for each in fire.superseded} == {"e", "f", "g"}
    assert fire.passed_over == ()


REASONS = [
    (today(status="draft"), "it is a draft"),
    (today(highlights=0), "it has 0 highlights; min_highlights is 1"),
    (today(has_errors=True), "it has errors; see `publisher check`"),
    (today(mail=False), "it says mail: false"),
    (today(has_mailing=True), "it has a mailing already"),
    (
        today(is_superseded=True),
        "a newer issue superseded it; `publisher send` mails it by hand",
    ),
    (
        today(date=DUE + HOUR),
        "its date, 2025-12-15 06:30:00+00:00, lies in the future",
    ),
    (today(date=DUE - 37 * HOUR), "it was 37h old when due; max_age is 36h"),
    (today(date=DUE - 36.5 * HOUR), "it was 36h 30m old when due; max_age is 36h"),
    (today(date=DUE - 4 * DAY), "it was 4d old when due; max_age is 36h"),
]


@pytest.mark.parametrize(("candidate", "reason"), REASONS)
def test_why_an_issue_was_passed_over(candidate: Candidate, reason: str) -> None:
    wait = decide(RULE, OPEN, [candidate], DUE)
    assert isinstance(wait, Wait)
    assert [(each.candidate, each.reason) for each in wait.passed_over] == [(candidate, reason)]
    assert wait.reason == f"no issue can be mailed. 2025-12-15: {reason}"
    assert wait.is_alert


@pytest.mark.parametrize(("candidate", "reason"), REASONS)
def test_an_older_issue_is_taken_where_the_newest_cannot_be(
    candidate: Candidate, reason: str
) -> None:
    taken = yesterday(date=candidate.date - HOUR)
    patient = rule(max_age=9 * DAY) if "max_age" not in reason else RULE
    fire = decide(patient, OPEN, [taken, candidate], DUE)
    if "max_age" in reason or "future" in reason:
        assert isinstance(fire, Fire) == ("future" in reason)
    else:
        assert isinstance(fire, Fire)
        assert fire.candidate == taken
        assert [each.reason for each in fire.passed_over] == [reason]


def test_one_highlight_is_said_as_one() -> None:
    wait = decide(rule(min_highlights=3), OPEN, [today(highlights=1)], DUE)
    assert isinstance(wait, Wait)
    assert "it has 1 highlight; min_highlights is 3" in wait.reason


def test_age_is_counted_to_the_time_it_was_due() -> None:
    """An issue that was young enough stays so while the firing waits for it."""
    issue = today(date=DUE - 36 * HOUR)
    assert isinstance(decide(RULE, OPEN, [issue], DUE + 2 * HOUR), Fire)
    assert isinstance(decide(RULE, OPEN, [today(date=DUE - 36 * HOUR - SECOND)], DUE), Wait)


def test_a_late_editor_is_served_until_the_catch_up_has_passed() -> None:
    late = today(date=DUE + 2 * HOUR, changed_at=DUE + 2 * HOUR)
    assert isinstance(decide(RULE, OPEN, [], DUE), Wait)
    assert isinstance(decide(RULE, OPEN, [late], DUE + 3 * HOUR - SECOND), Fire)
    missed = decide(RULE, OPEN, [late], DUE + 3 * HOUR)
    assert isinstance(missed, Missed)
    assert missed.reason == (
        "the wait for one (3h, catch_up) is over; no issue can be mailed. "
        "2025-12-15: it could be mailed, but the wait for one (3h, catch_up) is over"
    )


def test_without_an_issue() -> None:
    assert decide(RULE, OPEN, [], DUE) == Wait(reason="there is no issue", is_alert=True)
    assert decide(RULE, OPEN, [], DUE + DAY) == Missed(
        reason="the wait for one (3h, catch_up) is over; there is no issue"
    )


def test_without_catch_up_what_is_ready_is_mailed_all_the_same() -> None:
    strict = rule(catch_up=timedelta(0))
    assert isinstance(decide(strict, OPEN, [TODAY], DUE + 5 * SECOND), Fire)
    assert isinstance(decide(strict, OPEN, [TODAY], DUE + 10 * SECOND), Missed)
    assert [each.status for each in new(strict, DUE - HOUR, DUE + 5 * SECOND)] == ["open"]


def test_the_reason_names_three_and_the_rest_by_number() -> None:
    drafts = [today(slug=f"d{n}", status="draft") for n in range(50)]
    wait = decide(RULE, OPEN, drafts, DUE)
    assert isinstance(wait, Wait)
    assert wait.reason == (
        "no issue can be mailed. d9: it is a draft; d8: it is a draft; d7: it is a draft; "
        "and 47 older"
    )
    assert len(wait.passed_over) == 20


# An issue that is being changed


def test_an_issue_that_was_just_changed_is_waited_for() -> None:
    busy = today(changed_at=DUE - 20 * SECOND)
    wait = decide(RULE, OPEN, [busy, YESTERDAY], DUE)
    assert isinstance(wait, Wait)
    assert wait.reason == "2025-12-15: it was changed 20s ago; taken once unchanged for 60s"
    assert not wait.is_alert
    assert [each.reason for each in wait.passed_over] == ["2025-12-15 is newer"]
    fire = decide(RULE, OPEN, [busy, YESTERDAY], DUE + 40 * SECOND)
    assert fire == Fire(candidate=busy, superseded=(YESTERDAY,))


def test_the_older_one_is_taken_when_the_newest_settles_too_late() -> None:
    end = DUE + 3 * HOUR
    busy = today(changed_at=end - 30 * SECOND)
    fire = decide(RULE, OPEN, [busy, YESTERDAY], end - 20 * SECOND)
    assert isinstance(fire, Fire)
    assert fire.candidate == YESTERDAY
    just_too_late = today(changed_at=end - RULE.settle)
    assert isinstance(decide(RULE, OPEN, [just_too_late, YESTERDAY], end - 20 * SECOND), Fire)
    wait = decide(RULE, OPEN, [busy], end - 20 * SECOND)
    assert isinstance(wait, Wait)
    assert wait.is_alert


def test_a_changing_issue_that_could_not_be_taken_anyway_is_not_waited_for() -> None:
    draft = today(status="draft", changed_at=DUE)
    fire = decide(RULE, OPEN, [draft, YESTERDAY], DUE)
    assert isinstance(fire, Fire)
    assert fire.candidate == YESTERDAY


def test_a_file_of_the_future_is_said_to_be_one() -> None:
    wait = decide(RULE, OPEN, [today(changed_at=DUE + 400 * DAY)], DUE)
    assert isinstance(wait, Wait)
    assert "its file's time, 2027-01-19 05:30:00+00:00, lies in the future" in wait.reason
    assert wait.is_alert


# Clocks and zones


def test_a_clock_put_back_before_the_due_time_waits() -> None:
    wait = decide(RULE, OPEN, [TODAY], DUE - HOUR)
    assert wait == Wait(reason="due at 2025-12-15 06:30", is_alert=False)


def test_a_closed_occurrence_decides_nothing() -> None:
    with pytest.raises(ValueError, match="morning 2025-12-15 06:30:00 is closed: fired"):
        decide(RULE, msgspec.structs.replace(OPEN, status="fired"), [TODAY], DUE)


def test_times_in_the_publications_zone_are_compared_as_instants() -> None:
    """In autumn's repeated hour, 02:50 at its first pass is before 02:10 at its second."""
    first = at("2025-10-26T02:50")
    second = at("2025-10-26T02:10").replace(fold=1)
    occurrence = Occurrence(schedule="morning", wall=datetime(2025, 10, 26, 2), due=first)
    newer = today(slug="a", date=second, changed_at=first - HOUR)
    older = today(slug="z", date=first, changed_at=first - HOUR)
    fire = decide(RULE, occurrence, [older, newer], second)
    assert fire == Fire(candidate=newer, superseded=(older,))
    busy = today(date=first, changed_at=first)
    assert isinstance(decide(rule(settle=19 * MINUTE), occurrence, [busy], second), Fire)
    assert isinstance(decide(rule(settle=21 * MINUTE), occurrence, [busy], second), Wait)


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        issue=st.uuids().map(str),
        slug=st.from_regex(r"[a-z]{1,3}", fullmatch=True),
        date=st.integers(-50, 5).map(lambda hours: DUE + hours * HOUR),
        changed_at=st.integers(-200, 50).map(lambda seconds: DUE + seconds * SECOND),
        highlights=st.integers(0, 3),
        status=st.sampled_from(["draft", "ready"]),
        mail=st.sampled_from([True, True, False]),
        has_mailing=st.sampled_from([False, False, True]),
        has_errors=st.sampled_from([False, False, True]),
        is_superseded=st.sampled_from([False, False, True]),
    ),
    max_size=8,
    unique_by=lambda each: each.issue,
)


def is_ready_and_due(each: Candidate, now: datetime) -> bool:
    """The contract's words, once more."""
    return (
        each.status == "ready"
        and each.mail
        and not each.has_mailing
        and not each.is_superseded
        and each.date <= now
        and DUE - each.date <= RULE.max_age
    )


def may_be_mailed(each: Candidate, now: datetime) -> bool:
    is_good = each.highlights >= RULE.min_highlights and not each.has_errors
    return is_ready_and_due(each, now) and is_good and now - each.changed_at >= RULE.settle


@settings(max_examples=300)
@given(CANDIDATES, st.integers(0, 4 * 3600).map(lambda seconds: DUE + seconds * SECOND))
def test_decisions_keep_the_contract(candidates: list[Candidate], now: datetime) -> None:
    decision = decide(RULE, OPEN, candidates, now)
    good = [each for each in candidates if may_be_mailed(each, now)]
    assert decide(RULE, OPEN, candidates[::-1], now) == decision or len(
        {(each.date, each.slug) for each in candidates}
    ) < len(candidates)
    if now >= DUE + RULE.catch_up:
        assert isinstance(decision, Missed)
    elif isinstance(decision, Fire):
        newest = max(good, key=lambda each: (each.date, each.slug))
        assert (decision.candidate.date, decision.candidate.slug) == (newest.date, newest.slug)
        assert decision.candidate in good
        older = {each.issue for each in decision.superseded}
        assert older == {
            each.issue
            for each in candidates
            if is_ready_and_due(each, now) and (each.date, each.slug) < (newest.date, newest.slug)
        }
        assert all(each.reason for each in decision.passed_over)
        assert {each.candidate.issue for each in decision.passed_over} | older | {
            decision.candidate.issue
        } == {each.issue for each in candidates}
    else:
        assert isinstance(decision, Wait)
        assert not good or not decision.is_alert
        assert all(each.reason for each in decision.passed_over)
