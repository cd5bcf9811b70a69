"""Many readers as few: held against the same days with every delivery simulated."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.mailing.settle import Policy
from publisher.rehearsal.document import Firing
from publisher.rehearsal.facts import Facts
from publisher.rehearsal.groups import OTHERS, follow, make_groups
from publisher.rehearsal.outcome import Sent
from publisher.rehearsal.sending import Traffic
from publisher.settings import Duration, Schedule
from tests.rehearsal.rehearsed import days_from, incident, live, make_settings

DAILY = Schedule(name="daily", cron="30 6 * * *")
DUE = datetime(2025, 12, 15, 5, 30, tzinfo=UTC)
TRAFFIC = Traffic(seconds=0.2, deferred=0.02, refused=0.01, assumed=())
DOMAINS = {"a.example": 0.5, "b.example": 0.3, "c.example": 0.15, "d.example": 0.05}

# What sending is like: the settings, and what goes wrong, as (kind, minutes after, minutes long).
SENDING: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "as it comes": ({}, ()),
    "one connection": ({"connections": 1}, ()),
    "a rate": ({"rate": 4}, ()),
    "a domain's rate": ({"domain_rates": {"b.example": 1}}, ()),
    "an outage": ({}, ("relay down", 0.2, 45)),
    "a crash": ({}, ("crash", 0.4, 20)),
    "a slow domain": ({}, ("domain slow", -1, 20)),
    "a canary": ({"canary": 100, "canary_wait": Duration(minutes=7)}, ()),
}

# A relay is asked again after a minute, and a domain after as long as it was slow already.
LEAST = {"an outage": timedelta(minutes=1.5), "a slow domain": timedelta(minutes=30)}


def _send(name: str, readers: int, most: int) -> Sent:
    delivery, wrong = SENDING[name]
    settings = make_settings("Europe/Berlin", DAILY, delivery=delivery)
    incidents = []
    if wrong:
        begin = DUE + timedelta(minutes=wrong[1] * readers / 1000)
        incidents = [incident(wrong[0], begin, wrong[2], "a.example")]
    facts = Facts(domains={each: round(readers * share) for each, share in DOMAINS.items()})
    days = days_from("2025-12-15", "Europe/Berlin")
    firings: list[Firing] = live(
        settings, days, (), incidents, facts=facts, traffic=TRAFFIC, most=most
    )
    sent = firings[0].sending
    assert sent is not None
    return sent


def _require_alike(name: str, readers: int, most: int) -> None:
    """What a rehearsal tells is the same within what its operator would call the same."""
    exact, model = _send(name, readers, readers), _send(name, readers, most)
    assert model.recipients == exact.recipients == readers
    assert model.waiting == exact.waiting == 0
    assert model.sent + model.failed + model.held == readers
    # Chance alone makes a difference of three standard deviations here at times.
    assert abs(model.failed - exact.failed) <= 4 * readers**0.5 * 0.15
    assert exact.bulk is not None
    assert model.bulk is not None
    took, modelled = exact.bulk - DUE, model.bulk - DUE
    assert abs(took - modelled) <= took / 20 + LEAST.get(name, timedelta(seconds=5))


@pytest.mark.parametrize("name", SENDING)
def test_groups_end_when_single_readers_would(name: str) -> None:
    _require_alike(name, 500, 50)


@pytest.mark.long
@pytest.mark.parametrize("name", SENDING)
def test_groups_end_when_20_000_readers_would(name: str) -> None:
    _require_alike(name, 20_000, 1333)


def test_deferred_ones_come_as_late_as_they_would_one_by_one() -> None:
    exact, model = _send("as it comes", 1000, 1000), _send("as it comes", 1000, 50)
    assert abs(exact.deferred - model.deferred) < 4 * (1000 * 0.02) ** 0.5
    for each in (exact, model):
        assert each.last is not None
        assert each.bulk is not None
        assert timedelta(minutes=1) < each.last - each.bulk < timedelta(hours=3)


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 10_000), min_size=1),
    st.integers(1, 500),
)
def test_no_reader_is_lost_in_a_group(domains: dict[str, int], most: int) -> None:
    groups = make_groups(domains, most, {"a": 1.0})
    assert sum(weight for _, weight in groups) == sum(domains.values())
    assert all(weight >= 1 for _, weight in groups)
    assert len(groups) <= most + len(domains) + 1
    if "a" in domains:
        assert sum(weight for domain, weight in groups if domain == "a") == domains["a"]
    if sum(domains.values()) <= most:
        assert OTHERS not in dict(groups)


def test_who_is_deferred_for_longer_than_give_up_after_is_not_sent() -> None:
    policy, chance = Policy(give_up_after=timedelta(0)), Random(1)
    came = follow(DUE, policy, chance, lambda moment: moment)
    assert not came.is_sent
    policy = Policy(give_up_after=timedelta(hours=24))
    came = follow(DUE, policy, chance, lambda moment: max(moment, DUE + timedelta(hours=5)))
    assert came.is_sent
    assert came.at >= DUE + timedelta(hours=5)
