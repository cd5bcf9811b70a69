"""A relay that failed is left alone for longer each time, and never for ever."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from publisher.mailing.rest import Rest, leave_alone, wait_to_try

NOW = datetime(2025, 12, 15, 6, 30, tzinfo=UTC)
CHANCE = st.floats(0, 1)


@given(st.lists(CHANCE, min_size=2, max_size=30), st.booleans())
def test_waits_grow_to_their_end(chances: list[float], is_refused: bool) -> None:
    rest, now, waits = Rest(), NOW, list[timedelta]()
    for chance in chances:
        rest = leave_alone(rest, now, "no", chance, is_refused=is_refused)
        waits.append(wait_to_try(rest, now))
        now += waits[-1]
        assert wait_to_try(rest, now) == timedelta(0)
    last = timedelta(minutes=60 if is_refused else 2 / 3)
    assert all(before < after or after >= last for before, after in itertools.pairwise(waits))
    assert waits[-1] <= last * 1.5
    assert waits[0] >= (timedelta(minutes=1) if is_refused else timedelta(seconds=0.5))
    assert rest.failures == len(chances)


@given(CHANCE, CHANCE)
def test_what_was_on_its_way_says_nothing_new(first: float, second: float) -> None:
    rest = leave_alone(Rest(), NOW, "closed", first)
    assert leave_alone(rest, NOW, "closed too", second) is rest
    refused = leave_alone(rest, NOW, "535", second, is_refused=True)
    assert (refused.is_refused, refused.fault) == (True, "535")
    assert leave_alone(refused, NOW, "closed", second) is refused


def test_a_wait_of_a_clock_that_was_put_back_is_over() -> None:
    rest = leave_alone(Rest(), NOW, "closed", 0.5)
    assert wait_to_try(rest, NOW - timedelta(hours=5)) == timedelta(0)
