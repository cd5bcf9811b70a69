"""Several relays, each a server on a socket: shares, failures, allowances, and nobody lost."""

import json
from collections.abc import Iterator

import pytest

from tests.delivery.post import NAME, Post
from tests.delivery.relays import Relays
from tests.sampling import one_in
from tests.smtp.scripted import CLOSE, CLOSE_421, Accepted, Act, Rule, ScriptedServer, say

ADA = "ada@reader.example"


@pytest.fixture
def relays(post: Post) -> Iterator[Relays]:
    with ScriptedServer() as second, ScriptedServer() as third:
        yield Relays(post, {"first": post.server, "second": second, "third": third})


def test_each_has_its_share(relays: Relays) -> None:
    weights = {"first": 3, "second": 2, "third": 1}
    relays.configure({name: {"weight": weight} for name, weight in weights.items()}, connections=2)
    readers = relays.post.subscribe(120)
    assert relays.post.send().status == 0
    assert relays.arrived() == dict.fromkeys(readers, 1)
    for name, number in relays.took().items():
        # Who is ahead is so by its connections at most.
        assert abs(number - 120 * weights[name] / 6) <= 6, relays.took()
    listed = relays.post.deliveries()
    for name in relays.servers:
        assert relays.arrived_at(name) == {a for a, each in listed.items() if each["relay"] == name}
    lines = relays.post.rows("SELECT relay, count(*) FROM ledger WHERE delivery > 0 GROUP BY relay")
    assert dict(lines) == relays.took()


def test_one_in_reserve_is_used_while_others_are_not(relays: Relays) -> None:
    relays.configure({"first": {}, "second": {"weight": 0}})
    relays.post.subscribe(6)
    assert relays.post.send().status == 0
    assert relays.took() == {"first": 6, "second": 0, "third": 0}
    relays.kill("first")
    relays.post.cli.issue("2025-12-16")
    assert relays.post.cli("send", "2025-12-16", "--yes").status == 0
    assert relays.took() == {"first": 6, "second": 6, "third": 0}


def test_one_that_dies_in_the_middle_loses_nobody(relays: Relays) -> None:
    relays.configure({"first": {}, "second": {}}, connections=3, on_in_doubt="hold")
    readers = relays.post.subscribe(120)

    def die(accepted: Accepted) -> None:
        if len(relays.servers["second"].messages) == 20:
            relays.kill("second")

    relays.servers["second"].on_message = die
    assert relays.post.send().status in (0, 4)
    arrived, listed = relays.arrived(), relays.post.deliveries()
    assert set(arrived.values()) == {1}
    held = {address for address, each in listed.items() if each["status"] == "in_doubt"}
    sent = {address for address, each in listed.items() if each["status"] == "sent"}
    assert sent | held == set(readers)
    assert sent <= set(arrived)
    # What the dead one had in hand, and that is said of it.
    assert len(held) <= 3
    assert {listed[address]["relay"] for address in held} <= {"second"}
    assert relays.took()["first"] >= 95


def test_one_that_comes_back_gets_its_share_again(relays: Relays) -> None:
    relays.servers["second"].rules.append(Rule("connect", CLOSE, times=1))
    relays.servers["first"].delay = 0.01
    relays.configure({"first": {}, "second": {}}, connections=2)
    readers = relays.post.subscribe(80)
    assert relays.post.send().status == 0
    assert relays.arrived() == dict.fromkeys(readers, 1)
    assert relays.took()["second"] >= 5
    shown = {each["name"]: each for each in relays.post.cli("status", "--json").json["relays"]}
    assert [shown[name]["state"] for name in ("first", "second")] == ["up", "up"]
    assert shown["second"]["sent_today"] == relays.took()["second"]


ACTS = (say("454 4.7.0 not now"), CLOSE_421, say("451 4.3.0 lookup failed"))


