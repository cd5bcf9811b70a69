"""What operators are told of relays."""

from datetime import UTC, datetime, timedelta

import pytest

from publisher.rehearsal.relay import SAYINGS
from publisher.runtime.exchange import RelayRule, Rules
from publisher.runtime.fleet import Fleet
from publisher.runtime.roles import describe_troubles

NOW = datetime(2025, 12, 15, 6, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=3)


def make_fleet(*names: str) -> Fleet:
    return Fleet(Rules(relays=tuple(RelayRule(name=name) for name in names)), 1)


def hear(fleet: Fleet, name: str, saying: str) -> None:
    outcome = SAYINGS[saying].outcome
    assert outcome is not None
    fleet.note(name, outcome, NOW, 0.5)


def test_the_only_one_is_told_of_when_it_has_been_down_for_long() -> None:
    fleet = make_fleet("")
    hear(fleet, "", "unreachable")
    assert describe_troubles(fleet, NOW) == {}
    said = {"relay": "The mail relay cannot be reached; its deliveries wait."}
    assert describe_troubles(fleet, LATER) == said
    assert fleet.say_troubles() == [
        "The relay failed, and what is left waits: the connection was reset"
    ]


@pytest.mark.parametrize(
    ("saying", "is_at_once"), [("unreachable", False), ("login refused", True)]
)
def test_one_of_several_is_told_of_by_its_name(saying: str, is_at_once: bool) -> None:
    fleet = make_fleet("a", "b")
    hear(fleet, "b", saying)
    assert set(describe_troubles(fleet, NOW)) == ({"b"} if is_at_once else set())
    (text,) = describe_troubles(fleet, LATER).values()
    assert text.startswith("The mail relay b cannot be used, and the others go on without it: ")
    hear(fleet, "a", "unreachable")
    texts = describe_troubles(fleet, LATER)
    assert set(texts) == {"a", "b"}
    assert all("all deliveries wait" in each for each in texts.values())
    hear(fleet, "a", "ok")
    hear(fleet, "b", "ok")
    assert describe_troubles(fleet, LATER) == {}
