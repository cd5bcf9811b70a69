"""Waits that grow, and rates that hold, whatever chance and the clock do."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.mailing.retry import (
    DomainBackoff,
    TokenBucket,
    gives_up,
    relax_domain,
    slow_domain,
    take,
    wait_before_retry,
    wait_for_domain,
    wait_for_relay,
)

NOW = datetime(2025, 12, 15, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOTHING = timedelta(0)

RANDOM = st.floats(0, 1, exclude_max=True)
COUNTS = st.integers(1, 10_000)


# Recipients and the relay


@pytest.mark.parametrize(
    ("deferrals", "shortest"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 40), (99, 40)]
)
def test_a_recipient_waits_for_minutes(deferrals: int, shortest: int) -> None:
    assert wait_before_retry(deferrals, 0) == shortest * MINUTE
    assert wait_before_retry(deferrals, 0.5) == shortest * 1.25 * MINUTE


@given(COUNTS, RANDOM)
def test_a_recipient_waits_from_a_minute_to_an_hour(deferrals: int, random: float) -> None:
    assert MINUTE <= wait_before_retry(deferrals, random) <= HOUR


@given(st.integers(1, 5), RANDOM, RANDOM)
def test_waits_grow_however_chance_falls(count: int, first: float, second: float) -> None:
    assert wait_before_retry(count, first) < wait_before_retry(count + 1, second)
    assert wait_for_relay(count, first) < wait_for_relay(count + 1, second)


@given(COUNTS, RANDOM)
def test_the_relay_is_tried_again_within_a_minute(failures: int, random: float) -> None:
    assert SECOND / 2 <= wait_for_relay(failures, random) <= MINUTE


def test_the_relay_is_tried_several_times_before_a_send_gives_up() -> None:
    assert [wait_for_relay(n, 0) / SECOND for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 32, 40]
    assert sum((wait_for_relay(n, 0.999) for n in range(1, 5)), NOTHING) < 20 * SECOND


@given(st.integers(1, 100), st.lists(RANDOM, min_size=2, max_size=2, unique=True))
def test_who_was_deferred_together_returns_apart(count: int, randoms: list[float]) -> None:
    one, other = (wait_before_retry(count, random) for random in randoms)
    assert one != other or abs(randoms[0] - randoms[1]) < 1e-6


def test_a_recipient_is_given_up_after_the_time_set() -> None:
    day = timedelta(days=1)
    assert not gives_up(NOW, NOW + day - SECOND, day)
    assert gives_up(NOW, NOW + day, day)
    assert gives_up(NOW, NOW, NOTHING)
    assert not gives_up(None, NOW, NOTHING)
    assert not gives_up(NOW, NOW - HOUR, day)


def test_retries_go_on_until_they_are_given_up() -> None:
    """With the longest waits there are still more than twenty in a day."""
    at, tried = NOW, 0
    while not gives_up(NOW, at, timedelta(days=1)):
        tried += 1
        at += wait_before_retry(tried, 0.999)
    assert 20 < tried < 40


# A domain that asks for less


def test_each_refusal_doubles_the_wait_and_each_success_halves_it() -> None:
    backoff, now, waits = DomainBackoff(), NOW, []
    for _ in range(4):
        backoff = slow_domain(backoff, now, 0)
        waits.append(wait_for_domain(backoff, now) / SECOND)
        now += wait_for_domain(backoff, now)
    assert waits == [30, 60, 120, 240]
    factors = []
    for _ in range(5):
        backoff = relax_domain(backoff, now)
        factors.append(backoff.factor)
    assert factors == [4, 2, 1, 0, 0]
    assert backoff == DomainBackoff()
    assert wait_for_domain(slow_domain(backoff, now, 0), now) == 30 * SECOND


def test_what_was_on_its_way_changes_nothing() -> None:
    slowed = slow_domain(DomainBackoff(), NOW, 0.5)
    assert slow_domain(slowed, NOW + SECOND, 0.1) == slowed
    assert relax_domain(slowed, NOW + SECOND) == slowed


def test_a_clock_that_is_put_back_leaves_no_domain_waiting() -> None:
    slowed = slow_domain(DomainBackoff(), NOW, 0.5)
    assert wait_for_domain(slowed, NOW - SECOND) > NOTHING
    assert wait_for_domain(slowed, NOW - HOUR) == NOTHING


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 5000), RANDOM), max_size=60))
def test_a_domain_waits_neither_too_short_nor_too_long(
    events: list[tuple[bool, float, float]],
) -> None:
    backoff, now = DomainBackoff(), NOW
    for is_refused, seconds, random in events:
        was_waiting = wait_for_domain(backoff, now) > NOTHING
        if is_refused:
            backoff = slow_domain(backoff, now, random)
            assert was_waiting or wait_for_domain(backoff, now) >= 30 * SECOND
        else:
            backoff = relax_domain(backoff, now)
        assert backoff.factor == 0 or 1 <= backoff.factor <= 64
        assert wait_for_domain(backoff, now) <= 48 * MINUTE
        now += timedelta(seconds=seconds)


# A rate


def test_a_bucket_gives_its_burst_and_then_the_rate() -> None:
    bucket, waits = TokenBucket(), []
    for _ in range(4):
        bucket, wait = take(bucket, NOW, rate=2, burst=3)
        waits.append(wait)
    assert waits == [NOTHING, NOTHING, NOTHING, SECOND / 2]
    bucket, wait = take(bucket, NOW + SECOND / 2, rate=2, burst=3)
    assert wait == NOTHING
    assert take(bucket, NOW + SECOND / 2, rate=2, burst=3)[1] == SECOND / 2


@pytest.mark.parametrize("rate", [3, 7, 0.3, 12_345.678])
def test_a_token_is_given_at_the_told_microsecond_and_once(rate: float) -> None:
    bucket, _ = take(TokenBucket(), NOW, rate)
    bucket, wait = take(bucket, NOW, rate)
    assert take(bucket, NOW + wait - timedelta(microseconds=1), rate)[1] > NOTHING
    bucket, left = take(bucket, NOW + wait, rate)
    assert left == NOTHING
    assert take(bucket, NOW + wait, rate)[1] > NOTHING


def test_no_rate_is_no_limit() -> None:
    assert take(TokenBucket(), NOW, rate=0) == (TokenBucket(), NOTHING)


def test_a_clock_that_is_put_back_gives_no_more_than_the_burst() -> None:
    bucket, _ = take(TokenBucket(), NOW, rate=10, burst=2)
    bucket, wait = take(bucket, NOW - HOUR, rate=10, burst=2)
    assert wait == NOTHING
    bucket, wait = take(bucket, NOW - HOUR, rate=10, burst=2)
    assert wait == SECOND / 10
    taken = 0
    while not wait or not taken:
        bucket, wait = take(bucket, NOW, rate=10, burst=2)
        taken += not wait
    assert taken == 2


RATES = st.floats(0.001, 20_000)


@given(RATES, st.floats(0, 100), st.lists(st.integers(0, 3_000_000), min_size=1, max_size=100))
def test_no_stretch_of_time_gets_more_than_the_burst_and_the_rate(
    rate: float, burst: float, pauses: list[int]
) -> None:
    """However often it is asked; pauses in microseconds."""
    bucket, now, taken = TokenBucket(), NOW, []
    for pause in pauses:
        now += timedelta(microseconds=pause)
        bucket, wait = take(bucket, now, rate, burst)
        if not wait:
            taken.append(now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            allowed = max(burst, 1) + (taken[last] - taken[first]).total_seconds() * rate
            assert last - first + 1 <= allowed + 1e-6


@given(RATES, st.floats(1, 100), st.integers(1, 200))
def test_who_waits_as_long_as_told_is_served(rate: float, burst: float, count: int) -> None:
    bucket, now = TokenBucket(), NOW
    for _ in range(count):
        bucket, wait = take(bucket, now, rate, burst)
        if wait:
            now += wait
            bucket, wait = take(bucket, now, rate, burst)
        assert wait == NOTHING
    # Nothing of the rate is lost but what a microsecond rounds away.
    expected = max(count - burst, 0) / rate
    assert (now - NOW).total_seconds() <= expected + 1 / rate + count * 1e-6
