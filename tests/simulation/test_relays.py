"""Several relays in simulated time: whatever they do nobody is lost, and none has too much."""

from collections import Counter
from datetime import datetime, timedelta, timezone
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from publisher.mailing.settle import Policy
from publisher.mailing.warming import Growth
from publisher.rehearsal.process import Attempt
from publisher.rehearsal.process import Process as Simulated
from publisher.rehearsal.relay import Relay
from publisher.rehearsal.world import PUBLICATION, Disk, Store
from publisher.runtime.exchange import RelayRule, Rules
from publisher.runtime.fleet import Fleet
from publisher.store.candidates import Candidate
from publisher.store.deliveries import Taken
from publisher.store.mailings import change_mailing
from publisher.store.relays import claim, find_use
from tests.simulation.simulation import Simulation

# What concerns a relay alone; doubts have tests of their own.
MOODS = ("unreachable", "closing", "slower", "login refused", "sender refused", "tls fails")
EAST = timezone(timedelta(hours=8))
MINUTE = timedelta(minutes=1)


class Fleets(Simulated):
    """A process with several relays, each of which remembers what it took and when."""

    def __init__(self, store: Store, rules: Rules, chance: Random) -> None:
        super().__init__(store, rules, Relay(), chance)
        self.relays = {each.name: Relay() for each in rules.relays}
        self.opened = Counter[str]()
        self.took: dict[str, list[tuple[datetime, str]]] = {name: [] for name in self.relays}

    def _begin_attempt(self, task: Taken) -> None:
        self.relay, self.idle_open = self.relays[task.relay], self.opened[task.relay]
        super()._begin_attempt(task)
        self.opened[task.relay] = self.idle_open
        attempt = self.attempts[-1]
        if attempt.said.is_taken:
            self.took[task.relay].append((self.clock.now, task.email))
        busy = Counter(each.task.relay for each in self.attempts)
        assert all(busy[each.name] <= each.connections for each in self.rules.relays)

    def end_attempt(self, attempt: Attempt) -> None:
        self.idle_open = self.opened[attempt.task.relay]
        super().end_attempt(attempt)
        self.opened[attempt.task.relay] = self.idle_open

    def run(self, seconds: float) -> None:
        end = self.clock.true + seconds
        while (upcoming := self.next_event()) <= end:
            self.clock.true = max(self.clock.true, upcoming)
            self.turn()
        self.clock.true = end
        self.notice()

    @property
    def counts(self) -> dict[str, int]:
        return {name: len(taken) for name, taken in self.took.items()}


class World:
    """Readers, an issue on its way to them, and whoever delivers it."""

    def __init__(self, disk: Disk, readers: int, seed: int = 1) -> None:
        self.simulation = Simulation(disk, Random(seed))
        self.simulation.add_readers(readers)
        self.simulation.send(1)
        self.disk, self.clock = disk, self.simulation.clock

    def start(self, *relays: RelayRule, **rules: object) -> Fleets:
        most = sum(each.connections for each in relays)
        of_all = Rules(connections=most, relays=relays, zone=EAST)
        of_all = msgspec.structs.replace(of_all, **rules)
        return Fleets(self.simulation.store, of_all, self.simulation.chance)

    def statuses(self) -> Counter[str]:
        return Counter(status for (status,) in self.disk.run("SELECT status FROM delivery"))


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from((None, *MOODS))), max_size=8),
    st.integers(0, 999),
)
@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_relays_do_each_reader_gets_one(
    disk: Disk, moods: list[tuple[int, str | None]], seed: int
) -> None:
    world = World(disk, 60, seed)
    names = ("a", "b", "c")
    process = world.start(*(RelayRule(name=name, connections=2) for name in names), rate=4.0)
    for place, mood in moods:
        process.relays[names[place]].mood = mood
        process.run(3)
    for relay in process.relays.values():
        relay.heal()
    for _ in range(2):
        for (id,) in disk.run("SELECT id FROM mailing WHERE status = 'paused'"):
            with process.store.write_as_other() as connection:
                change_mailing(connection, PUBLICATION, id, "resumed", world.clock.now)
        process.run(3 * 3600)
    assert world.statuses() == {"sent": 60}
    reached = Counter(email for taken in process.took.values() for _, email in taken)
    assert set(reached.values()) == {1}
    assert len(reached) == 60


def test_a_mailing_pauses_only_where_no_other_relay_may_be_up(disk: Disk) -> None:
    world = World(disk, 40)
    process = world.start(RelayRule(name="a"), RelayRule(name="b"), rate=2.0)
    process.relays["b"].mood = "login refused"
    process.run(60)
    assert world.statuses() == {"sent": 40}
    assert process.counts == {"a": 40, "b": 0}


def test_each_keeps_its_own_rate_and_all_keep_theirs(disk: Disk) -> None:
    world = World(disk, 300)
    process = world.start(RelayRule(name="a", rate=1.0), RelayRule(name="b", weight=1), rate=3.0)
    process.run(60)
    assert 55 <= process.counts["a"] <= 62
    assert 170 <= sum(process.counts.values()) <= 182


