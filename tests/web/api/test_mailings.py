"""Mailings by the API: what was approved is what is sent, once, and how it stands is seen."""

import json
from typing import Any

import pytest
from sqlalchemy import update

from publisher.store import schema as s
from publisher.store.arming import disarm
from tests.web.api.site import NAME, SOURCE, Program, enter, problem
from tests.web.console.site import Console


@pytest.fixture
def ready(program: Program) -> Program:
    program.add_issue()
    for name in ("anna", "bob", "eve"):
        program.post("/subscribers", {"email": f"{name}@daily.example"}, status=201)
    return program


def start(program: Program, digest: str | None = None) -> Any:
    return program.post("/mailings", {"issue": NAME, "digest": digest}, status=201)


def set_status(console: Console, status: str) -> None:
    with console.database.write() as connection:
        connection.execute(update(s.delivery).values(status=status, last_reply="550 <x@y.example>"))


def test_what_was_approved_is_sent(console: Console, ready: Program) -> None:
    seen = ready.get(f"/issues/{NAME}/dry-run")
    assert (seen["mailing"], seen["recipients"]) == (None, 3)
    sent = start(ready, seen["digest"])
    assert sent["digest"] == seen["digest"]
    assert sent["counts"]["queued"] == 3
    assert ready.get(f"/mailings/{sent['mailing']}") == sent
    assert ready.get(f"/issues/{NAME}")["mailing"] == sent["mailing"]
    assert (console.folder / "public" / "issues" / NAME / "index.html").exists()
    who, action, about = console.done()[0]
    assert (who, action, about) == ("token program", "mailing started", NAME)


def test_what_has_changed_since_is_not(console: Console, ready: Program) -> None:
    digest = ready.get(f"/issues/{NAME}/dry-run")["digest"]
    path = console.folder / "issues" / f"{NAME}.md"
    path.write_text(path.read_text().replace("at night", "by day"))
    answer = ready.ask("POST", "/mailings", {"issue": NAME, "digest": digest})
    assert (answer.status, problem(answer)) == (409, "digest-changed")
    assert ready.get("/mailings")["mailings"] == []


def test_the_digest_is_to_be_named(ready: Program) -> None:
    answer = ready.ask("POST", "/mailings", {"issue": NAME})
    assert (answer.status, problem(answer)) == (422, "invalid")
    assert "digest" in json.loads(answer.body)["detail"]


@pytest.mark.parametrize(
    ("old", "new", "status", "kind"),
    [
        ("status: ready", "status: draft", 422, "content"),
        ("2025-12-15T", "2099-12-15T", 422, "content"),
        ("status: ready", "status: ready\nmail: false", 409, "conflict"),
    ],
)
def test_what_is_not_meant_to_go_out_does_not(
    program: Program, old: str, new: str, status: int, kind: str
) -> None:
    program.post("/subscribers", {"email": "anna@daily.example"}, status=201)
    program.add_issue(SOURCE.replace(old, new))
    for answer in (
        program.ask("POST", "/mailings", {"issue": NAME, "digest": None}),
        program.ask("GET", f"/issues/{NAME}/dry-run"),
    ):
        assert (answer.status, problem(answer)) == (status, kind)


def test_nothing_is_sent_while_the_site_has_errors(console: Console, ready: Program) -> None:
    (console.folder / "issues" / "2025-12-14.md").write_text(SOURCE.replace("2025-12-15T", "some "))
    answer = ready.ask("POST", "/mailings", {"issue": NAME, "digest": None})
    assert (answer.status, problem(answer)) == (422, "content")
    assert json.loads(answer.body)["problems"]


def test_nothing_is_sent_to_nobody_nor_by_a_copy(console: Console, program: Program) -> None:
    program.add_issue()
    body = {"issue": NAME, "digest": None}
    assert problem(program.ask("POST", "/mailings", body)) == "conflict"
    with console.database.write() as connection:
        disarm(connection, console.database.publication, console.clock())
    answer = program.ask("POST", "/mailings", body)
    assert (answer.status, problem(answer)) == (409, "conflict")
    assert "publisher arm" in json.loads(answer.body)["detail"]
    assert program.get("/schedules")["off"]


def test_a_mailing_is_paused_resumed_and_cancelled(console: Console, ready: Program) -> None:
    path = f"/mailings/{start(ready)['mailing']}"
    assert ready.post(f"{path}/pause")["mailing"]["status"] == "paused"
    assert ready.post(f"{path}/pause")["changed"] == 0
    again = ready.ask("POST", "/mailings", {"issue": NAME, "digest": None})
    assert (again.status, problem(again)) == (409, "conflict")
    assert ready.post(f"{path}/resume")["mailing"]["status"] == "sending"
    after = ready.post(f"{path}/cancel")["mailing"]
    assert (after["status"], after["counts"]["cancelled"]) == ("cancelled", 3)
    answer = ready.ask("POST", f"{path}/resume")
    assert (answer.status, problem(answer)) == (409, "conflict")
    actions = [action for _, action, _ in console.done()]
    assert actions[:3] == ["mailing cancelled", "mailing resumed", "mailing paused"]


def test_deliveries_are_retried_and_doubts_settled(console: Console, ready: Program) -> None:
    path = f"/mailings/{start(ready)['mailing']}"
    set_status(console, "failed")
    assert ready.post(f"{path}/retry")["changed"] == 3
    set_status(console, "in_doubt")
    one = {"how": "mark-sent", "email": "Anna@daily.example"}
    assert ready.post(f"{path}/resolve", one)["mailing"]["counts"]["in_doubt"] == 2
    assert ready.post(f"{path}/resolve", {"how": "resend"})["changed"] == 2
    answer = ready.ask("POST", f"{path}/resolve", {"how": "resend", "email": "x@y.example"})
    assert (answer.status, problem(answer)) == (409, "conflict")


def test_deliveries_are_found_by_status_and_address(console: Console, ready: Program) -> None:
    path = f"/mailings/{start(ready)['mailing']}/deliveries"
    shown = ready.get(path)["deliveries"]
    assert [each["email"] for each in shown] == [
        f"{n}@daily.example" for n in ("anna", "bob", "eve")
    ]
    assert set(shown[0]) == {
        *("email", "status", "attempts", "message_id", "last_reply", "next_attempt_at"),
        *("relay", "content", "highlights"),
    }
    assert [each["email"] for each in ready.get(f"{path}?search=BOB")["deliveries"]] == [
        "bob@daily.example"
    ]
    assert ready.get(f"{path}?status=sent")["deliveries"] == []
    viewer = enter(console, ["mailings:read"], name="viewer")
    assert viewer.ask("GET", path).status == 403


def test_single_messages_are_no_mailings_here(console: Console, ready: Program) -> None:
    body = {"email": "new@daily.example", "unconfirmed": True}
    ready.post("/subscribers", body, status=201)
    with console.database.read() as connection:
        refs = connection.exec_driver_sql("SELECT ref FROM mailing").scalars().all()
    assert len(refs) == 1
    assert ready.ask("GET", f"/mailings/{refs[0]}").status == 404
    assert ready.get("/mailings")["mailings"] == []
