"""The tick of `run`: at any time of the clock, each part of it whatever became of the others."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
import time_machine

from publisher.errors import PublisherError
from publisher.runtime.roles import Ticking, tick_always
from publisher.settings import load_settings
from tests.delivery.post import Post
from tests.runtime.running import wait_until


@contextmanager
def _ticking(tick: Callable[[], None]) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=tick_always, args=(tick, stop, 0.2))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


@pytest.mark.parametrize("hours", [-1, 1, -24 * 365])
def test_a_clock_that_is_set_does_not_stop_it(hours: int) -> None:
    """APScheduler waits for a time of day: of a clock that was put back, for an hour."""
    ticks: list[float] = []
    now = datetime.now(UTC)
    with (
        time_machine.travel(now, tick=True) as traveller,
        _ticking(lambda: ticks.append(time.monotonic())),
    ):
        wait_until(lambda: len(ticks) > 2, "it ticks", 10)
        traveller.move_to(now + timedelta(hours=hours))
        before = len(ticks)
        wait_until(lambda: len(ticks) > before + 2, "it goes on ticking", 10)


def test_a_tick_that_takes_long_delays_the_next_and_that_is_all(
    capfd: pytest.CaptureFixture[str],
) -> None:
    running, most, ticks = 0, 0, 0

    def tick() -> None:
        nonlocal running, most, ticks
        running += 1
        most = max(most, running)
        time.sleep(0.5)
        running -= 1
        ticks += 1

    with _ticking(tick):
        wait_until(lambda: ticks > 2, "it ticks", 10)
    assert most == 1
    assert capfd.readouterr().err == ""


def test_each_has_its_turn_and_what_is_wrong_is_said_once(post: Post) -> None:
    said: list[str] = []
    settings = load_settings(post.folder / "publisher.toml", {})
    database = post.open()
    ticking = Ticking(database, settings, post.folder, said.append)
    turns: list[str] = []

    def fail(now: datetime) -> None:
        turns.append("first")
        raise PublisherError("it is wrong")

    def break_down(now: datetime) -> None:
        turns.append("second")
        raise KeyError("x")

    ticking.turns = (fail, break_down, lambda now: turns.append("third"))
    for _ in range(3):
        ticking()
    assert turns == ["first", "second", "third"] * 3
    assert said[0] == "it is wrong"
    assert said[1].startswith("a defect of publisher: KeyError at ")
    assert len(said) == 2
    ticking.turns = (lambda now: None, break_down, break_down)
    ticking()
    ticking.turns = (fail, break_down, break_down)
    ticking()
    assert said.count("it is wrong") == 2
    database.close()
