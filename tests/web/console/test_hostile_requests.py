"""Who is hostile: what they ask for that is not theirs, and what they write into requests."""

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from publisher.audience.address import parse_address
from publisher.model.operators import Actor
from publisher.runtime.inviting import invite, make_token
from publisher.store import imports
from publisher.store import schema as s
from publisher.store.operators import save_operator
from publisher.store.plans import add_plan
from publisher.store.suppressions import suppress
from publisher.web.console.access import ACCESS
from publisher.web.console.throttle import PER_ACCOUNT
from tests.audience.readers import Readers
from tests.web.api.site import Program, enter
from tests.web.console.site import Console, run_console
from tests.web.console.test_readers import start_mailing
from tests.web.public.site import PATIENCE

ANNA, BERT, EVE = (f"{name}@daily.example" for name in ("anna", "bert", "eve"))
# The tables of what others have, by the parameters of routes that name a row of them.
_ROWS = {
    "delivery": s.delivery,
    "plan": s.planned_send,
    "operator": s.operator,
    "invitation": s.invitation,
    "token": s.api_token,
    "suppression": s.suppression,
    "run": s.imported,
}


class Neighbour:
    """Another publication in the same database, with something of everything."""

    def __init__(self, folder: Path) -> None:
        self.readers = Readers(folder, "tag:other.example,2025:test")
        self.readers.bring(f"email\n{ANNA}\n")
        start_mailing(self.readers, "monday")  # type: ignore[arg-type]
        now, them = datetime.now(UTC), Actor("them")
        publication = self.readers.database.publication
        with self.readers.database.write() as connection:
            person = {"email": BERT, "key": BERT, "name": "", "password_hash": ""}
            operator = save_operator(connection, publication, **person, role="viewer", now=now)
            invite(connection, publication, parse_address(EVE), "", "viewer", now)
            token: dict[str, Any] = {"name": "theirs", "scopes": ["issues:read"], "actor": them}
            token |= {"operator": operator, "now": now, "expires_at": None}
            make_token(connection, publication, **token)
            suppress(connection, publication, self.readers.hash(EVE), "operator", now)
            plan = {"issue": "x", "slug": "x", "digest": "0", "who": "them", "client": ""}
            add_plan(connection, publication, **plan, now=now)
            imports.begin(connection, publication, "theirs.csv", them, now)

    def state(self) -> list[Any]:
        with self.readers.database.read() as connection:
            return [connection.execute(select(table)).all() for table in self._tables()]

    def path(self, route: str) -> str:
        """A route's path to what is theirs."""
        route = route.replace("/readers/{ref}", f"/readers/{self.readers.get(ANNA).ref}")
        route = route.replace("/mailings/{ref}", "/mailings/ref-monday")
        with self.readers.database.read() as connection:
            for name, table in _ROWS.items():
                if f"{{{name}}}" in route:
                    ids = connection.execute(select(table.c.id)).scalars().all()
                    route = route.replace(f"{{{name}}}", str(max(ids)))
        return route

    def _tables(self) -> list[Any]:
        return [s.subscriber, s.consent, s.mailing, s.ledger, *_ROWS.values()]


@pytest.fixture
def neighbour(tmp_path: Path) -> Iterator[Neighbour]:
    neighbour = Neighbour(tmp_path)
    yield neighbour
    neighbour.readers.database.close()


def test_what_belongs_to_another_publication_is_not_there(
    tmp_path: Path, neighbour: Neighbour
) -> None:
    own = Readers(tmp_path)
    with run_console(tmp_path, own, smtp={"host": "127.0.0.1"}) as console:
        paths = {(way, route): neighbour.path(route) for way, route in ACCESS}
        owner, tried = console.enter("owner"), 0
        before = neighbour.state()
        for (way, route), path in paths.items():
            if path == route or "{" in path or "/import/" in path:  # named by a secret word
                continue
            tried += 1
            fields = {"role": "owner", "name": "x", "answer": "sent", "email": ANNA}
            answer = owner.get(path) if way == "GET" else owner.post(path, fields)
            assert answer.status in (303, 404), (way, path)
            for theirs in (ANNA, BERT, EVE, "theirs"):
                assert theirs not in answer.text, (way, path)
        assert tried > 25
        assert neighbour.state() == before
        assert [deed for deed in console.done() if deed[1] != "operator logged in"] == []
        _require_none_by_api(enter(console), neighbour)
        assert len(neighbour.state()[0]) == 1
    own.database.close()


