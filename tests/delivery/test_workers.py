"""Several processes deliver one mailing: everybody gets it once, whatever becomes of them."""

import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from publisher.mailing.canary import CanaryRule
from publisher.model.delivery import Outcome, Reply, Stage
from publisher.runtime.dispatch import Dispatcher
from publisher.runtime.exchange import Result, Rules
from publisher.runtime.jobs import Jobs
from publisher.store import batches
from publisher.store.place_server import ServerPlace
from tests import postgresql
from tests.delivery.post import NAME, Post
from tests.delivery.workers import (
    LEASE,
    Worker,
    add_readers,
    begin_mailing,
    list_workers,
    wait_for,
    working,
)
from tests.smtp.scripted import Rule, say

ACCEPTED = Outcome(kind="accepted", stage="final_dot", reply=Reply(250, "2.0.0", "queued"))
EVENTS = "SELECT event, count(*) FROM ledger WHERE delivery IS NOT NULL GROUP BY event"


@pytest.fixture
def database_url() -> Iterator[str]:
    with postgresql.database_url() as url:
        yield url


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches are small, so that there are many of few readers."""
    monkeypatch.setattr(batches, "SIZE", 25)


def events(post: Post) -> dict[str, int]:
    return dict(post.rows(EVENTS))


def start(post: Post, count: int) -> list[Worker]:
    """So many workers, which are all seen to be there."""
    workers = [Worker(post, f"w{number}").start() for number in range(count)]
    wait_for(lambda: list_workers(post) == {each.pid for each in workers}, "all have come")
    return workers


def wait_for_messages(post: Post, number: int) -> None:
    wait_for(lambda: len(post.server.messages) >= number, f"{number} messages")


def test_three_workers_share_a_mailing_and_everybody_gets_it_once(post: Post) -> None:
    post.server.delay = 0.005
    post.configure(connections=2)
    readers = add_readers(post, 300)
    with working(start(post, 3)) as workers:
        begin_mailing(post)
        wait_for(lambda: post.counts() == {"sent": len(readers)}, "all are sent")
        assert post.arrived() == dict.fromkeys(readers, 1)
        wait_for(lambda: post.status()["status"] == "finished", "it is finished")
        shares = "SELECT 1 FROM worker WHERE sent > 0"
        wait_for(lambda: len(post.rows(shares)) == 3, "each has had its share")
        assert [each.stop() for each in workers] == [0, 0, 0]
    assert list_workers(post) == set()
    assert post.rows("SELECT * FROM procrastinate_jobs") == []


@pytest.mark.long
def test_what_a_killed_worker_had_is_taken_over(post: Post) -> None:
    post.server.delay = 0.02
    post.configure(connections=2, on_in_doubt="hold")
    readers = add_readers(post, 400)
    with working(start(post, 3)) as workers:
        begin_mailing(post)
        wait_for_messages(post, 60)
        workers[1].kill()
        wait_for(lambda: post.status()["status"] == "finished", "it is finished")
    counts = post.counts()
    assert sum(counts.values()) == len(readers)
    assert counts.get("in_doubt", 0) <= 2
    assert set(post.arrived().values()) == {1}
    in_doubt = post.deliveries("--status", "in_doubt")
    assert post.arrived().keys() >= set(readers) - in_doubt.keys()


@pytest.mark.long
@pytest.mark.parametrize(
    ("stage", "said", "event"),
    [("final_dot", "250 2.0.0 Ok", "proven"), ("final_dot", "550 5.7.1 no", "disproven")],
)
def test_what_came_of_a_stopped_worker_s_message_settles_its_doubt(
    post: Post, stage: Stage, said: str, event: str
) -> None:
    post.configure(connections=1, on_in_doubt="hold")
    readers = add_readers(post, 100)
    post.server.rules.append(
        Rule(stage, say(said, delay=1), connection=1, times=1, is_accepted=said[0] == "2")
    )
    with working([Worker(post, "first").start()]) as (first,):
        begin_mailing(post)
        wait_for(lambda: post.counts().get("sending"), "it has an intent")
        wait_for(lambda: any(b"DATA" in line for _, _, line in list(post.server.lines)), "DATA")
        time.sleep(0.2)
        first.signal(signal.SIGSTOP)
        with working(start_beside(post)) as (second,):
            wait_for(lambda: post.counts().get("in_doubt") == 1, "it is taken over")
            wait_for(lambda: post.counts().get("sent") == len(readers) - 1, "others are sent")
            before = len(post.server.messages)
            first.signal(signal.SIGCONT)
            wait_for(lambda: event in events(post), f"{event}: {first.said}{second.said}")
            wait_for(lambda: post.counts() == {"sent": len(readers)}, "it is settled")
    assert post.arrived() == dict.fromkeys(readers, 1)
    assert len(post.server.messages) - before == (event == "disproven")


def start_beside(post: Post) -> list[Worker]:
    return [Worker(post, "second").start()]


@pytest.mark.long
def test_a_worker_that_was_stopped_for_long_takes_nothing_of_what_it_lost(post: Post) -> None:
    post.server.delay = 0.02
    post.configure(connections=2, on_in_doubt="hold")
    readers = add_readers(post, 500)
    with working(start(post, 2)) as workers:
        begin_mailing(post)
        wait_for_messages(post, 50)
        workers[0].signal(signal.SIGSTOP)
        time.sleep(2 * LEASE)
        workers[0].signal(signal.SIGCONT)
        wait_for(lambda: post.counts().get("sent") == len(readers), f"all: {workers[0].said}")
    assert post.arrived() == dict.fromkeys(readers, 1)


@pytest.mark.long
@pytest.mark.parametrize("command", ["pause", "cancel"])
def test_pause_and_cancel_reach_all_workers(post: Post, command: str) -> None:
    post.server.delay = 0.02
    post.configure(connections=2)
    readers = add_readers(post, 600)
    with working(start(post, 3)):
        begin_mailing(post)
        wait_for_messages(post, 60)
        assert post.cli(command, NAME).status == 0
        taken = "SELECT count(*) FROM delivery WHERE status = 'sending'"
        wait_for(lambda: post.rows(taken) == [(0,)], "what was in flight has ended", 10)
        arrived = len(post.server.messages)
        assert arrived < len(readers)
        # Nobody took anything after it: what is in the ledger by then was taken before.
        time.sleep(1)
        assert len(post.server.messages) == arrived
        if command == "pause":
            assert post.counts() == {"sent": arrived, "queued": len(readers) - arrived}
            assert post.cli("resume", NAME).status == 0
            wait_for(lambda: post.counts() == {"sent": len(readers)}, "all are sent")
        else:
            assert post.counts() == {"sent": arrived, "cancelled": len(readers) - arrived}
    assert set(post.arrived().values()) == {1}


@pytest.mark.long
def test_all_together_keep_to_the_rates_of_the_settings(post: Post) -> None:
    post.configure('[delivery.domain_rates]\n"d0.example" = 2\n', connections=4, rate=40)
    add_readers(post, 600)
    with working(start(post, 3)):
        begin_mailing(post)
        wait_for_messages(post, 1)
        began, before = time.monotonic(), len(post.server.messages)
        time.sleep(4)
        messages = post.server.messages[before:]
        seconds = time.monotonic() - began
    slowed = [each for each in messages if each.recipients[0].endswith("@d0.example")]
    assert len(messages) <= 40 * seconds + 40 / 10 + 12  # what was claimed just before
    assert len(messages) > 40 * seconds / 2
    assert len(slowed) <= 2 * seconds + 2 + 1


@pytest.mark.long
def test_deferred_deliveries_come_again_and_failed_ones_after_a_retry(post: Post) -> None:
    post.configure(connections=2)
    readers = add_readers(post, 100)
    post.server.rules += [
        Rule("rcpt", say("450 4.2.1 later"), recipient="@d1.example", times=8),
        Rule("rcpt", say("550 5.1.1 no such user"), recipient="@d2.example"),
    ]
    with working(start(post, 2)):
        begin_mailing(post)
        failed = sum(each.endswith("@d2.example") for each in readers)
        wait_for(lambda: post.counts().get("failed") == failed, "some fail")
        wait_for(lambda: post.counts().get("deferred"), "some wait")
        wait_for(lambda: not post.counts().get("queued"), "all were tried")
        post.make_due()
        wait_for(lambda: post.status()["status"] == "finished", "those came again")
        assert post.counts() == {"sent": len(readers) - failed, "failed": failed}
        post.server.rules.clear()
        assert post.cli("retry", NAME).status == 0
        wait_for(lambda: post.counts() == {"sent": len(readers)}, "the others came again")
    assert post.arrived() == dict.fromkeys(readers, 1)


@pytest.mark.long
def test_the_rest_goes_out_in_batches_behind_a_canary_and_what_that_left(post: Post) -> None:
    post.server.delay = 0.002
    post.configure(connections=2, canary=30, canary_wait="1s")
    readers = add_readers(post, 300)
    post.server.rules.append(Rule("rcpt", say("450 4.2.1 later"), recipient=readers[7], times=1))
    with working(start(post, 3)):
        begin_mailing(post)
        rest = {"sent": len(readers) - 1, "deferred": 1}
        wait_for(lambda: post.counts() == rest, "the canary and the others are sent")
        post.make_due()
        wait_for(lambda: post.counts() == {"sent": len(readers)}, "all are sent")
    assert post.arrived() == dict.fromkeys(readers, 1)


def test_who_neither_leads_nor_has_a_batch_has_nothing_to_try(post: Post) -> None:
    database, now = post.open(), datetime.now(UTC)
    with database.hold() as store:
        dispatcher = Dispatcher(store, Rules(), random.random, is_lead=False)
        assert dispatcher.step(now, [], 1) == []
        assert dispatcher.next_try(now) is None
    database.close()


@pytest.mark.long
def test_who_leads_and_is_stopped_is_replaced(post: Post) -> None:
    """Single messages do not wait for it, and it does not send them again when it goes on."""
    lead = "SELECT name FROM worker WHERE is_lead"
    with working(start(post, 2)) as workers:
        wait_for(lambda: len(post.rows(lead)) == 1, "one leads")
        stopped = next(each for each in workers if post.rows(lead)[0][0].endswith(f":{each.pid}"))
        (other,) = [each for each in workers if each is not stopped]
        stopped.signal(signal.SIGSTOP)
        added = post.cli("subscribers", "add", "late@reader.example", "--unconfirmed")
        assert added.status == 0, added
        wait_for(lambda: len(post.server.messages) == 1, f"it is confirmed: {other.said}")
        assert post.rows(f"{lead} AND name LIKE '%%:{other.pid}'")
        stopped.signal(signal.SIGCONT)
        post.cli("subscribers", "add", "later@reader.example", "--unconfirmed")
        wait_for(lambda: len(post.server.messages) == 2, f"so is the next: {stopped.said}")
        time.sleep(1)
        assert len(post.server.messages) == 2
        assert [each.stop() for each in workers] == [0, 0]


def test_who_leads_leaves_what_is_behind_a_canary_to_the_batches(post: Post) -> None:
    """At once: what it took of them beside their holder would count as left by a dead one."""
    post.configure(canary=1)
    add_readers(post, 5)
    begin_mailing(post)
    database, now = post.open(), datetime.now(UTC)
    rules = Rules(canary=CanaryRule(wait=timedelta(0)))
    with database.hold() as store:
        assert isinstance(database.place, ServerPlace)
        jobs = Jobs(database.place.url, None, is_lead=True)
        dispatcher, results = Dispatcher(store, rules, random.random, jobs=jobs), list[Result]()
        taken: list[int] = []
        for step in range(6):
            tasks = dispatcher.step(now + timedelta(seconds=step), results, 8)
            taken += [task.id for task in tasks]
            results = [Result(task, ACCEPTED) for task in tasks]
    assert taken == [1]
    assert post.rows("SELECT first, last - first FROM batch") == [(2, 24)]
    database.close()


def test_a_mailing_that_began_unnoticed_keeps_its_batches(post: Post) -> None:
    add_readers(post, 60)
    begin_mailing(post)
    database = post.open()
    with database.write() as connection:
        batches.sweep(connection, [])
    database.close()
    assert len(post.rows("SELECT * FROM batch")) == 3


@pytest.mark.long
def test_it_is_said_why_no_batches_come(post: Post) -> None:
    with working(start(post, 1)) as (only,):
        database = post.open()
        with database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE procrastinate_workers RENAME TO elsewhere")
        database.close()
        wait_for(lambda: "No batches of mailings come here" in only.said, only.said)
