"""Histories of schedules drawn from seeds: editors, crashes, clocks, and no broken promise.

`python -m tests.simulation.schedules_history FIRST LAST PROCESSES` runs those of any seeds.
"""

import os
from datetime import UTC, datetime, timedelta

import pytest

from publisher.rehearsal.world import Disk
from publisher.settings import Duration, Schedule
from tests.simulation.schedules import Schedules
from tests.simulation.schedules_history import CHANGES, history, run_in_parallel

# Enough for all of what can happen to happen.
SEEDS = range(90)
_MANY = 20_000
HAPPENED = {
    *("fired", "missed", "missed after waiting", "nothing-ready", "firing-failed"),
    *("superseded issues", "served a late editor", "waited for an editor to stop"),
}
DAILY = Schedule(name="daily", cron="30 6 * * *")
# Monday, 06:00 in Berlin, half an hour before DAILY.
START = datetime(2025, 12, 15, 5, 0, tzinfo=UTC)


def test_no_history_of_schedules_breaks_a_promise(disk: Disk) -> None:
    happened: set[str] = set()
    for seed in SEEDS:
        happened |= history(disk, seed)
    assert happened == HAPPENED


@pytest.mark.long
def test_no_promise_is_broken_in_20_000_histories_of_schedules() -> None:
    count, happened = run_in_parallel(1000, 1000 + _MANY, os.cpu_count() or 1)
    assert count == _MANY
    assert happened == HAPPENED


# What was found by such histories, or is easily overlooked, told one by one.


def _world(disk: Disk, **changes: object) -> Schedules:
    values = {"name": "daily", "cron": "30 6 * * *", **changes}
    world = Schedules(disk, "Europe/Berlin", START, [Schedule(**values)])  # type: ignore[arg-type]
    world.subscribe(2)
    world.tick()
    return world


def _statuses(world: Schedules) -> list[str]:
    return [row.status for _, row in sorted(world.rows().items())]


def test_three_days_of_downtime_leave_the_newest_open_and_its_issue_is_served(disk: Disk) -> None:
    world = _world(disk)
    world.pass_time(3 * 86_400 - 7200)
    world.write("a", is_ready=True, date=world.clock.now)
    world.pass_time(2 * 3600 + 2700)  # 06:45
    world.tick()
    assert _statuses(world) == ["missed", "missed", "missed", "fired"]
    assert world.alerts() == {("missed", "daily 2025-12-17T06:30")}
    world.finish()


def test_an_edit_during_the_build_is_left_alone_first(disk: Disk) -> None:
    world = _world(disk)
    world.write("a", is_ready=True)
    world.pass_time(1805)
    world.ambush_build("after reading", lambda: world.write("a", highlights=4))
    world.tick()
    assert _statuses(world) == ["open"]
    world.pass_time(60)
    world.tick()
    assert _statuses(world) == ["fired"]


def test_a_draft_again_during_the_build_is_not_mailed(disk: Disk) -> None:
    world = _world(disk)
    world.write("a", is_ready=True)
    world.pass_time(1805)
    world.ambush_build("after reading", lambda: world.write("a", is_ready=False))
    world.tick()
    assert _statuses(world) == ["open"]


@pytest.mark.parametrize("number", range(5))
def test_another_process_that_fires_first_raises_no_alarm(disk: Disk, number: int) -> None:
    world = _world(disk)
    world.write("a", is_ready=True)
    world.pass_time(1805)
    world.ambush_write(0, number, lambda: world.tick(1))
    world.tick(0)
    world.tick(0)
    assert _statuses(world) == ["fired"]
    assert world.alerts() == set()


def test_a_clock_of_another_century_stops_no_schedule(disk: Disk) -> None:
    world = _world(disk)
    world.jump(70 * 365 * 86_400)
    world.tick()
    world.jump(-70 * 365 * 86_400)
    world.write("a", is_ready=True)
    world.pass_time(1805)
    world.tick()
    assert _statuses(world) == ["fired"]


def test_a_schedule_that_was_first_seen_by_a_clock_ahead_is_not_asleep(disk: Disk) -> None:
    world = Schedules(disk, "Europe/Berlin", START, [DAILY])
    world.subscribe(1)
    world.jump(3600)
    world.tick()
    world.jump(-3600)
    world.tick()
    world.write("a", is_ready=True)
    world.pass_time(1805)
    world.tick()
    assert _statuses(world) == ["fired"]


def test_what_a_clock_ahead_had_missed_comes_in_its_time(disk: Disk) -> None:
    world = _world(disk, catch_up=Duration(minutes=10))
    world.jump(3600)
    world.tick()
    assert _statuses(world) == ["missed"]
    world.jump(-3600)
    world.tick()
    assert _statuses(world) == []
    world.write("a", is_ready=True)
    world.pass_time(1805)
    world.tick()
    assert _statuses(world) == ["fired"]


def test_a_renamed_schedule_leaves_nothing_open_and_begins_anew(disk: Disk) -> None:
    world = _world(disk)
    world.pass_time(1805)
    world.tick()
    world.schedule([Schedule(name="morning", cron="30 6 * * *")])
    world.tick()
    assert _statuses(world) == ["missed"]
    world.schedule([DAILY])
    world.pass_time(5 * 86_400)
    world.tick()
    assert _statuses(world) == ["missed"]


def test_another_cron_keeps_what_waits_for_a_late_editor(disk: Disk) -> None:
    world = _world(disk)
    world.pass_time(1805)
    world.tick()
    world.schedule([Schedule(name="daily", cron="0 6 * * *")])
    world.write("a", is_ready=True)
    world.pass_time(60)
    world.tick()
    assert _statuses(world) == ["fired"]


def test_what_was_due_before_a_backup_was_armed_is_not_sent_by_itself(disk: Disk) -> None:
    world = _world(disk)
    world.write("a", is_ready=True)
    world.restore()
    world.pass_time(1805)
    world.tick()
    assert _statuses(world) == []
    world.arm()
    world.tick()
    assert _statuses(world) == []
    world.pass_time(86_400)
    world.tick()
    assert _statuses(world) == ["fired"]


def test_with_nobody_subscribed_the_issue_is_not_used_up(disk: Disk) -> None:
    world = Schedules(disk, "Europe/Berlin", START, [DAILY])
    world.tick()
    world.write("a", is_ready=True)
    world.pass_time(1805)
    world.tick()
    assert _statuses(world) == ["open"]
    world.subscribe(1)
    world.tick()
    assert _statuses(world) == ["fired"]


@pytest.mark.parametrize(("zone", "change"), CHANGES)
def test_a_daily_newsroom_mails_once_a_day_through_every_change(
    disk: Disk, zone: str, change: str
) -> None:
    """Ticks of 20 minutes, an issue a day written in the hour before it is due."""
    begin = datetime.fromisoformat(change).replace(tzinfo=UTC) - timedelta(days=2, hours=7)
    for cron in ("0 0 * * *", "30 0 * * *", "30 1 * * *", "15 2 * * *", "30 2 * * *"):
        world = Schedules(disk, zone, begin, [Schedule(name="daily", cron=cron)])
        world.subscribe(1)
        world.tick()
        for _ in range(4):
            due = world.expected.next_due(cron, world.clock.now)
            world.pass_time((due - world.clock.now).total_seconds() - 1800)
            world.write(f"issue-{due:%d-%H}", is_ready=True, date=world.clock.now)
            for _ in range(4):
                world.pass_time(1200)
                world.tick()
        rows = world.rows()
        days = [wall[:10] for _, wall in rows]
        assert len(rows) == len(set(days)) == 4
        assert _statuses(world) == ["fired"] * 4
