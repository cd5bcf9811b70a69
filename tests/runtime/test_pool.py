"""Many connections in one thread: none waits for another, and a defect is one message's alone."""

import time
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from publisher.mailing.settle import History
from publisher.message.splice import Unfinished
from publisher.model.delivery import Envelope, Outcome
from publisher.runtime.exchange import Result
from publisher.runtime.pool import Pool
from publisher.runtime.reserve import KeptBack
from publisher.runtime.signers import Signers
from publisher.smtp.courier import Courier
from publisher.store.deliveries import Taken
from tests.smtp.scripted import CLOSE, SILENCE, Rule, ScriptedServer, relay_to, say

PATIENT = 30.0
BODY = b"Subject: a lamp\r\n\r\nText.\r\n"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def task(number: int) -> Taken:
    return Taken(
        id=number,
        mailing=1,
        purpose="issue",
        email=f"reader{number}@x.example",
        name="",
        subscriber_ref="",
        history=History(),
    )


def compose(taken: Taken) -> Unfinished:
    if taken.id == 13:
        raise ValueError("no such template")
    return Unfinished((), (BODY,), Envelope("daily@x.example", taken.email))


def make_pool(server: ScriptedServer, count: int, command: float = PATIENT) -> Pool:
    relay = relay_to(server, command=command)
    return Pool(count, lambda: Courier(relay, "desk.example"), compose, Signers(()))


def deliver(pool: Pool, numbers: range) -> dict[int, Result]:
    """Deliver so many, as many at once as there is room for."""
    waiting, results = [task(number) for number in numbers], dict[int, Result]()
    deadline = time.monotonic() + PATIENT
    while len(results) < len(numbers):
        assert time.monotonic() < deadline, "not all of them came back"
        begun, waiting = waiting[: pool.room], waiting[pool.room :]
        pool.begin(begun)
        results |= {result.taken.id: result for result in pool.collect(1.0)}
    pool.close()
    return results


def kinds(results: dict[int, Result]) -> dict[int, str]:
    return {id: each.outcome.kind for id, each in results.items() if each.outcome}


def test_all_are_delivered_over_a_few_connections(server: ScriptedServer) -> None:
    results = deliver(make_pool(server, 5), range(100, 140))
    assert set(kinds(results).values()) == {"accepted"}
    assert len({connection for connection, _, _ in server.lines}) == 5


def test_one_that_hears_nothing_keeps_no_other_waiting(server: ScriptedServer) -> None:
    server.rules.append(Rule("rcpt", SILENCE, recipient="reader1@x.example"))
    began = time.monotonic()
    results = deliver(make_pool(server, 2, command=0.5), range(1, 10))
    assert time.monotonic() - began < PATIENT / 2
    assert kinds(results) == {1: "transient", **dict.fromkeys(range(2, 10), "accepted")}
    assert server.messages[0].recipients == ("reader2@x.example",)


def test_a_defect_is_one_message_s_alone(server: ScriptedServer) -> None:
    results = deliver(make_pool(server, 2), range(10, 17))
    assert results[13].outcome is None
    assert results[13].note == "ValueError: no such template"
    assert set(kinds(results)) == {10, 11, 12, 14, 15, 16}


def test_a_connection_that_was_closed_is_opened_again(server: ScriptedServer) -> None:
    pool = make_pool(server, 1)
    pool.begin([task(1)])
    assert [each.taken.id for each in pool.collect(PATIENT)] == [1]
    server.drop_all()
    results = deliver(pool, range(2, 4))
    assert kinds(results) == {2: "accepted", 3: "accepted"}


def test_connections_that_are_closed_while_idle_cost_nothing_and_are_replaced(
    server: ScriptedServer,
) -> None:
    pool = make_pool(server, 3)
    results = dict[int, Result]()
    pool.begin([task(number) for number in range(1, 4)])
    while len(results) < 3:
        results |= {each.taken.id: each for each in pool.collect(PATIENT)}
    server.drop_all()
    # What was closed is ready to be read, for ever: only the bell is listened to any more.
    assert pool.collect(0.5) == []
    assert len(pool._selector.get_map()) == 1
    results = deliver(pool, range(4, 10))
    assert set(kinds(results).values()) == {"accepted"}
    assert len(server.messages) == 9