@pytest.mark.parametrize("act", one_in(3, ACTS))
def test_what_one_has_against_us_leaves_the_others_to_it(relays: Relays, act: Act) -> None:
    relays.servers["second"].rules.append(Rule("mail", act))
    relays.configure({"first": {}, "second": {}})
    readers = relays.post.subscribe(30)
    outcome = relays.post.send()
    assert outcome.status == 0
    assert relays.arrived_at("first") == set(readers)
    assert "The relay second failed" in outcome.err
    assert {each["attempts"] for each in relays.post.deliveries().values()} == {1}


def test_a_login_that_one_refuses_pauses_nothing_and_is_not_tried_again_soon(
    relays: Relays,
) -> None:
    second = relays.servers["second"]
    second.logins_known = {"daily": "right"}
    login = {"username": "daily", "password": "wrong"}
    relays.configure({"first": {}, "second": login}, connections=4)
    relays.post.subscribe(40)
    assert relays.post.send().status == 0
    assert len(second.logins) == 1
    assert relays.took()["first"] == 40
    shown = relays.post.cli("status", "--json").json["relays"][1]
    assert shown["state"] == "refused"
    assert shown["fault"].startswith("535")
    assert "takes nothing from us, until" in relays.post.cli("status").out


def test_where_all_refuse_the_login_the_mailing_pauses(relays: Relays) -> None:
    for name in ("first", "second"):
        relays.servers[name].logins_known = {"daily": "right"}
    login = {"username": "daily", "password": "wrong"}
    relays.configure({"first": login, "second": login})
    relays.post.subscribe(10)
    assert relays.post.send().status == 3
    assert relays.post.status()["status"] == "paused"
    assert [len(relays.servers[name].logins) for name in ("first", "second")] == [1, 1]
    # What an operator mends is tried at once.
    right = {"username": "daily", "password": "right"}
    relays.configure({"first": right, "second": right})
    relays.post.cli("resume", NAME)
    assert relays.post.send().status == 0


def test_one_that_refuses_everybody_is_found_out_though_another_takes_them(relays: Relays) -> None:
    """Each has a breaker of its own: what the first accepts says nothing about the second."""
    relays.servers["second"].rules.append(Rule("rcpt", say("550 5.7.1 your address is blocked")))
    relays.configure({"first": {}, "second": {}}, connections=2)
    readers = relays.post.subscribe(100)
    assert relays.post.send().status == 0
    counts = relays.post.counts()
    assert 20 <= counts["failed"] <= 24  # and what was on its way
    assert counts["failed"] + counts["sent"] == len(readers)


def test_a_doubt_is_sent_again_over_the_same_relay(relays: Relays) -> None:
    second = relays.servers["second"]
    second.rules.append(Rule("final_dot", CLOSE, times=1, is_accepted=True))
    relays.configure({"first": {}, "second": {}}, connections=1)
    readers = relays.post.subscribe(20)
    assert relays.post.send().status == 0
    arrived = relays.arrived()
    (twice,) = [address for address, number in arrived.items() if number == 2]
    assert twice not in relays.arrived_at("first")
    assert set(arrived) == set(readers)


@pytest.mark.long
def test_a_doubt_waits_for_its_relay_and_no_other_one_is_tried(relays: Relays) -> None:
    def die(accepted: Accepted) -> None:
        if len(relays.servers["second"].messages) == 5:
            relays.kill("second")

    relays.servers["second"].on_message = die
    relays.configure({"first": {}, "second": {}}, connections=1)
    relays.post.subscribe(20)
    assert relays.post.send().status == 3
    (doubt,) = relays.post.deliveries("--status", "queued").values()
    assert doubt["relay"] == "second"
    assert relays.arrived()[doubt["email"]] == 1
    assert relays.post.counts() == {"queued": 1, "sent": 19}
    # It is not forgotten by the next process either, and goes when the relay is back.
    assert relays.post.send().status == 3
    assert doubt["email"] not in relays.arrived_at("first")
    relays.servers["second"].on_message = None
    relays.mend("second")
    assert relays.post.send().status == 0
    assert relays.arrived_at("second") >= {doubt["email"]}


