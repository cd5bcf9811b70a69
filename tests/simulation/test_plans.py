"""Histories of planned sends drawn from seeds, and those that are easily overlooked, one by one."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from publisher.model.plan import Plan
from publisher.rehearsal.world import Disk
from publisher.runtime import planned
from publisher.store.plans import list_waiting
from publisher.store.starting import NewMailing, start_issue_mailing
from tests.simulation.expected import BrokenPromise
from tests.simulation.plans import Plans, history

Patch = pytest.MonkeyPatch
SEEDS = range(150)
START = datetime(2025, 12, 15, 5, 0, tzinfo=UTC)
ENDS = {"waiting", "started", "taken_back", "refused", "overtaken"}


def test_no_history_of_plans_breaks_a_promise(disk: Disk) -> None:
    came: set[str] = set()
    for seed in SEEDS:
        came |= history(disk, seed)
    assert came == ENDS


def _world(disk: Disk) -> Plans:
    world = Plans(disk, START)
    world.subscribe(2)
    world.write("a", is_ready=True)
    world.approve("a")
    return world


@pytest.mark.parametrize("is_durable", [True, False])
@pytest.mark.parametrize("number", range(3))
def test_a_kill_at_any_write_leaves_it_started_once(
    disk: Disk, number: int, is_durable: bool
) -> None:
    world = _world(disk)
    world.pass_time(60)
    world.kill_at_write(0, number, is_durable=is_durable)
    for _ in range(3):
        world.tick_plans(0)
    assert world.statuses() == {"started"}
    assert len(world.disk.run("SELECT 1 FROM mailing WHERE purpose = 'issue'")) == 1
    world.finish_plans()


def test_two_processes_at_the_same_moment_start_it_once(disk: Disk) -> None:
    world = _world(disk)
    world.pass_time(60)
    world.ambush_write(0, 0, lambda: world.tick_plans(1))
    world.tick_plans(0)
    assert [status for _, status in world.told] == ["started"]


def test_it_can_be_taken_back_while_it_is_being_built(disk: Disk) -> None:
    world = _world(disk)
    world.pass_time(60)
    world.ambush_build("after reading", lambda: world.take_back(0))
    world.tick_plans()
    assert world.statuses() == {"taken_back"}
    assert world.disk.run("SELECT 1 FROM mailing") == []


def test_what_is_edited_while_it_is_being_built_is_not_sent_by_halves(disk: Disk) -> None:
    world = _world(disk)
    world.pass_time(60)
    world.ambush_build("before reading", lambda: world.write("a", is_ready=True))
    world.tick_plans()
    assert world.statuses() == {"refused"}


def test_each_is_told_of_once(disk: Disk) -> None:
    world = _world(disk)
    world.builds_meet("after_build")
    world.pass_time(60)
    world.tick_plans()
    world.tick_plans()
    assert world.told == [(1, "waiting")]
    world.builds_meet("")
    world.tick_plans()
    assert world.told == [(1, "waiting"), (1, "started")]


class _Same(str):
    """A digest that is that of anything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


def another_content_is_sent(patch: Patch) -> None:
    start = planned.PlannedSends._start_due

    def start_any(self: planned.PlannedSends, plan: Plan, now: datetime) -> None:
        start(self, msgspec.structs.replace(plan, digest=_Same(plan.digest)), now)

    patch.setattr(planned.PlannedSends, "_start_due", start_any)


def what_was_taken_back_is_started(patch: Patch) -> None:
    patch.setattr(planned, "is_waiting", lambda *_: True)


def it_starts_at_once(patch: Patch) -> None:
    waiting = list_waiting

    def list_early(*values: Any) -> list[Plan]:
        return [msgspec.structs.replace(p, due_at=p.planned_at) for p in waiting(*values)]

    patch.setattr(planned, "list_waiting", list_early)


def who_is_second_is_not_told_apart(patch: Patch) -> None:
    patch.setattr(planned, "find_mailing", lambda *_: None)
    start = start_issue_mailing

    def claim(connection: Any, publication: int, new: NewMailing, now: datetime) -> Any:
        mailing = start(connection, publication, new, now)
        return msgspec.structs.replace(mailing, ref=new.ref)

    patch.setattr(planned, "start_issue_mailing", claim)


@pytest.mark.parametrize(
    "defect",
    [
        *(another_content_is_sent, what_was_taken_back_is_started, it_starts_at_once),
        who_is_second_is_not_told_apart,
    ],
)
def test_each_defect_is_found(disk: Disk, monkeypatch: Patch, defect: Any) -> None:
    def run() -> None:
        for seed in SEEDS:
            history(disk, seed)

    defect(monkeypatch)
    with pytest.raises(BrokenPromise):
        run()