def test_answers_may_come_in_one_piece_or_in_many(server: ScriptedServer) -> None:
    server.rules.append(
        Rule("rcpt", say("250-2.1.5 one\r\n250 2.1.5 two"), recipient="reader2@x.example")
    )
    server.rules.append(Rule("data", say("354 go on", delay=0.1), recipient="reader4@x.example"))
    server.rules.append(Rule("rcpt", say("550 5.1.1 no"), recipient="reader3@x.example"))
    results = deliver(make_pool(server, 2), range(1, 8))
    assert kinds(results) == dict.fromkeys(range(1, 8), "accepted") | {3: "permanent"}


@pytest.mark.parametrize("answer", ["452 4.5.3 too many messages on this connection", "451 no"])
def test_a_limit_on_one_connection_is_gone_round(server: ScriptedServer, answer: str) -> None:
    for connection in range(1, 4):
        server.rules.append(Rule("mail", say("250 ok"), connection=connection, times=2))
        server.rules.append(Rule("mail", say(answer), connection=connection))
    results = deliver(make_pool(server, 1), range(1, 7))
    assert set(kinds(results).values()) == {"accepted"}


def test_what_was_begun_is_noted_before_the_body_goes(server: ScriptedServer) -> None:
    noted: list[tuple[int, int]] = []
    came: list[tuple[int, str]] = []
    relay = relay_to(server)
    server.rules.append(Rule("rcpt", say("550 no"), recipient="reader2@x.example"))
    server.rules.append(Rule("final_dot", CLOSE, recipient="reader3@x.example"))

    class Noting:
        def begin(self, place: int, delivery: int) -> bool:
            noted.append((place, delivery))
            return True

        def end(self, place: int, outcome: Outcome) -> None:
            came.append((place, outcome.kind))

    pool = Pool(1, lambda: Courier(relay, "desk.example"), compose, Signers(()), Noting())
    results = deliver(pool, range(1, 4))
    assert kinds(results) == {1: "accepted", 2: "permanent", 3: "unknown"}
    assert noted == [(0, 1), (0, 3)]
    assert came == [(0, "accepted"), (0, "permanent"), (0, "unknown")]


def test_opening_can_be_broken_off(server: ScriptedServer) -> None:
    server.rules.append(Rule("greeting", SILENCE))
    pool = make_pool(server, 2)
    pool.begin([task(1), task(2)])
    assert pool.collect(0.3) == []
    pool.interrupt(is_opening_only=True)
    results = {each.taken.id: each for _ in range(2) for each in pool.collect(5.0)}
    assert kinds(results) == {1: "transient", 2: "transient"}


