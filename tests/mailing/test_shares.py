"""Each relay has its share by weight, whoever of them has a connection free at the moment."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from publisher.mailing.shares import Share, choose, spend

WEIGHTS = st.lists(st.integers(0, 9), min_size=1, max_size=5)


def make(weights: list[int], lead: int = 1) -> dict[str, Share]:
    return {f"r{place}": Share(weight, lead) for place, weight in enumerate(weights)}


@given(WEIGHTS, st.integers(1, 400))
def test_shares_are_kept_to_less_than_a_message(weights: list[int], messages: int) -> None:
    shares, had = make(weights), Counter[str]()
    for _ in range(messages):
        chosen = choose(shares, shares, shares)
        assert chosen is not None
        shares = spend(shares, shares, chosen)
        had[chosen] += 1
    heeded = weights if any(weights) else [1] * len(weights)
    for place, weight in enumerate(heeded):
        due = messages * weight / sum(heeded)
        assert abs(had[f"r{place}"] - due) < len(weights)


@given(WEIGHTS.filter(any), st.integers(1, 6), st.lists(st.integers(0, 31), max_size=80))
def test_who_is_busy_is_waited_for_before_others_are_far_ahead(
    weights: list[int], lead: int, turns: list[int]
) -> None:
    """A turn is a number whose bits say who has a connection free."""
    shares, had = make(weights, lead), Counter[str]()
    for turn in turns:
        free = {name for place, name in enumerate(shares) if turn >> place & 1}
        chosen = choose(shares, shares, free)
        if chosen is not None:
            assert chosen in free
            shares = spend(shares, shares, chosen)
            had[chosen] += 1
        for place, weight in enumerate(weights):
            due = had.total() * weight / sum(weights)
            assert had[f"r{place}"] - due <= lead + 1
            assert weight or not had[f"r{place}"]
    # And never is nobody's turn: who was waited for gets it.
    assert choose(shares, shares, shares) is not None


@given(st.lists(st.sets(st.integers(0, 3)), min_size=1, max_size=80))
def test_whoever_may_take_messages_they_go_on(turns: list[set[int]]) -> None:
    """Relays come and go; those that are there never wait for those that are not."""
    shares = make([3, 1, 1, 0])
    for turn in turns:
        able = {f"r{place}" for place in turn}
        chosen = choose(shares, able, able)
        assert (chosen is None) == (not able)
        if chosen is not None:
            assert chosen in able
            assert chosen != "r3" or able == {"r3"}
            shares = spend(shares, able, chosen)


def test_who_comes_back_has_its_share_and_no_more() -> None:
    shares, had = make([1, 1]), Counter[str]()
    for number in range(300):
        able = {"r0"} if number < 100 else {"r0", "r1"}
        chosen = choose(shares, able, able)
        assert chosen is not None
        shares = spend(shares, able, chosen)
        had[chosen] += 1
    assert had == {"r0": 200, "r1": 100}
