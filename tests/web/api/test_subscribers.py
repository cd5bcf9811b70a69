"""Readers and suppressions by the API."""

import json

import pytest

from tests.web.api.site import Program, problem
from tests.web.console.site import Console

ANNA = {"email": "anna@daily.example", "name": "Anna"}


def test_a_reader_is_added_found_renamed_unsubscribed(console: Console, program: Program) -> None:
    added = program.post("/subscribers", ANNA, status=201)
    assert [line["action"] for line in added["consents"]] == ["vouched"]
    path = f"/subscribers/{added['subscriber']}"
    assert program.get(path) == added
    for query in ("email=ANNA@daily.example", "search=ann", "status=confirmed"):
        assert [one["email"] for one in program.get(f"/subscribers?{query}")["subscribers"]] == [
            ANNA["email"]
        ]
    for query in ("email=bob@daily.example", "search=bob", "status=unsubscribed"):
        assert program.get(f"/subscribers?{query}")["subscribers"] == []
    renamed = program.ask("PATCH", path, {"name": "Anna Berg"})
    assert json.loads(renamed.body)["name"] == "Anna Berg"
    assert program.post("/subscribers", ANNA)["name"] == "Anna"
    left = program.post(f"{path}/unsubscribe")
    assert left["status"] == "unsubscribed"
    assert program.post(f"{path}/unsubscribe") == left
    answer = program.ask("POST", "/subscribers", ANNA)
    assert (answer.status, problem(answer)) == (409, "conflict")
    assert "again" in json.loads(answer.body)["detail"]
    assert program.post("/subscribers", ANNA | {"again": True})["status"] == "confirmed"


def test_an_erased_reader_is_gone_from_everywhere(console: Console, program: Program) -> None:
    added = program.post("/subscribers", ANNA, key="k", status=201)
    path = f"/subscribers/{added['subscriber']}"
    assert program.ask("DELETE", path).status == 204
    assert program.ask("DELETE", path).status == 404
    assert b"anna@daily" not in console.readers.bytes_on_disk()
    answer = program.ask("POST", "/subscribers", ANNA)
    assert (answer.status, problem(answer)) == (409, "conflict")
    kept = program.get("/suppressions")["suppressions"]
    assert [(each["reason"], each["email"]) for each in kept] == [("erased", None)]
    answer = program.ask("DELETE", f"/suppressions/{kept[0]['suppression']}")
    assert (answer.status, problem(answer)) == (409, "conflict")


def test_who_is_to_confirm_is_asked(console: Console, program: Program) -> None:
    added = program.post("/subscribers", ANNA | {"unconfirmed": True}, status=201)
    assert added["status"] == "unconfirmed"
    with console.database.read() as connection:
        (purpose,) = connection.exec_driver_sql("SELECT purpose FROM mailing").scalars()
    assert purpose == "confirmation"


def test_an_address_is_suppressed_and_let_go(program: Program) -> None:
    program.post("/subscribers", ANNA, status=201)
    made = program.post("/suppressions", {"email": ANNA["email"]}, status=201)
    assert (made["reason"], made["email"]) == ("operator", ANNA["email"])
    assert program.post("/suppressions", {"email": ANNA["email"]}) == made
    assert program.get("/subscribers")["subscribers"][0]["suppressed"] is True
    assert program.get("/suppressions?reason=bounce")["suppressions"] == []
    path = f"/suppressions/{made['suppression']}"
    assert program.ask("DELETE", path).status == 204
    assert program.ask("DELETE", path).status == 404
    assert program.get("/subscribers")["subscribers"][0]["suppressed"] is False


@pytest.mark.parametrize("email", ["no!", "a@b", "a b@c.example", "a@b.example\x00"])
def test_what_is_no_address_is_refused(program: Program, email: str) -> None:
    for path in ("/subscribers", "/suppressions"):
        answer = program.ask("POST", path, {"email": email})
        assert (answer.status, problem(answer)) == (422, "invalid")


def test_nothing_personal_is_logged(
    console: Console, program: Program, capfd: pytest.CaptureFixture[str]
) -> None:
    program.post("/subscribers", ANNA, status=201)
    program.get("/subscribers?search=anna@daily.example")
    program.ask("POST", "/subscribers", ANNA | {"nothing": 1})
    with console.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE consent RENAME TO gone")
    assert program.ask("GET", "/subscribers?search=anna").status == 200
    ref = program.get("/subscribers")["subscribers"][0]["subscriber"]
    answer = program.ask("GET", f"/subscribers/{ref}")
    assert problem(answer) in ("defect", "unavailable")
    said = "".join(capfd.readouterr())
    assert "anna" not in said + answer.text
    assert program.secret not in said