def test_each_goes_over_its_own_relay_and_waits_for_it(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the only idle connection to it is just being closed."""
    monkeypatch.setattr("publisher.runtime.pool._IDLE_SECONDS", -1.0)
    server.rules.append(Rule("quit", say("221 2.0.0 bye", delay=0.3)))
    with ScriptedServer() as other:
        relays = [relay_to(server, name="slow to go"), relay_to(other, name="other")]
        couriers = iter([Courier(relay, "desk.example") for relay in relays])
        pool = Pool(2, couriers.__next__, compose, Signers(()))
        numbers = iter(range(100, 106))
        for _ in range(3):
            over = [replace(task(next(numbers)), relay=relay.name) for relay in relays]
            pool.begin(over)
            came: list[Result] = []
            while len(came) < 2:
                came += pool.collect(PATIENT)
            pool.collect(0.15)
            assert pool.room < 2  # it is being closed, and the next one for it has to wait
            assert {each.outcome.kind for each in came if each.outcome} == {"accepted"}
        pool.close()
        assert [len(each.messages) for each in (server, other)] == [3, 3]


class Places:
    """Which deliveries have a place that is not free again."""

    def __init__(self) -> None:
        self.of: dict[int, int] = {}

    def begin(self, place: int, delivery: int) -> bool:
        self.of[place] = delivery
        return True

    def end(self, place: int, outcome: Outcome) -> None:
        assert place in self.of


def make_ahead(
    server: ScriptedServer, count: int, ahead: int, places: Places, kept: KeptBack | None = None
) -> Pool:
    relay, signers = relay_to(server), Signers(())
    return Pool(
        count, lambda: Courier(relay, "desk.example"), compose, signers, places, ahead, kept
    )


def test_what_is_taken_ahead_follows_at_once_and_keeps_its_place(server: ScriptedServer) -> None:
    """No place is another's before the outcome that is in it was written."""
    places = Places()
    pool = make_ahead(server, 2, 4, places)
    assert (pool.room, pool.room_with(4)) == (2, 6)
    pool.begin([task(number) for number in (1, 2, 13, 4, 5, 6)])
    assert pool.room == 0
    results = dict[int, Result]()
    while len(results) < 6:
        results |= {each.taken.id: each for each in pool.collect(PATIENT)}
    assert kinds(results) == dict.fromkeys((1, 2, 4, 5, 6), "accepted")
    assert results[13].note == "ValueError: no such template"
    assert sorted(places.of.values()) == [1, 2, 4, 5, 6]
    more = deliver(pool, range(20, 40))
    assert set(kinds(more).values()) == {"accepted"}
    assert set(places.of) <= set(range(6))


def test_what_waits_can_be_withdrawn_and_what_was_begun_goes_on(server: ScriptedServer) -> None:
    server.rules.append(Rule("rcpt", say("250 ok", delay=0.3), recipient="reader1@x.example"))
    pool = make_ahead(server, 1, 3, Places())
    pool.begin([task(number) for number in range(1, 5)])
    pool.withdraw(lambda task: task.id in (1, 3))
    results = dict[int, Result]()
    while len(results) < 4:
        results |= {each.taken.id: each for each in pool.collect(PATIENT)}
    assert [each.taken.id for each in results.values() if each.is_withdrawn] == [3]
    assert kinds(results) == dict.fromkeys((1, 2, 4), "accepted")
    assert not pool.is_busy


def test_what_waits_for_too_long_comes_back(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.runtime.queue._AHEAD_SECONDS", 0.1)
    server.rules.append(Rule("rcpt", say("250 ok", delay=0.5), recipient="reader1@x.example"))
    pool = make_ahead(server, 1, 1, Places())
    pool.begin([task(1), task(2)])
    pool.withdraw(lambda task: False)
    assert pool.collect(0.2) == []
    pool.withdraw(lambda task: False)
    assert [(each.taken.id, each.is_withdrawn) for each in pool.collect(PATIENT)] == [(2, True)]
    assert kinds({each.taken.id: each for each in pool.collect(PATIENT)}) == {1: "accepted"}


def test_what_waits_behind_another_one_s_body_for_too_long_comes_back(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay knows its envelope already: nothing more of it comes, and the connection ends."""
    monkeypatch.setattr("publisher.runtime.queue._AHEAD_SECONDS", 1.0)
    server.rules.append(
        Rule("final_dot", say("250 ok", delay=3.0), recipient="reader1@x.example", times=1)
    )
    pool = make_ahead(server, 1, 1, Places())
    pool.begin([task(1), task(2)])
    deadline = time.monotonic() + PATIENT
    while not pool._announced:
        assert time.monotonic() < deadline
        pool.attend()
    pool.withdraw(lambda task: True, is_announced_too=False)
    assert pool.room_with(1) == 0
    time.sleep(1.1)
    pool.withdraw(lambda task: False)
    assert [(each.taken.id, each.is_withdrawn) for each in pool.collect(0)] == [(2, True)]
    for number in (1, 3):
        pool.begin([task(3)] if number == 3 else [])
        results = {each.taken.id: each for each in pool.collect(PATIENT)}
        assert kinds(results) == {number: "accepted"}
    came = [(each.recipients, each.connection) for each in server.messages]
    assert came == [(("reader1@x.example",), 1), (("reader3@x.example",), 2)]


def test_what_is_announced_waits_for_no_connection_that_could_have_it(
    server: ScriptedServer,
) -> None:
    """Nothing is bound to one connection while another one is idle."""
    server.rules.append(Rule("final_dot", say("250 ok", delay=1.0), recipient="reader1@x.example"))
    pool = make_ahead(server, 3, 1, Places())
    pool.begin([task(1), task(2)])
    results = dict[int, Result]()
    while 2 not in results:
        results |= {each.taken.id: each for each in pool.collect(PATIENT)}
    pool.begin([task(3)])
    while 3 not in results:
        results |= {each.taken.id: each for each in pool.collect(PATIENT)}
    assert 1 not in results
    while 1 not in results:
        results |= {each.taken.id: each for each in pool.collect(PATIENT)}
    assert set(kinds(results).values()) == {"accepted"}


def test_what_is_kept_back_is_begun_when_more_is_on_disk(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.runtime.queue._AHEAD_SECONDS", PATIENT)
    kept = KeptBack(3)
    pool = make_ahead(server, 2, 8, Places(), kept)
    tasks = [task(number) for number in (1, 2, 3, 4, 5, 6, 13, 7)]
    assert kept.choose(tasks) == (4, 5, 6, 13, 7)
    kept.end_step()
    pool.begin(tasks)
    results = dict[int, Result]()

    def collect(*expected: int) -> None:
        results.clear()
        deadline = time.monotonic() + PATIENT
        while results.keys() != set(expected):
            assert time.monotonic() < deadline
            results.update({each.taken.id: each for each in pool.collect(PATIENT)})

    collect(1, 2, 3)
    assert pool.collect(0.3) == []
    assert pool.is_busy
    assert (pool.room_with(8), pool.room) == (5, 0)
    # What waits, and what broke meanwhile, is out of the count; what was withdrawn comes again.
    pool.withdraw(lambda task: task.id == 5)
    assert [each.taken.id for each in pool.collect(PATIENT)] == [5]
    more = [task(5), task(8)]
    assert kept.choose(more) == (7, 5, 8)
    kept.end_step()
    pool.begin(more)
    collect(4, 6, 13)
    assert results[13].note == "ValueError: no such template"
    assert kept.choose([]) == ()
    kept.end_step()
    pool.begin([])
    collect(7, 5, 8)
    assert not pool.is_busy


def test_what_came_back_meanwhile_is_in_doubt_too_after_a_power_cut(server: ScriptedServer) -> None:
    """As long as that is on no disk: so much fewer others may be begun."""
    kept = KeptBack(3)
    pool = make_ahead(server, 2, 8, Places(), kept)
    pool.begin([task(1), task(2)])
    deadline = time.monotonic() + PATIENT
    while pool._count_loose() < 2:
        assert time.monotonic() < deadline
        pool.attend()
    assert kept.choose([task(3), task(4)]) == (4,)


def test_what_was_taken_too_long_ago_is_not_begun(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was busy meanwhile: the relay with those before it, or the process itself."""
    monkeypatch.setattr("publisher.runtime.queue._AHEAD_SECONDS", 1.5)
    server.rules.append(Rule("final_dot", say("250 ok", delay=1.0)))
    pool = make_ahead(server, 1, 8, Places())
    pool.begin([task(number) for number in range(1, 6)])
    results = dict[int, Result]()
    while len(results) < 5:
        results |= {each.taken.id: each for each in pool.collect(PATIENT)}
    assert kinds(results) == {1: "accepted", 2: "accepted"}
    assert [each.taken.id for each in results.values() if each.is_withdrawn] == [3, 4, 5]
    server.rules.clear()
    pool.begin([task(6)])
    assert kinds({each.taken.id: each for each in pool.collect(PATIENT)}) == {6: "accepted"}
    came = [(each.recipients[0], each.connection) for each in server.messages]
    assert came == [("reader1@x.example", 1), ("reader2@x.example", 1), ("reader6@x.example", 2)]


def test_a_connection_that_opens_slowly_makes_nothing_late(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.runtime.queue._AHEAD_SECONDS", 1.5)
    server.rules.append(Rule("greeting", say("220 hello", delay=2.0)))
    pool = make_ahead(server, 1, 1, Places())
    pool.begin([task(1)])
    pool.withdraw(lambda task: False)
    time.sleep(1.8)
    pool.begin([task(2)])
    results = dict[int, Result]()
    while len(results) < 2:
        pool.withdraw(lambda task: False)
        results |= {each.taken.id: each for each in pool.collect(PATIENT)}
    assert kinds(results) == {1: "accepted", 2: "accepted"}
    assert server.connections == 1


def test_where_nothing_is_taken_ahead_nothing_is_announced(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could not be taken back: nobody withdraws anything there."""
    monkeypatch.setattr("publisher.runtime.queue._AHEAD_SECONDS", PATIENT)
    server.rules.append(Rule("final_dot", say("250 ok", delay=1.0), recipient="reader1@x.example"))
    pool = make_ahead(server, 2, 0, Places())
    closing = pool._idle.pop()
    pool.begin([task(1), task(2)])
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        pool.attend()
    assert pool._announced == 0
    pool._idle.append(closing)
    pool.begin([])
    results = dict[int, Result]()
    while len(results) < 2:
        results |= {each.taken.id: each for each in pool.collect(PATIENT)}
    assert kinds(results) == {1: "accepted", 2: "accepted"}


def test_a_connection_that_is_refused_tries_no_other_message_at_once(
    server: ScriptedServer,
) -> None:
    """Each refusal counts against the relay."""
    server.rules.append(Rule("greeting", say("421 too many", "close")))
    pool = make_ahead(server, 1, 4, Places())
    pool.begin([task(number) for number in range(1, 4)])
    assert [each.taken.id for each in pool.collect(PATIENT)] == [1]
    assert pool.collect(0.3) == []
    server.rules.clear()
    pool.begin([])
    results = dict[int, Result]()
    while len(results) < 2:
        results |= {each.taken.id: each for each in pool.collect(PATIENT)}
    assert kinds(results) == {2: "accepted", 3: "accepted"}


def test_however_many_are_refused_at_once_it_goes_on() -> None:
    """Addresses that the relay cannot take end before anything is waited for."""

    def compose_odd(taken: Taken) -> Unfinished:
        is_odd = 1 < taken.id < 600
        email = f"ü{taken.email}" if is_odd else taken.email
        return Unfinished((), (BODY,), Envelope("daily@x.example", email, is_odd))

    with ScriptedServer(lacks=["SMTPUTF8"]) as server:
        relay = relay_to(server)
        pool = Pool(
            1, lambda: Courier(relay, "desk.example"), compose_odd, Signers(()), None, ahead=600
        )
        pool.begin([task(number) for number in range(1, 601)])
        results = dict[int, Result]()
        deadline = time.monotonic() + PATIENT
        while len(results) < 600:
            assert time.monotonic() < deadline
            results |= {each.taken.id: each for each in pool.collect(1.0)}
        pool.close()
    assert kinds(results) == dict.fromkeys(range(1, 601), "permanent") | {
        1: "accepted",
        600: "accepted",
    }


def test_what_came_back_while_nobody_waited_is_still_to_be_collected(
    server: ScriptedServer,
) -> None:
    pool = make_ahead(server, 1, 0, Places())
    pool.begin([task(1)])
    deadline = time.monotonic() + PATIENT
    while not server.messages or pool.room == 0:
        assert time.monotonic() < deadline
        pool.attend()
    assert pool.is_busy
    assert kinds({each.taken.id: each for each in pool.collect(0)}) == {1: "accepted"}
    assert not pool.is_busy


def test_it_knows_whether_the_relay_is_quick(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.runtime.pool._QUICK_SECONDS", 1.0)
    pool = make_ahead(server, 1, 0, Places())
    for number, delay in ((1, 0.0), (2, 1.5), (3, 0.0)):
        server.rules[:] = [Rule("rcpt", say("250 ok", delay=delay))] if delay else []
        pool.begin([task(number)])
        while not pool.collect(PATIENT):
            pass
        assert pool.is_quick is (delay == 0)
