"""An allowance grows from day to day until there is none, and days are foreseen by it."""

from hypothesis import given
from hypothesis import strategies as st

from publisher.mailing.warming import Growth, Room, allow_on, foresee_days

GROWTHS = st.builds(Growth, st.integers(1, 5_000), st.floats(1.05, 10), st.integers(5_000, 200_000))


@given(GROWTHS, st.integers(1, 2_000))
def test_it_grows_until_full(growth: Growth, day: int) -> None:
    today, tomorrow = allow_on(growth, day), allow_on(growth, day + 1)
    if today is None:
        assert tomorrow is None
    else:
        assert growth.first <= today < growth.full
        assert tomorrow is None or today <= tomorrow <= (today + 1) * growth.factor


def test_the_days_of_an_example() -> None:
    growth = Growth(200, 2, 1_000)
    assert [allow_on(growth, day) for day in range(1, 6)] == [200, 400, 800, None, None]


@given(st.integers(0, 300_000), GROWTHS, st.integers(1, 9), st.data())
def test_so_many_days_are_enough_and_one_less_is_not(
    messages: int, growth: Growth, day: int, data: st.DataObject
) -> None:
    left = data.draw(st.integers(0, allow_on(growth, day) or 0))
    days = foresee_days(messages, [Room(growth, day, left)])
    allowed = [left if not ahead else allow_on(growth, day + ahead) for ahead in range(days)]
    if allow_on(growth, day) is None:
        assert days == 1
        return
    assert allowed[-1] is None or sum(each or 0 for each in allowed) >= messages
    assert None not in allowed[:-1]
    assert days == 1 or sum(each or 0 for each in allowed[:-1]) < messages


def test_what_is_over_it_goes_by_another_relay() -> None:
    new = Room(Growth(200, 2, 1_000), 1, 200)
    assert foresee_days(100_000, [new, Room()]) == 1
    assert foresee_days(1_000, [new, new]) == 2
    assert foresee_days(1_000, [new]) == 3
