"""What a hub is owed, in simulated time: told once for each change, tried again, given up."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from publisher.runtime.hub import GIVE_UP, Book, Reply, Seen, find_due, note_feeds, settle
from publisher.runtime.websub import read_retry_after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HUB = "https://hub.example/"
A, B = "https://daily.example/feed.atom", "https://daily.example/feed.rss"
OK, DOWN, BUSY = Reply(status=204), Reply(fault="no answer"), Reply(status=503)


class World:
    """A hub that answers as `reply` says, and who tells it, with a clock that leaps."""

    def __init__(self) -> None:
        self.book = Book()
        self.now = NOW
        self.reply = OK
        self.asked: Counter[str] = Counter()
        self.tries: list[datetime] = []
        self.said: list[str] = []
        self.chance = random.Random(7).random

    def change(self, **digests: str) -> None:
        seen = {{"a": A, "b": B}[key]: Seen(digest, digest) for key, digest in digests.items()}
        self.book = note_feeds(self.book, HUB, seen, self.now)

    def run(self, span: timedelta) -> None:
        """Look every second, for so long."""
        end = self.now + span
        while self.now < end:
            while due := find_due(self.book, self.now):
                self.asked[due[0]] += 1
                self.tries.append(self.now)
                digest = self.book.topics[due[0]].digest
                self.book, said = settle(
                    self.book, due[0], digest, self.reply, self.now, self.chance()
                )
                self.said += [said] if said else []
            self.now += timedelta(seconds=1)


def test_each_change_is_told_once() -> None:
    world = World()
    for digest, expected in (("1", 1), ("1", 1), ("2", 2), ("1", 3)):
        world.change(a=digest, b="same")
        world.run(timedelta(minutes=1))
        assert world.asked == {A: expected, B: 1}
    assert world.said == []


def test_a_change_that_is_taken_back_before_it_was_told_is_none() -> None:
    world = World()
    world.change(a="1")
    world.run(timedelta(seconds=1))
    world.reply = BUSY
    world.change(a="2")
    world.run(timedelta(seconds=5))
    world.change(a="1")
    world.run(timedelta(hours=1))
    assert world.asked == {A: 2}


def test_tries_come_ever_more_rarely_and_end_after_a_day() -> None:
    world = World()
    world.reply = BUSY
    world.change(a="1")
    world.run(timedelta(days=3))
    waits = [
        (after - before).total_seconds()
        for before, after in zip(world.tries, world.tries[1:], strict=False)
    ]
    assert all(
        5 * 2**n - 1 <= wait <= 15 * 2**n + 1 for n, wait in enumerate(waits) if 2**n * 10 < 7200
    )
    assert max(waits) <= 3 * 3600
    assert GIVE_UP <= world.tries[-1] - NOW < GIVE_UP + timedelta(hours=3)
    assert 15 < len(world.tries) < 40
    assert "given up" in world.said[-1]
    assert A in world.said[-1]
    world.reply = OK
    world.change(a="2")
    world.run(timedelta(seconds=2))
    assert find_due(world.book, world.now + timedelta(days=9)) == []


def test_a_hub_that_is_down_is_not_called_for_each_feed() -> None:
    world = World()
    world.reply = DOWN
    world.change(a="1", b="1")
    world.run(timedelta(seconds=4))
    assert world.asked == {A: 1}
    world.reply = OK
    world.run(timedelta(seconds=20))
    assert world.asked == {A: 2, B: 1}


def test_a_hub_that_is_down_for_days_is_given_up_for_all_feeds() -> None:
    world = World()
    world.reply = DOWN
    world.change(a="1", b="1")
    world.run(timedelta(days=2))
    assert find_due(world.book, world.now + timedelta(days=9)) == []
    assert A in world.said[-1]
    assert B in world.said[-1]


def test_a_feed_that_fails_does_not_hold_up_the_others() -> None:
    world = World()
    world.reply = BUSY
    world.change(a="1", b="1")
    world.run(timedelta(seconds=2))
    assert world.asked == {A: 1, B: 1}


@pytest.mark.parametrize("status", [429, 503])
def test_a_hub_is_left_alone_for_as_long_as_it_asks(status: int) -> None:
    world = World()
    world.reply = Reply(status=status, retry_after=timedelta(hours=3))
    world.change(a="1", b="1")
    world.run(timedelta(hours=3))
    assert world.asked == {A: 1}
    world.change(a="2", b="2")
    world.reply = OK
    world.run(timedelta(seconds=2))
    assert world.asked == {A: 2, B: 1}


@pytest.mark.parametrize("status", [400, 404, 410, 451])
def test_what_is_refused_for_good_is_said_and_let_go_for_that_change(status: int) -> None:
    world = World()
    world.reply = Reply(status=status)
    world.change(a="1")
    world.run(timedelta(days=2))
    assert world.asked == {A: 1}
    assert len(world.said) == 1
    assert str(status) in world.said[0]
    world.change(a="2")
    world.run(timedelta(seconds=2))
    assert world.asked == {A: 2}


@pytest.mark.parametrize("status", [301, 302, 307, 408, 429, 500, 502, 503])
def test_all_else_is_tried_again(status: int) -> None:
    world = World()
    world.reply = Reply(status=status)
    world.change(a="1")
    world.run(timedelta(minutes=5))
    assert world.asked[A] > 3


def test_what_changes_while_it_is_told_is_told_again() -> None:
    world = World()
    world.change(a="1")
    world.change(a="2")
    world.book, _ = settle(world.book, A, "1", OK, world.now, 0.5)
    world.run(timedelta(seconds=2))
    assert world.asked == {A: 1}


def test_a_feed_that_is_gone_is_owed_nothing_and_another_hub_everything() -> None:
    world = World()
    world.change(a="1", b="1")
    world.run(timedelta(seconds=1))
    world.change(a="1")
    assert settle(world.book, B, "1", OK, world.now, 0.5) == (world.book, "")
    world.book = note_feeds(world.book, "https://other.example/", {A: Seen("1", "1")}, world.now)
    assert find_due(world.book, world.now) == [A]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 5 ", 5),
        ("9" * 400, 10**8),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Sun, 01 Mar 2026 11:00:00", None),
        ("-1", None),
        ("soon", None),
        ("²", None),
        ("", None),
    ],
)
def test_retry_after_is_read(text: str, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert read_retry_after(text, NOW) == expected
