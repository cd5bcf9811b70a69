"""Idempotency-Key: what is asked for twice is done once."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from publisher.audience.address import parse_address
from publisher.audience.subscribing import erase
from tests.web.api.site import DIGEST, NAME, Program, enter, problem
from tests.web.console.site import Console
from tests.web.public.site import Answer

ANNA = {"email": "anna@daily.example"}


def add(program: Program, body: object = ANNA, key: str = '"one"') -> Answer:
    return program.ask("POST", "/subscribers", body, {"Idempotency-Key": key})


def test_the_same_request_gets_the_same_answer(console: Console, program: Program) -> None:
    first, second = add(program), add(program)
    assert (first.status, first.body) == (second.status, second.body)
    assert first.status == 201
    assert second.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert [action for _, action, _ in console.done()].count("reader added") == 1


def test_another_request_with_the_same_key_is_refused(program: Program) -> None:
    add(program)
    for answer in (
        add(program, {"email": "bob@daily.example"}),
        program.ask("POST", "/suppressions", ANNA, {"Idempotency-Key": '"one"'}),
    ):
        assert (answer.status, problem(answer)) == (422, "key-used")
    assert len(program.get("/subscribers")["subscribers"]) == 1


def test_a_refusal_is_not_kept(program: Program) -> None:
    program.post("/suppressions", ANNA, status=201)
    assert add(program).status == 409
    kept = program.get("/suppressions")["suppressions"][0]["suppression"]
    assert program.ask("DELETE", f"/suppressions/{kept}").status == 204
    assert add(program).status == 201


def test_a_key_is_its_tokens_own_and_lasts_a_day(console: Console, program: Program) -> None:
    assert add(program).status == 201
    assert add(enter(console, name="other"), {"email": "bob@daily.example"}).status == 201
    console.clock.ahead = timedelta(hours=25)
    assert add(program, {"email": "eve@daily.example"}).status == 201
    with console.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM answer").scalar() == 1


@pytest.mark.parametrize("key", ["", '""', '"a', "a b", "ä", '"' + "x" * 256 + '"'])
def test_a_key_that_is_none_is_refused(program: Program, key: str) -> None:
    answer = add(program, key=key)
    assert (answer.status, problem(answer)) == (400, "malformed")


def test_of_twenty_at_once_one_is_done(console: Console, program: Program) -> None:
    program.post("/subscribers", ANNA, status=201)

    def ask(number: int) -> Answer:
        headers = {"Idempotency-Key": '"digest"', "Content-Type": "text/plain"}
        return program.ask("POST", f"/issues?date={NAME}", DIGEST, headers)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    assert set(Counter(answer.status for answer in answers)) <= {201, 409}
    done = [answer for answer in answers if answer.status == 201]
    assert len({answer.body for answer in done}) == 1
    assert len([each for each in done if "idempotency-replayed" not in each.headers]) == 1
    assert {problem(each) for each in answers if each.status == 409} <= {"in-progress"}
    assert ask(0).body == done[0].body
    actions = [action for _, action, _ in console.done()]
    assert actions.count("issue created") == 1


def test_nothing_of_an_erased_reader_is_kept(console: Console, program: Program) -> None:
    add(program)
    with console.database.write() as connection:
        erase(
            connection,
            console.database.publication,
            parse_address(ANNA["email"]),
            secret=console.readers.secret,
            at=console.clock(),
        )
        assert connection.exec_driver_sql("SELECT count(*) FROM answer").scalar() == 0


def test_a_mailing_is_started_once_with_one_key(console: Console, program: Program) -> None:
    program.add_issue()
    program.post("/subscribers", ANNA, status=201)
    body = {"issue": NAME, "digest": None}
    first = program.post("/mailings", body, key="send", status=201)
    assert program.post("/mailings", body, key="send", status=201) == first
    assert program.post("/mailings", body, key="again")["mailing"] == first["mailing"]
    assert json.dumps(console.done()).count("mailing started") == 1
