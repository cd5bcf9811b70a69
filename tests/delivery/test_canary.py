"""A canary: the first readers and the seeds get an issue before the rest does, or instead of it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from publisher.mailing.canary import CanaryRule, Release, Stop, Tried, WaitUntil, judge
from tests.delivery.post import Post
from tests.smtp.scripted import Rule, say

NOON = datetime(2025, 12, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULE = CanaryRule(wait=10 * MINUTE, limit=0.05)
READERS = [f"reader{number}@d.example" for number in range(12)]
SEED = "me@desk.example"


@pytest.mark.parametrize(
    ("tried", "until", "expected"),
    [
        (Tried(100, 0), None, WaitUntil(NOON + 10 * MINUTE)),
        (Tried(100, 5), None, WaitUntil(NOON + 10 * MINUTE)),
        (Tried(100, 6), None, Stop),
        (Tried(100, 5), NOON + MINUTE, WaitUntil(NOON + MINUTE)),
        (Tried(100, 6), NOON + MINUTE, Stop),
        (Tried(100, 5), NOON, Release),
        (Tried(1, 1), NOON, Stop),
        # A clock that was put back does not let it wait for longer than it was to.
        (Tried(100, 5), NOON + 60 * MINUTE, WaitUntil(NOON + 10 * MINUTE)),
    ],
)
def test_what_becomes_of_the_rest(
    tried: Tried, until: datetime | None, expected: WaitUntil | type
) -> None:
    decision = judge(tried, until, RULE, NOON)
    assert decision == expected if isinstance(expected, WaitUntil) else type(decision) is expected


def _once(addresses: Iterable[str]) -> dict[str, int]:
    return dict.fromkeys(addresses, 1)


def _let_pass(post: Post) -> None:
    """As if the wait was over."""
    database = post.open()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE mailing SET canary_until = canary_until - 3600000")
    database.close()


def test_the_first_and_the_seeds_go_and_the_rest_follows_later(post: Post) -> None:
    post.configure(canary=3, canary_wait="10m", seeds=[READERS[7], SEED])
    post.subscribe(READERS)
    first = {*READERS[:3], READERS[7], SEED}
    outcome = post.send()
    assert outcome.status == 3
    assert post.arrived() == _once(first)
    assert post.counts() == {"sent": 5, "queued": 8}
    assert post.send().status == 3
    assert len(post.server.messages) == 5
    _let_pass(post)
    assert post.send().status == 0
    assert post.arrived() == _once([*READERS, SEED])
    assert post.status()["status"] == "finished"


def test_a_short_wait_is_waited_for(post: Post) -> None:
    post.configure(canary=3, canary_wait="2s")
    post.subscribe(READERS)
    assert post.send().status == 0
    assert post.arrived() == _once(READERS)
    assert {each.recipients[0] for each in post.server.messages[:3]} == {*READERS[:3]}


def test_too_many_refusals_stop_it_until_an_operator_says_so(post: Post) -> None:
    post.configure(canary=3, canary_wait="0s", canary_limit=0.3)
    post.subscribe(READERS)
    post.server.rules.append(Rule("rcpt", say("550 5.7.1 spam"), recipient=READERS[1]))
    assert post.send().status == 3
    assert post.status()["status"] == "paused"
    assert post.counts() == {"sent": 2, "failed": 1, "queued": 9}
    assert "1 of the first 3 were refused" in post.cli("status").out
    assert post.send().status == 2
    assert post.cli("resume", "2025-12-15").status == 0
    assert post.send().status == 0
    assert post.counts() == {"sent": 11, "failed": 1}


def test_what_comes_back_in_the_wait_counts(post: Post) -> None:
    post.configure(canary=3, canary_wait="10m", canary_limit=0.3)
    post.subscribe(READERS)
    assert post.send().status == 3
    database = post.open()
    with database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO ledger (publication, mailing, delivery, at, event)"
            " VALUES (1, 1, 1, 0, 'bounced')"
        )
    database.close()
    assert post.send().status == 3
    assert post.status()["status"] == "sending"
    _let_pass(post)
    assert post.send().status == 3
    assert post.status()["status"] == "paused"


def test_one_that_is_put_off_does_not_hold_the_rest(post: Post) -> None:
    post.configure(canary=3, canary_wait="0s")
    post.subscribe(READERS)
    post.server.rules.append(Rule("rcpt", say("450 4.2.0 later"), recipient=READERS[1], times=1))
    assert post.send().status == 3
    assert post.counts() == {"sent": 11, "deferred": 1}


def test_a_pause_by_hand_and_a_resume_do_not_skip_it(post: Post) -> None:
    post.configure(canary=3, canary_wait="10m")
    post.subscribe(READERS)
    assert post.send().status == 3
    assert post.cli("pause", "2025-12-15").status == 0
    assert post.cli("resume", "2025-12-15").status == 0
    assert post.send().status == 3
    assert len(post.server.messages) == 3


def test_a_canary_of_all_is_none(post: Post) -> None:
    post.configure(canary=100, canary_wait="10m")
    post.subscribe(READERS)
    assert post.send().status == 0
    assert post.arrived() == _once(READERS)


def test_seeds_who_left_get_nothing(post: Post) -> None:
    post.configure(canary=1, canary_wait="0s", seeds=[READERS[3]])
    post.subscribe(READERS)
    assert post.cli("subscribers", "remove", READERS[3]).status == 0
    assert post.send().status == 0
    assert post.arrived() == _once([*READERS[:3], *READERS[4:]])


def test_run_once_goes_on_with_it(post: Post) -> None:
    post.configure(canary=3, canary_wait="10m")
    post.subscribe(READERS)
    assert post.send().status == 3
    assert post.cli("run", "--once").status == 3
    _let_pass(post)
    assert post.cli("run", "--once").status == 0
    assert post.arrived() == _once(READERS)
