"""Kills at any instant, stops, and several processes at once: promises 2, 3, 6 and 9."""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from publisher.model.delivery import Outcome, Reply, Stage
from publisher.runtime.dispatch import Dispatcher
from publisher.runtime.exchange import Result, Rules
from publisher.store.errors import StoreError
from tests.delivery.post import NAME, Post
from tests.delivery.workers import begin_mailing
from tests.smtp.scripted import SILENCE, Rule, say

# From so many connections on deliveries are taken ahead, so many for each; and so many of those may
# be begun before more is on disk.
AHEAD_FROM, AHEAD, LOOSE = 8, 12, 4


def _wait_for_messages(post: Post, number: int) -> None:
    deadline = time.monotonic() + 60
    while len(post.server.messages) < number:
        assert time.monotonic() < deadline, "nothing is being sent"
        time.sleep(0.002)


def _kill_in_the_middle(post: Post, readers: int, chance: random.Random) -> int:
    """Kill a send at a random instant; give how many deliveries it left without an outcome."""
    sending = post.start("send", NAME, "--yes")
    _wait_for_messages(post, len(post.server.messages) + chance.randrange(1, readers // 4))
    time.sleep(chance.random() * 0.02)
    sending.kill()
    sending.communicate()
    return int(post.status()["counts"]["sending"])


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_after_kills_nobody_is_lost_and_few_are_in_doubt(post: Post, policy: str) -> None:
    _kill_often(post, policy, kills=3, seed=7)


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_what_was_taken_ahead_is_in_no_doubt_after_a_kill(post: Post, policy: str) -> None:
    _kill_often(post, policy, kills=3, seed=8, connections=16)


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_what_was_kept_back_is_in_no_doubt_after_a_power_cut(post: Post, policy: str) -> None:
    _kill_often(post, policy, kills=3, seed=9, connections=16, is_machine_down=True)


@pytest.mark.long
@pytest.mark.parametrize("policy", ["resend", "hold"])
@pytest.mark.parametrize("connections", [4, 16])
@pytest.mark.parametrize("seed", range(20))
def test_after_many_kills_nobody_is_lost(
    post: Post, policy: str, seed: int, connections: int
) -> None:
    _kill_often(post, policy, kills=5, seed=seed, connections=connections)


def _kill_often(
    post: Post,
    policy: str,
    *,
    kills: int,
    seed: int,
    connections: int = 4,
    is_machine_down: bool = False,
) -> None:
    """With many connections there is no delay: they would wait for the disk, were it not for what
    is taken ahead. Where the machine goes down, what its memory tells of the bodies is lost.
    """
    chance = random.Random(seed)
    post.server.delay = 0.001 if connections < AHEAD_FROM else 0
    post.configure(connections=connections, on_in_doubt=policy)
    subscribed = post.subscribe(15 * connections * (kills + 1))
    readers = len(subscribed)
    is_ahead = connections >= AHEAD_FROM
    left = []
    for _ in range(kills):
        left.append(_kill_in_the_middle(post, readers // (kills + 1), chance))
        if is_machine_down:
            with (post.folder / "publisher.db-delivery").open("r+b") as board:
                board.seek(64)
                board.write(b"another run of the machine".ljust(36))
    assert max(left) <= connections * (1 + AHEAD * is_ahead)
    most = connections * (1 + LOOSE * (is_ahead and is_machine_down))
    doubts = sum(min(number, most) for number in left)
    outcome = post.send()
    counts = post.counts()
    arrived = post.arrived()
    assert sum(counts.values()) == readers
    assert counts.keys() <= {"sent", "in_doubt"}
    assert counts.get("in_doubt", 0) <= doubts
    in_doubt = {email for email, each in post.deliveries("--status", "in_doubt").items()}
    assert set(subscribed) - in_doubt <= arrived.keys()
    assert outcome.status == (4 if in_doubt else 0)
    if policy == "hold":
        assert set(arrived.values()) <= {1}
    else:
        assert max(arrived.values()) <= 2
        assert sum(number - 1 for number in arrived.values()) <= doubts


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data"])
def test_a_kill_before_a_body_was_begun_leaves_no_doubt(post: Post, stage: Stage) -> None:
    post.configure(on_in_doubt="hold", connections=2)
    readers = post.subscribe(6)
    post.server.rules.append(Rule(stage, SILENCE))
    sending = post.start("send", NAME, "--yes")
    _wait_until(lambda: post.status()["counts"]["sending"] > 0)
    time.sleep(0.3)
    sending.kill()
    sending.communicate()
    post.server.rules.clear()
    assert post.send().status == 0
    assert post.counts() == {"sent": 6}
    assert post.arrived() == dict.fromkeys(readers, 1)


@pytest.mark.parametrize("stage", ["greeting", "ehlo"])
def test_sigterm_does_not_wait_for_a_connection_that_is_not_open(post: Post, stage: Stage) -> None:
    post.configure(on_in_doubt="hold")
    post.subscribe(3)
    post.server.rules.append(Rule(stage, SILENCE))
    sending = post.start("send", NAME, "--yes")
    _wait_until(lambda: post.status()["counts"]["sending"] > 0)
    began = time.monotonic()
    sending.terminate()
    sending.communicate(timeout=25)
    assert time.monotonic() - began < 15
    assert sending.returncode == 3
    assert post.counts() == {"queued": 3}


@pytest.mark.long
def test_a_relay_that_never_greets_is_given_up_after_20_seconds(post: Post) -> None:
    post.subscribe(3)
    post.server.rules.append(Rule("greeting", SILENCE))
    began = time.monotonic()
    assert post.send().status == 3
    assert 19 < time.monotonic() - began < 30
    assert post.counts() == {"queued": 3}


@pytest.mark.long
def test_sigterm_ends_it_also_where_another_one_keeps_the_database(post: Post) -> None:
    post.server.delay = 0.05
    post.configure(connections=2)
    post.subscribe(200)
    sending = post.start("send", NAME, "--yes")
    _wait_for_messages(post, 5)
    other = post.open()
    with other.write():
        time.sleep(2)
        began = time.monotonic()
        sending.terminate()
        time.sleep(3)
    other.close()
    sending.communicate(timeout=30)
    assert time.monotonic() - began < 30
    assert sending.returncode == 3
    assert post.counts()["sent"] == len(post.server.messages)


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline, "it never is"
        time.sleep(0.05)


def test_the_next_process_takes_over_at_once_and_follows_a_live_one(post: Post) -> None:
    post.server.delay = 0.005
    post.configure(connections=1)
    readers = post.subscribe(80)
    first = post.start("send", NAME, "--yes", "--json")
    _wait_for_messages(post, 5)
    second = post.start("send", NAME, "--yes", "--json")
    time.sleep(0.5)
    first.kill()
    first.communicate()
    assert second.wait(60) == 0
    assert post.counts() == {"sent": len(readers)}
    assert sum(post.arrived().values()) <= len(readers) + 1


def test_many_sends_at_once_are_one_mailing(post: Post) -> None:
    readers = post.subscribe(30)
    with ThreadPoolExecutor(6) as threads:
        sends = [post.start("send", NAME, "--yes", "--json") for _ in range(6)]
        statuses = list(threads.map(_status_of, sends))
    assert set(statuses) <= {0, 5}
    assert post.arrived() == dict.fromkeys(readers, 1)
    assert len(post.cli("status", "--json").json["mailings"]) == 1


def _status_of(process: subprocess.Popen[bytes]) -> int:
    process.communicate(timeout=120)
    return process.returncode


def test_sigterm_lets_what_is_in_flight_end_and_records_it(post: Post) -> None:
    post.server.delay = 0.02
    post.configure(connections=2)
    readers = post.subscribe(60)
    sending = post.start("send", NAME, "--yes", "--json")
    _wait_for_messages(post, 4)
    sending.send_signal(signal.SIGTERM)
    _, err = sending.communicate(timeout=30)
    assert sending.returncode == 3, err
    counts = post.counts()
    assert counts.keys() == {"queued", "sent"}
    assert counts["sent"] == len(post.server.messages)
    assert post.send().status == 0
    assert post.arrived() == dict.fromkeys(readers, 1)


def test_a_relay_that_falls_silent_is_left_in_time_and_leaves_a_doubt(post: Post) -> None:
    post.configure(connections=1)
    text = post.cli.read("publisher.toml")
    waits = '\n[smtp.timeouts]\nfinal_dot = "1s"\n'
    post.cli.write("publisher.toml", text.replace("\n[delivery]", f"{waits}\n[delivery]"))
    post.subscribe(["ada@reader.example"])
    post.server.rules.append(Rule("final_dot", SILENCE, times=1))
    assert post.send().status == 0
    assert post.arrived() == {"ada@reader.example": 1}


def test_pause_reaches_another_process_and_status_tells_the_truth(post: Post) -> None:
    post.server.delay = 0.02
    post.configure(connections=1)
    readers = post.subscribe(100)
    sending = post.start("send", NAME, "--yes", "--json")
    _wait_for_messages(post, 5)
    assert post.status()["status"] == "sending"
    assert post.cli("pause", NAME).status == 0
    sending.communicate(timeout=30)
    assert sending.returncode == 3
    counts = post.counts()
    assert counts["sent"] == len(post.server.messages)
    assert counts["queued"] + counts["sent"] == len(readers)
    assert post.cli("resume", NAME).status == 0
    assert post.send().status == 0


@pytest.mark.sqlite
def test_an_intent_whose_commit_nobody_heard_of_is_taken_back(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.subscribe(3)
    begin_mailing(post)
    database, now = post.open(), datetime.now(UTC)
    with database.hold() as store:
        dispatcher, write = Dispatcher(store, Rules(), random.random), store.write

        @contextmanager
        def write_unheard() -> Iterator[Connection]:
            with write() as connection:
                yield connection
            raise StoreError("the connection is lost")

        with monkeypatch.context() as patch:
            patch.setattr(store, "write", write_unheard)
            with pytest.raises(StoreError):
                dispatcher.step(now, [], 2)
        assert post.counts() == {"sending": 1, "queued": 2}
        dispatcher.step(now, [], 0)
        assert post.counts() == {"queued": 3}
        assert len(dispatcher.step(now, [], 2)) == 1  # a relay not heard of yet gets one
    database.close()


@pytest.mark.sqlite
def test_what_was_taken_ahead_is_taken_back_by_a_pause_and_goes_first_afterwards(
    post: Post,
) -> None:
    post.subscribe(8)
    begin_mailing(post)
    database, now = post.open(), datetime.now(UTC)
    with database.hold() as store:
        dispatcher = Dispatcher(store, Rules(connections=2, ahead=2), random.random)
        (first,) = dispatcher.step(now, [], 4)
        accepted = Outcome(kind="accepted", stage="final_dot", reply=Reply(250))
        tasks = dispatcher.step(now, [Result(first, accepted)], 9)
        assert len(tasks) == 4, "two connections, and one ahead for each"
        assert not any(map(dispatcher.wants_back, tasks))
        assert post.cli("pause", NAME).status == 0
        dispatcher.step(now, [], 0)
        assert all(map(dispatcher.wants_back, tasks))
        dispatcher.step(now, [Result(task, None, is_withdrawn=True) for task in tasks], 0)
        assert post.counts() == {"sent": 1, "queued": 7}
        assert post.cli("resume", NAME).status == 0
        again = dispatcher.step(now, [], 9)
        assert {each.id for each in again} == {each.id for each in tasks}
        assert {each.history.attempts for each in again} == {0}
    database.close()


def test_a_full_queue_of_refusals_does_not_stop_the_others(post: Post) -> None:
    bad = [f"reader{number}@bad.example" for number in range(8)]
    good = [f"reader{number}@good.example" for number in range(30)]
    post.subscribe([*bad, *good])
    post.server.rules.append(Rule("final_dot", say("554 5.6.0 not here"), recipient="@bad.example"))
    assert post.send().status == 0
    assert post.counts() == {"failed": len(bad), "sent": len(good)}
