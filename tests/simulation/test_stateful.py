"""The simulation of delivery, driven by hypothesis: what breaks a promise is shrunk to its least.

Histories of seeds find more in the same time; these say in a few lines what was found.
"""

from datetime import timedelta
from inspect import getmembers, isfunction
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from publisher.mailing.settle import Policy
from publisher.rehearsal.relay import SAYINGS
from publisher.rehearsal.world import Disk
from publisher.runtime.exchange import Rules
from publisher.store import deliveries
from publisher.store.driver import Statement
from tests.simulation.expected import BrokenPromise
from tests.simulation.simulation import Simulation

SAYING = st.sampled_from(sorted(SAYINGS))
MOOD = st.one_of(st.none(), SAYING)
WHO = st.integers(0, 30)
WHICH = st.integers(0, 2)
PURPOSE = st.sampled_from(["confirmation", "preferences", "alert"])
ACTION = st.sampled_from(["unsubscribed", "confirmed"])
SECONDS = st.sampled_from([0.005, 0.02, 0.3, 2.0, 5.0, 60.0, 600.0, 3600.0])
RULES = st.builds(
    Rules,
    connections=st.sampled_from([1, 2, 4]),
    rate=st.sampled_from([0.0, 0.5, 30.0]),
    domain_rates=st.sampled_from([{}, {"a.example": 0.2}]),
    policy=st.builds(
        Policy,
        on_in_doubt=st.sampled_from(["resend", "hold"]),
        give_up_after=st.sampled_from([timedelta(hours=hours) for hours in (0, 1, 24)]),
    ),
)
# What somebody else may do between the dispatcher's look at the store and its next write.
ACTS = st.one_of(
    st.tuples(st.sampled_from(["pause", "resume", "cancel", "send", "retry"]), WHICH),
    st.tuples(st.just("change_reader"), WHO, ACTION),
    st.tuples(st.sampled_from(["suppress", "erase"]), WHO),
    st.tuples(st.just("send_single"), WHO, PURPOSE),
    st.tuples(st.just("correct"), WHICH, st.booleans()),
    st.tuples(st.just("choose"), WHO, WHO),
)