def _require_none_by_api(program: Program, neighbour: Neighbour) -> None:
    suppression = neighbour.path("/suppressions/{suppression}")
    for way, path in (
        ("GET", neighbour.path("/readers/{ref}").replace("readers", "subscribers")),
        ("DELETE", neighbour.path("/readers/{ref}").replace("readers", "subscribers")),
        ("GET", "/mailings/ref-monday"),
        ("POST", "/mailings/ref-monday/cancel"),
        ("GET", "/mailings/ref-monday/deliveries"),
        ("DELETE", suppression),
    ):
        assert program.ask(way, path).status == 404, (way, path)
    assert program.get("/subscribers")["subscribers"] == []
    assert program.get("/suppressions")["suppressions"] == []


def test_tokens_of_who_was_removed_stay_dead_when_they_come_back(console: Console) -> None:
    owner, bert = console.enter("owner"), console.add(BERT, "sender")
    now = datetime.now(UTC)
    with console.database.write() as connection:
        secret = make_token(
            connection,
            console.database.publication,
            name="of bert",
            scopes=["issues:read"],
            operator=bert,
            actor=Actor(BERT),
            now=now,
            expires_at=None,
        )
    program = Program(console, secret)
    assert program.ask("GET", "/issues").status == 200
    assert owner.post(f"/operators/{bert}/remove").status == 303
    assert program.ask("GET", "/issues").status == 401
    assert console.add(BERT, "viewer") == bert
    assert program.ask("GET", "/issues").status == 401
    assert "of bert" not in owner.get("/tokens").text


@pytest.mark.parametrize("word", ["x%0d%0aSet-Cookie:%20y=z", "%E4%B8%AD", "%ff", "%00"])
def test_where_one_is_sent_on_is_one_line_of_ascii(console: Console, word: str) -> None:
    sender = console.enter("sender")
    for act in ("link", "confirmation"):
        answer = sender.post(f"/readers/{word}/{act}")
        assert answer.status == 303
        assert re.fullmatch(r"/readers/[!-~]+", answer.headers["location"])
        assert not [line for line in answer.cookies if line.startswith("y=")]


def test_an_address_that_was_too_long_to_come_back_to_is_left_out(console: Console) -> None:
    browser = console.browse()
    location = browser.get(f"/audit?who={'x' * 3_000}").headers["location"]
    assert browser.get(location).status == 200


def test_an_address_that_nobody_vouches_for_is_no_way_round_the_throttle(console: Console) -> None:
    console.add(ANNA)
    statuses = []
    for number in range(PER_ACCOUNT * 2):
        browser = console.browse()
        fields = {"email": ANNA, "password": "wrong", "next": "/"}
        headers = {
            "X-Forwarded-For": f"198.51.100.{number}",
            "Forwarded": f"for=198.51.100.{number}",
        }
        statuses.append(browser.post("/login", fields, headers).status)
    assert statuses == [422] * PER_ACCOUNT + [429] * PER_ACCOUNT


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/readers/import", "multipart/form-data; boundary=x"),
        ("/media", "multipart/form-data; boundary=x"),
        ("/issues/x/edit", "application/x-www-form-urlencoded"),
        ("/api/v1/issues", "text/markdown"),
    ],
)
def test_whose_upload_it_is_counts_before_it_is_read(
    console: Console, path: str, kind: str
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 900000\r\n"
    with socket.create_connection(("127.0.0.1", console.port), PATIENCE) as connection:
        connection.sendall(f"{head}\r\n--x\r\n".encode())
        assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_no_name_begins_another_line(console: Console) -> None:
    sender, program = console.enter("sender"), enter(console)
    for name in ("A\r\nBcc: x@x.example", "A\nB", "A\u2028B", "A\x00B", "A\x1bB"):
        fields = {"email": ANNA, "name": name, "how": "vouch", "again": ""}
        assert sender.post("/readers", fields).status == 422
        body = {"email": ANNA, "name": name}
        assert program.ask("POST", "/subscribers", body).status == 422
        for email in (f"anna@daily.example{name[1:]}", f'"{name}"@daily.example'):
            assert sender.post("/readers", fields | {"email": email, "name": ""}).status == 422
    assert console.readers.all() == []