def test_what_one_deferred_may_go_over_another(relays: Relays) -> None:
    for name in ("first", "second"):
        relays.servers[name].rules.append(Rule("rcpt", say("450 4.2.0 later"), recipient=ADA))
    relays.configure({"first": {}, "second": {}})
    relays.post.subscribe([ADA])
    assert relays.post.send().status == 3
    before = relays.post.deliveries()[ADA]["relay"]
    relays.kill(before)
    other = "second" if before == "first" else "first"
    relays.mend(other)
    relays.let_be_due()
    assert relays.post.send().status == 0
    assert relays.arrived_at(other) == {ADA}


def test_an_allowance_grows_over_midnight(relays: Relays) -> None:
    relays.configure({"first": {"warm_up": {"first": 10, "factor": 2, "full": 30}}})
    readers = relays.post.subscribe(45)
    foreseen = relays.post.cli("send", NAME, "--dry-run", "--json").json
    assert foreseen["days"] == 3
    outcome = relays.post.send()
    assert outcome.status == 3
    assert "is used up" in outcome.err
    assert relays.post.counts() == {"sent": 10, "queued": 35}
    assert relays.post.send().status == 3
    assert len(relays.arrived()) == 10
    relays.let_a_day_pass()
    shown = relays.post.cli("status", "--json").json["relays"][0]
    assert (shown["day"], shown["allowed"], shown["left"]) == (2, 20, 20)
    relays.post.send()
    assert len(relays.arrived()) == 30
    said = relays.post.cli("status").out
    assert "day 2 of warming up: 20 of 20 sent today" in said
    assert "What is left takes 2 days" in said
    relays.let_a_day_pass()
    assert relays.post.send().status == 0
    assert relays.arrived() == dict.fromkeys(readers, 1)


def test_what_an_allowance_has_no_room_for_goes_by_the_others(relays: Relays) -> None:
    new = {"weight": 5, "warm_up": {"first": 10}}
    relays.configure({"first": {}, "second": new})
    readers = relays.post.subscribe(40)
    assert relays.post.cli("send", NAME, "--dry-run", "--json").json["days"] == 1
    assert relays.post.send().status == 0
    assert relays.took() == {"first": 30, "second": 10, "third": 0}
    assert relays.arrived() == dict.fromkeys(readers, 1)


def test_what_one_reader_waits_for_is_not_kept_for_tomorrow(relays: Relays) -> None:
    relays.configure({"first": {"warm_up": {"first": 3}}})
    relays.post.subscribe(5)
    assert relays.post.send().status == 3
    assert relays.post.cli("send", NAME, "--test", ADA).status == 0
    assert relays.arrived()[ADA] == 1
    assert relays.post.rows("SELECT taken, sent FROM relay_day") == [(4, 4)]
    assert relays.post.send().status == 3
    assert relays.post.counts() == {"sent": 3, "queued": 2}


def test_what_a_relay_did_not_take_uses_up_nothing(relays: Relays) -> None:
    relays.servers["first"].rules.append(Rule("rcpt", say("550 5.1.1 no such mailbox"), times=4))
    relays.configure({"first": {"warm_up": {"first": 10}}})
    relays.post.subscribe(20)
    assert relays.post.send().status == 3
    assert relays.post.counts() == {"failed": 4, "sent": 10, "queued": 6}
    assert relays.post.rows("SELECT taken, sent FROM relay_day") == [(10, 10)]


def test_doctor_tries_each(relays: Relays) -> None:
    relays.configure({"first": {"warm_up": {"first": 50}}, "second": {}})
    relays.kill("second")
    found = json.loads(relays.post.cli("doctor", "--json").out)["findings"]
    levels = {each["name"]: each["level"] for each in found}
    assert (levels["relay first"], levels["relay second"]) == ("ok", "error")
    assert [each["message"] for each in found if each["name"] == "warm-up"] == [
        "relay first, on its day 1: 50 of 50 messages are left for today"
    ]
