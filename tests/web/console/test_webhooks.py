"""Webhooks: what a program was not told is listed with its last reply, and owners have it tried."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from publisher.runtime.webhooks import follow_webhooks
from publisher.store import events
from publisher.store import schema as s
from tests.web.console.site import Console, run_console

URL = "https://hooks.example/hear?key=hush"
HOOK = {
    "url": URL,
    "secret": "a secret of some length",
    "events": ["mailing.finished", "subscriber.confirmed"],
}


@pytest.fixture
def hooked(tmp_path: Path) -> Iterator[Console]:
    with run_console(tmp_path, webhook=[HOOK]) as console:
        follow_webhooks(console.folder, console.settings, console.database)
        yield console


def give_up(console: Console, number: int = 1, fault: str = "it answered 503") -> None:
    """Let so many events be given up after the webhook was to wait for an hour."""
    now, w, e = console.clock(), s.webhook.c, s.webhook_event.c
    with console.database.write() as connection:
        webhook = connection.execute(select(w.id)).scalar_one()
        row = {"publication": console.database.publication, "webhook": webhook, "at": now}
        rows = [
            row
            | {"ref": f"evt_{place}", "kind": "mailing.finished", "queued_at": now}
            | {"data": f'{{"slug": "issue-{place}"}}'}
            for place in range(number)
        ]
        connection.execute(insert(s.webhook_event), rows)
        for event in connection.execute(select(e.id)).scalars():
            events.give_up(connection, event, now, fault)
        events.let_wait(connection, webhook, now + timedelta(hours=1))


def standing(console: Console) -> list[tuple[str, int, bool]]:
    """Of each event its status and tries, and whether it may be told at once."""
    now, e = console.clock(), s.webhook_event.c
    with console.database.read() as connection:
        rows = connection.execute(select(e.status, e.attempts).order_by(e.id)).all()
        following = events.find_following(connection, console.database.publication, URL)
    assert following is not None
    is_free = following.wait_until is None or following.wait_until <= now
    return [(status, attempts, is_free) for status, attempts in rows]


def test_what_was_given_up_is_listed_and_tried_again(hooked: Console) -> None:
    owner = hooked.enter("owner")
    assert "Nothing was given up" in owner.get("/webhooks").text
    give_up(hooked, 2, "it answered 503 <i>")
    page = owner.get("/webhooks").text
    for text in ("hooks.example", "issue-1", "evt_1", "it answered 503 &lt;i&gt;", "after 1 try"):
        assert text in page
    assert "hush" not in page
    path = re.findall(r'action="(/webhooks/\d+/retry)"', page)[0]
    assert owner.post(path).headers["location"] == "/webhooks"
    assert standing(hooked) == [("given_up", 1, True), ("queued", 0, True)]
    page = owner.get("/webhooks").text
    assert "hooks.example is told of it again" in page
    assert "evt_1" not in page
    assert hooked.done()[0][1:] == ("event queued again", "mailing.finished evt_1")
    assert owner.post(path).status == 404


def test_all_of_it_is_tried_again_at_once(hooked: Console) -> None:
    owner = hooked.enter("owner")
    give_up(hooked, 3)
    assert owner.post("/webhooks/retry").status == 303
    assert standing(hooked) == [("queued", 0, True)] * 3
    assert "3 are told again" in owner.get("/webhooks").text
    deed = hooked.deeds()[0]
    assert (deed.action, deed.detail) == ("events queued again", "3")
    owner.post("/webhooks/retry")
    assert "Nothing was given up any more." in owner.get("/webhooks").text
    assert hooked.deeds()[0] == deed


def test_who_is_no_owner_sees_and_changes_nothing(hooked: Console) -> None:
    give_up(hooked)
    sender = hooked.enter("sender")
    page = sender.get("/webhooks").text
    assert "evt_0" in page
    assert "/retry" not in page
    for path in ("/webhooks/retry", "/webhooks/1/retry"):
        assert sender.post(path).status == 403
    assert standing(hooked) == [("given_up", 1, False)]


def test_many_stand_on_pages(hooked: Console) -> None:
    give_up(hooked, 60)
    owner = hooked.enter("owner")
    first = owner.get("/webhooks").text
    (older,) = re.findall(r'href="(/webhooks\?before=\d+)"', first)
    second = owner.get(older).text
    found = [re.findall(r"evt_\d+", page) for page in (first, second)]
    assert [len(each) for each in found] == [50, 10]
    assert not set(found[0]) & set(found[1])
    assert 'href="/webhooks"' in second


def test_another_publication_s_events_are_none_of_ours(hooked: Console) -> None:
    give_up(hooked)
    owner = hooked.enter("owner")
    with hooked.database.write() as connection:
        other = insert(s.publication).values(uri="tag:other.example,2025:x")
        row = connection.execute(other).inserted_primary_key
        assert row is not None
        for table in (s.webhook, s.webhook_event):
            connection.execute(update(table).values(publication=row[0]))
    assert "evt_0" not in owner.get("/webhooks").text
    assert owner.post("/webhooks/1/retry").status == 404
    owner.post("/webhooks/retry")
    with hooked.database.read() as connection:
        assert connection.execute(select(s.webhook_event.c.status)).scalar() == "given_up"


def test_without_webhooks_it_is_said_how_to_have_one(console: Console) -> None:
    page = console.enter("viewer").get("/webhooks").text
    assert "No program is told" in page
