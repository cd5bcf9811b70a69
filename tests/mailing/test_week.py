"""What a firing of the week's message takes: what was published since, once, and left alone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.mailing.cron import parse_cron
from publisher.mailing.schedule import Candidate, Missed, Occurrence, Rule, Wait
from publisher.mailing.week import (
    MOST_ISSUES,
    FireWeek,
    WeekDecision,
    decide_week,
    key_of,
    since,
    waited_since,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RULE = Rule(name="weekly", cron=parse_cron("0 8 * * 0"))
# Sunday
DUE = datetime(2025, 12, 14, 7, tzinfo=UTC)
OPEN = Occurrence(schedule="weekly", wall=datetime(2025, 12, 14, 8), due=DUE)


def issue(days: float, **changes: Any) -> Candidate:
    """An issue of so many days before the firing, ready since."""
    date = DUE - days * DAY
    one = Candidate(
        issue=f"i{days}", slug=f"s{days}", date=date, changed_at=date - HOUR, highlights=3
    )
    return msgspec.structs.replace(one, **changes)


def taken(
    issues: Sequence[Candidate], barred: Mapping[str, str] | None = None, now: datetime = DUE
) -> list[str]:
    decision = decide_week(RULE, OPEN, issues, barred or {}, now)
    assert isinstance(decision, FireWeek), decision
    return [each.slug for each in decision.candidates]


def reason(decision: WeekDecision) -> str:
    assert isinstance(decision, Wait | Missed)
    return decision.reason


def test_it_takes_all_that_was_published_the_oldest_first() -> None:
    assert taken([issue(1), issue(6), issue(3)]) == ["s6", "s3", "s1"]
    # whether an issue was mailed, or passed over by a schedule for a newer one, is all the same
    assert taken([issue(2, has_mailing=True), issue(1, is_superseded=True)]) == ["s2", "s1"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "draft"}, "it is a draft"),
        ({"mail": False}, "it says mail: false"),
        ({"date": DUE + HOUR}, "lies in the future"),
        ({"has_errors": True}, "it has errors"),
        ({"highlights": 0}, "it has no highlights"),
    ],
)
def test_it_leaves_out_what_is_not_published_or_not_mailed(
    change: dict[str, Any], why: str
) -> None:
    decision = decide_week(RULE, OPEN, [issue(2, **change), issue(1)], {}, DUE)
    assert isinstance(decision, FireWeek)
    assert [each.slug for each in decision.candidates] == ["s1"]
    assert why in decision.passed_over[0].reason


def test_what_is_barred_is_left_out_and_said() -> None:
    barred = {"i2": "its mailing was cancelled"}
    assert taken([issue(2), issue(1)], barred) == ["s1"]
    alone = decide_week(RULE, OPEN, [issue(2)], barred, DUE)
    assert "s2: its mailing was cancelled" in reason(alone)


def test_what_is_being_written_is_waited_for_until_it_is_left_alone() -> None:
    fresh = issue(0, changed_at=DUE - timedelta(seconds=10))
    waiting = decide_week(RULE, OPEN, [issue(3), fresh], {}, DUE)
    assert isinstance(waiting, Wait)
    assert not waiting.is_alert
    assert "s0: it was changed 10s ago" in waiting.reason
    assert taken([issue(3), fresh], now=DUE + timedelta(seconds=50)) == ["s3", "s0"]


def test_who_saves_all_the_time_is_in_the_next_one() -> None:
    last = DUE + RULE.catch_up - timedelta(seconds=20)
    assert taken([issue(3), issue(0, changed_at=last)], now=last) == ["s3"]


def test_an_empty_week_calls_nobody_and_ends_with_its_reason() -> None:
    waiting = decide_week(RULE, OPEN, [], {}, DUE)
    assert isinstance(waiting, Wait)
    assert not waiting.is_alert
    over = decide_week(RULE, OPEN, [], {}, DUE + RULE.catch_up)
    assert isinstance(over, Missed)
    assert "nothing was published in this week" in over.reason
    late = decide_week(RULE, OPEN, [issue(1)], {}, DUE + RULE.catch_up)
    assert isinstance(late, Missed)
    assert "s1: it could be mailed, but the wait" in late.reason


def test_before_its_time_and_after_it_was_closed() -> None:
    assert "due at 2025-12-14 08:00" in reason(decide_week(RULE, OPEN, [issue(1)], {}, DUE - HOUR))
    with pytest.raises(ValueError, match="is closed: fired"):
        decide_week(RULE, msgspec.structs.replace(OPEN, status="fired"), [], {}, DUE)


def test_of_too_many_the_newest() -> None:
    many = [issue(number / 10) for number in range(1, MOST_ISSUES + 3)]
    decision = decide_week(RULE, OPEN, many, {}, DUE)
    assert isinstance(decision, FireWeek)
    assert len(decision.candidates) == MOST_ISSUES
    assert {each.candidate.slug for each in decision.passed_over} == {"s6.2", "s6.1"}


def test_it_is_known_by_its_day() -> None:
    assert key_of(OPEN.wall) == "week-2025-12-14"


def test_the_first_looks_back_a_week_and_the_others_as_far_as_the_one_before() -> None:
    assert since(DUE, None) == DUE - 8 * DAY
    before = DUE - 7 * DAY
    assert since(DUE, before) == before - 8 * DAY
    assert since(DUE, DUE - 90 * DAY) == DUE - 35 * DAY
    assert waited_since(DUE, None) == DUE - 8 * DAY
    assert waited_since(DUE, before) == before


@given(
    late=st.lists(st.integers(0, 20), min_size=1, max_size=40),
    firings=st.lists(st.integers(1, 14), min_size=1, max_size=8),
)
def test_whenever_it_fires_every_issue_is_in_one_message(
    late: list[int], firings: list[int]
) -> None:
    """An issue a day, each published up to 20 hours late, and firings of any number of days."""
    start = DUE - 8 * DAY
    dates = [start + DAY * number for number in range(len(late))]
    now, previous = start + 8 * DAY, None
    found: list[str] = []
    last = start
    for days in firings:
        issues = [
            issue(0, issue=f"{n}", slug=f"{n}", date=date, changed_at=date)
            for n, (date, hours) in enumerate(zip(dates, late, strict=True))
            if date >= since(now, previous) and date + hours * HOUR <= now - HOUR
        ]
        barred = dict.fromkeys(found, "it was in a message")
        at = msgspec.structs.replace(OPEN, due=now)
        decision = decide_week(RULE, at, issues, barred, now)
        if isinstance(decision, FireWeek):
            found += [each.slug for each in decision.candidates]
            previous, last = now, now
        now += days * DAY
    assert len(found) == len(set(found))
    settled = [n for n, date in enumerate(dates) if date + 21 * HOUR <= last]
    assert set(map(str, settled)) <= set(found)
