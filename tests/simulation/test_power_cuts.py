"""The machine goes down at any moment while deliveries are taken ahead: few are in doubt."""

from collections.abc import Callable, Sequence
from random import Random

import pytest
from sqlalchemy import Connection

from publisher.mailing.settle import Policy
from publisher.rehearsal.world import Disk
from publisher.runtime.exchange import Rules
from publisher.runtime.reserve import KeptBack, Reserve
from publisher.store.deliveries import Taken
from tests.simulation.expected import BrokenPromise
from tests.simulation.simulation import Simulation

Patch = pytest.MonkeyPatch

_CUTS = 3
SEEDS = range(40)


@pytest.fixture(autouse=True)
def _the_machine_forgets(monkeypatch: Patch) -> None:
    monkeypatch.setattr(Simulation, "_remember", lambda self, begun: None)


def history(disk: Disk, seed: int) -> int:
    """A mailing with some power cuts; gives how often something was kept back at one."""
    chance = Random(seed)
    world = Simulation(disk, Random(seed + 1))
    policy = Policy(on_in_doubt=chance.choice(("resend", "hold")))
    rules = Rules(connections=2, ahead=chance.choice((4, 8, 12)), loose=2, policy=policy)
    world.add_readers(60)
    world.send(0)
    kept_back = 0
    for _ in range(_CUTS):
        world.start(rules)
        for _ in range(chance.randrange(1, 12)):
            world.advance(chance.choice((0.004, 0.01, 0.02, 0.05)))
            if (fault := chance.choice(("full", "before", "after", *[""] * 12))) != "":
                world.fail_next_write(fault)
                world.advance(chance.choice((1.0, 1.01, 1.02)))  # a full disk is asked again then
        if world.process is not None:
            kept_back += len(world.process.kept) > 0
        world.kill(is_through=chance.random() < 0.7)
    world.finish(rules)
    return kept_back


def test_nobody_is_lost_and_few_are_in_doubt(disk: Disk) -> None:
    kept_back = sum(history(disk, seed) for seed in SEEDS)
    assert kept_back > len(SEEDS) / 2


@pytest.mark.long
def test_nobody_is_lost_in_many_power_cuts(disk: Disk) -> None:
    assert sum(history(disk, seed) for seed in range(5_000)) > 2_500


def what_is_kept_back_is_begun(patch: Patch) -> None:
    patch.setattr(KeptBack, "__len__", lambda self: 0)


def nothing_is_in_doubt(patch: Patch) -> None:
    patch.setattr(Reserve, "recall", lambda self, connection, left: {})


def all_that_was_taken_is_in_doubt(patch: Patch) -> None:
    recall = Reserve.recall

    def recall_nothing(self: Reserve, connection: Connection, left: list[Taken]) -> object:
        recall(self, connection, left)
        return {each.id: None for each in left}

    patch.setattr(Reserve, "recall", recall_nothing)


def it_is_noted_once(patch: Patch) -> None:
    note = Reserve.note

    def note_once(self: Reserve, connection: Connection, tasks: Sequence[Taken]) -> None:
        if self._noted:
            self.kept.choose(tasks)
        else:
            note(self, connection, tasks)

    patch.setattr(Reserve, "note", note_once)


def it_counts_as_noted_where_nothing_was_written(patch: Patch) -> None:
    patch.setattr(Reserve, "forget", lambda self: None)


@pytest.mark.parametrize(
    "mutate",
    [
        what_is_kept_back_is_begun,
        nothing_is_in_doubt,
        all_that_was_taken_is_in_doubt,
        it_is_noted_once,
        it_counts_as_noted_where_nothing_was_written,
    ],
)
def test_a_defect_is_found(mutate: Callable[[Patch], None], disk: Disk, monkeypatch: Patch) -> None:
    def run() -> None:
        for seed in range(300):
            history(disk, seed)

    mutate(monkeypatch)
    with pytest.raises(BrokenPromise):
        run()