class Delivering(RuleBasedStateMachine):
    """Each rule is one thing that can happen, under the name of the simulation's method."""

    disk: ClassVar[Disk]

    def __init__(self) -> None:
        super().__init__()
        self.world = Simulation(self.disk, Random(0))
        self.is_broken = False

    def do(self, name: str, *values: Any, **named: Any) -> None:
        try:
            getattr(self.world, name)(*values, **named)
        except BaseException:
            self.is_broken = True
            raise

    @initialize(seed=st.integers(0, 1000), count=st.integers(1, 8), rules=RULES)
    def begin(self, seed: int, count: int, rules: Rules) -> None:
        """Most of what can happen needs readers, a mailing and a process."""
        self.world.chance = Random(seed)
        self.do("add_readers", count)
        self.do("send", 0)
        self.do("start", rules)

    @rule(count=st.integers(1, 5), status=st.sampled_from(["confirmed", "unconfirmed"]))
    def add_readers(self, count: int, status: str) -> None:
        self.do("add_readers", count, status)

    @rule(number=WHO, action=ACTION)
    def change_reader(self, number: int, action: str) -> None:
        self.do("change_reader", number, action)

    @rule(number=WHO, choice=WHO)
    def choose(self, number: int, choice: int) -> None:
        self.do("choose", number, choice)

    @rule(number=WHO)
    def suppress(self, number: int) -> None:
        self.do("suppress", number)

    @rule(number=WHO)
    def erase(self, number: int) -> None:
        self.do("erase", number)

    @rule(issue=WHICH)
    def send(self, issue: int) -> None:
        self.do("send", issue)

    @rule(number=WHO, purpose=PURPOSE)
    def send_single(self, number: int, purpose: str) -> None:
        self.do("send_single", number, purpose)

    @rule(number=WHICH)
    def pause(self, number: int) -> None:
        self.do("pause", number)

    @rule(number=WHICH)
    def resume(self, number: int) -> None:
        self.do("resume", number)

    @rule(number=WHICH)
    def cancel(self, number: int) -> None:
        self.do("cancel", number)

    @rule(number=WHICH)
    def retry(self, number: int) -> None:
        self.do("retry", number)

    @rule(number=WHICH)
    def resend_doubts(self, number: int) -> None:
        self.do("resend_doubts", number)

    @rule(number=WHICH)
    def mark_sent(self, number: int) -> None:
        self.do("mark_sent", number)

    @rule(issue=WHICH, is_mailed=st.booleans())
    def correct(self, issue: int, is_mailed: bool) -> None:
        self.do("correct", issue, is_mailed)

    @rule(number=WHICH)
    def prove(self, number: int) -> None:
        self.do("prove", number)

    @rule()
    def restore(self) -> None:
        self.do("restore")

    @rule()
    def arm(self) -> None:
        self.do("arm")

    @rule(mood=MOOD)
    def relay_says(self, mood: str | None) -> None:
        self.do("relay_says", mood)

    @rule(number=WHICH, mood=MOOD)
    def domain_says(self, number: int, mood: str | None) -> None:
        self.do("domain_says", number, mood)

    @rule(number=WHO, names=st.lists(SAYING, min_size=1, max_size=5))
    def reader_meets(self, number: int, names: list[str]) -> None:
        self.do("reader_meets", number, *names)

    @rule(is_slow=st.booleans())
    def relay_is_slow(self, is_slow: bool) -> None:
        self.do("relay_is_slow", is_slow)

    @precondition(lambda self: self.world.process is None)
    @rule(rules=RULES)
    def start(self, rules: Rules) -> None:
        self.do("start", rules)

    @precondition(lambda self: self.world.process is not None)
    @rule(is_through=st.booleans())
    def kill(self, is_through: bool) -> None:
        self.do("kill", is_through=is_through)

    @precondition(lambda self: self.world.process is not None)
    @rule()
    def stop(self) -> None:
        self.do("stop")

    @precondition(lambda self: self.world.process is not None)
    @rule(fault=st.sampled_from(["before", "after", "full"]))
    def fail_next_write(self, fault: str) -> None:
        self.do("fail_next_write", fault)

    @rule(seconds=st.sampled_from([0.5, 5.0, 30.0]))
    def fill_disk(self, seconds: float) -> None:
        self.do("fill_disk", seconds)

    @precondition(lambda self: self.world.process is not None)
    @rule(act=ACTS)
    def ambush(self, act: tuple[Any, ...]) -> None:
        self.do("ambush", lambda: self.do(*act))

    @rule(seconds=st.sampled_from([-3600.0, -5.0, 5.0, 3600.0]))
    def jump(self, seconds: float) -> None:
        self.do("jump", seconds)

    @rule(seconds=SECONDS)
    def advance(self, seconds: float) -> None:
        self.do("advance", seconds)

    @rule()
    def heal(self) -> None:
        self.do("heal")

    def teardown(self) -> None:
        """Whatever has happened: from now on all goes well, and everything comes to its end."""
        if not self.is_broken:
            self.world.finish(Rules())


def _try(disk: Disk, examples: int, steps: int) -> None:
    machine = type("Delivering", (Delivering,), {"disk": disk})
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        # What one test remembers as broken is no matter of the others.
        database=None,
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_everything_that_can_happen_has_a_rule() -> None:
    possible = {name for name, _ in getmembers(Simulation, isfunction) if name[0] != "_"}
    assert possible - {"finish"} <= vars(Delivering).keys()


def test_no_promise_is_broken_whatever_hypothesis_tries(disk: Disk) -> None:
    _try(disk, 60, 25)


@pytest.mark.long
def test_no_promise_is_broken_in_many_tries(disk: Disk) -> None:
    _try(disk, 5_000, 50)


@pytest.mark.long
def test_a_defect_is_found_and_shrunk(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Consent is not asked again: to show that, somebody leaves, and some time passes."""
    takable = deliveries._TAKABLE.sqlite
    assert deliveries._WANTED in takable
    wrong = Statement(takable.replace(deliveries._WANTED, "1"))
    monkeypatch.setattr(deliveries, "_TAKABLE", wrong)
    with pytest.raises(BrokenPromise, match="the reader left") as caught:
        _try(disk, 200, 8)
    told = [line for line in caught.value.__notes__ if line.startswith("state.")]
    assert len(told) <= 8
