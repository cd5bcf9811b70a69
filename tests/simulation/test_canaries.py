"""The histories of deliveries once more, with canaries: nobody is lost, and none is early."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from publisher.mailing.canary import CanaryRule
from publisher.rehearsal.world import Disk
from publisher.runtime import canary
from publisher.runtime.exchange import Rules
from publisher.runtime.lane import Lane
from publisher.store.starting import NewMailing
from tests.simulation.expected import BrokenPromise, require
from tests.simulation.history import History, history
from tests.simulation.process import Process
from tests.simulation.simulation import Simulation

SEEDS = range(80)
# Nothing stops it here: when operators let it go on is left to chance.
RULE = CanaryRule(wait=timedelta(seconds=30), limit=1)


@pytest.fixture
def _canaries(monkeypatch: pytest.MonkeyPatch) -> None:
    new_mailing, rules = Simulation._new_mailing, History.rules
    require_order = Process._require_order

    def new_with_canary(self: Simulation, issue: str, purpose: str, text: str) -> NewMailing:
        new = new_mailing(self, issue, purpose, text)
        size = self.chance.choice((1, 2, 5)) if purpose == "issue" else 0
        return msgspec.structs.replace(new, canary=size)

    def rules_with_canary(self: History) -> Rules:
        return msgspec.structs.replace(rules(self), canary=RULE)

    def require_canaries_first(self: Process, tasks: list[Any], newest: int) -> None:
        require_order(self, tasks, newest)
        for task in tasks:
            sql = "SELECT canary_last FROM mailing WHERE id = ?"
            ((last,),) = self.store.disk.run(sql, task.mailing)
            require(last is None or task.id <= last, f"{task.id} is behind the canary {last}")

    def arm(self: Simulation, rules: Rules) -> None:
        self.arm()  # that nobody waits behind a slowed domain is not promised of a canary's rest

    monkeypatch.setattr(Simulation, "_require_others_go_on", arm)
    monkeypatch.setattr(Simulation, "_new_mailing", new_with_canary)
    monkeypatch.setattr(History, "rules", rules_with_canary)
    monkeypatch.setattr(Process, "_require_order", require_canaries_first)


@pytest.mark.usefixtures("_canaries")
@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(SEEDS[::2], id="sample"),
        pytest.param(SEEDS, id="all", marks=pytest.mark.long),
    ],
)
def test_no_history_with_canaries_breaks_a_promise(disk: Disk, seeds: range) -> None:
    passed = 0
    for seed in seeds:
        history(disk, seed)
        passed += len(disk.run("SELECT 1 FROM ledger WHERE event = 'canary_passed'"))
    assert passed > len(seeds) / 2


def all_is_taken_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Lane, "last", None)


def a_canary_is_never_looked_at(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(canary.Canaries, "judge", lambda *_: [])


@pytest.mark.usefixtures("_canaries")
@pytest.mark.parametrize("defect", [all_is_taken_at_once, a_canary_is_never_looked_at])
def test_each_defect_is_found(disk: Disk, monkeypatch: pytest.MonkeyPatch, defect: Any) -> None:
    def run() -> None:
        for seed in SEEDS:
            history(disk, seed)

    defect(monkeypatch)
    with pytest.raises(BrokenPromise):
        run()