def test_an_allowance_is_that_of_the_publications_day(disk: Disk) -> None:
    """It is 13:30 in the East where it begins: what is over waits for midnight there, exactly."""
    world = World(disk, 100)
    growth = Growth(first=10, factor=3, full=1_000)
    process = world.start(RelayRule(name="new", growth=growth))
    process.run(3600)
    assert process.counts == {"new": 10}
    midnight = datetime(2025, 12, 16, tzinfo=EAST)
    assert process.dispatcher.next_try(world.clock.now) == midnight
    process.run(24 * 3600)
    days = Counter(at.astimezone(EAST).date().isoformat() for at, _ in process.took["new"])
    assert days == {"2025-12-15": 10, "2025-12-16": 30}
    assert min(at for at, _ in process.took["new"][10:]) - midnight < MINUTE
    # Another process knows what was sent, and on which day it is.
    after = world.start(RelayRule(name="new", growth=growth))
    after.run(3600)
    assert after.counts == {"new": 0}
    after.run(24 * 3600)
    assert after.counts == {"new": 60}
    assert world.statuses() == {"sent": 100}


def test_a_day_without_mail_lets_nothing_grow(disk: Disk) -> None:
    world = World(disk, 50)
    growth = Growth(first=10, factor=2, full=1_000)
    world.start(RelayRule(name="new", growth=growth)).run(60)
    world.clock.true += 6 * 86_400
    process = world.start(RelayRule(name="new", growth=growth))
    process.run(60)
    assert process.counts == {"new": 20}


def test_several_processes_share_an_allowance(disk: Disk) -> None:
    """What another one has claimed is not taken, though it was thought to be left."""
    world = World(disk, 30)
    growth = Growth(first=10, factor=2, full=1_000)
    process = world.start(RelayRule(name="new", growth=growth), rate=1.0)
    process.run(3.5)
    taken = process.counts["new"]
    today = datetime(2025, 12, 15, tzinfo=EAST).date()
    with disk.writing() as connection:  # unnoticed: it is not told of by the version
        assert claim(connection, PUBLICATION, "new", today, 99, 10) == 10 - taken
    process.run(60)
    assert process.counts == {"new": taken}
    assert world.statuses() == {"sent": taken, "queued": 30 - taken}
    with disk.reading() as connection:
        use = find_use(connection, PUBLICATION, "new", today)
    assert (use.taken, use.sent) == (10, taken)


def test_what_a_dead_process_had_claimed_is_given_back(disk: Disk) -> None:
    world = World(disk, 30)
    rule = RelayRule(name="new", growth=Growth(first=10, factor=2, full=1_000))
    process = world.start(rule)
    process.relays["new"].is_slow = True
    process.run(0.0)
    process.die(is_through=False)
    after = world.start(rule)
    after.dispatcher.recover(world.clock.now, {})
    after.run(60)
    assert after.counts == {"new": 10}


def test_a_doubt_goes_over_its_own_relay_as_long_as_the_settings_have_it(disk: Disk) -> None:
    world = World(disk, 8)
    two = RelayRule(name="a"), RelayRule(name="b")
    process = world.start(*two, policy=Policy(on_in_doubt="resend"))
    process.relays["b"].mood = "lost unheard"
    process.run(0.0)
    process.relays["b"].mood = "unreachable"
    process.run(600)
    bound = dict(disk.run("SELECT id, relay FROM delivery WHERE status = 'queued'"))
    assert bound
    assert set(bound.values()) == {"b"}
    later = world.start(*two)
    later.relays["b"].mood = "unreachable"
    later.run(600)
    assert later.counts == {"a": 0, "b": 0}
    without = world.start(RelayRule(name="a"), RelayRule(name="c"))
    without.run(600)
    assert sum(without.counts.values()) == len(bound)


def test_one_that_answers_nothing_is_not_waited_for() -> None:
    now = datetime(2025, 12, 15, 6, 30, tzinfo=EAST)
    rules = Rules(relays=tuple(RelayRule(name=name, connections=2) for name in ("a", "b")))
    fleet = Fleet(rules, PUBLICATION)
    for relay in fleet.relays.values():
        relay.is_proven = True
        relay.heard_at = now
    picked = [fleet.pick(Candidate(id, 1, "x.example"), now) for id in range(4)]
    assert picked == ["a", "b", "a", "b"]
    # The first one's answers come, the second one's do not.
    for id in (0, 2):
        fleet.drop(id)
    for id in range(4, 8):
        assert fleet.pick(Candidate(id, 1, "x.example"), now) == "a"
        fleet.drop(id)
    assert fleet.pick(Candidate(8, 1, "x.example"), now) is None
    assert fleet.next_try(now) == now + timedelta(seconds=5)
    later = now + timedelta(seconds=5)
    picked = [fleet.pick(Candidate(id, 1, "x.example"), later) for id in range(9, 12)]
    assert picked == ["a", "a", None]


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_kept_where_one_is_slow(disk: Disk, seed: int) -> None:
    world = World(disk, 200, seed)
    process = world.start(
        RelayRule(name="a", weight=3, connections=2), RelayRule(name="b", connections=2)
    )
    process.run(3600)
    assert abs(process.counts["a"] - 150) <= 6
