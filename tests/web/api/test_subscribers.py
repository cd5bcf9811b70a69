"""Readers and suppressions by the API."""

import json
from pathlib import Path

import pytest

from publisher.audience.choosing import read_tags
from tests.web.api.site import Program, enter, problem
from tests.web.console.site import Console, run_console

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


def test_what_a_reader_gets_is_changed_within_what_is_offered(tmp_path: Path) -> None:
    with run_console(tmp_path, choices={"tags": ["Economy", "电影", "Ships"]}) as console:
        program = enter(console)
        added = program.post("/subscribers", ANNA, status=201)
        assert (added["content"], added["tags"], added["frequency"]) == ("full", [], "daily")
        path = f"/subscribers/{added['subscriber']}"
        wanted = {"content": "headlines", "tags": ["ECONOMY", "电影"]}
        changed = json.loads(program.ask("PATCH", path, wanted).body)
        assert changed["name"] == ANNA["name"]
        assert changed["tags"] == list(read_tags(["economy", "电影"]))
        assert program.get(path) == changed
        for refused, why in (
            ({"tags": ["sport"]}, "the tags sport are not offered"),
            ({"frequency": "weekly"}, "weekly is not offered"),
        ):
            answer = program.ask("PATCH", path, refused)
            assert (answer.status, problem(answer)) == (422, "invalid")
            assert why in json.loads(answer.body)["detail"]
        assert program.ask("PATCH", path, {"content": "short"}).status == 422
        assert program.get(path) == changed
        for everything in ([], ["economy", "ships", "电影"]):
            program.ask("PATCH", path, {"tags": ["ships"]})
            assert program.ask("PATCH", path, {"tags": everything}).status == 200
            assert program.get(path)["tags"] == []
        deeds = [deed[1] for deed in console.done() if deed[1].startswith("reader")]
        assert deeds == [*["reader's choices changed"] * 5, "reader added"]
