"""Webhooks: what happens is told in its order, signed, at least once, and of nobody by address."""

import hmac
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from publisher.audience.address import parse_address
from publisher.audience.subscribing import make_refs, subscribe
from publisher.model.audience import Consent
from publisher.model.events import EVENT_KINDS
from publisher.render.urls import Urls
from publisher.runtime.alerts import Alerts
from publisher.runtime.events import Collecting, Published
from publisher.runtime.outward import Answer
from publisher.runtime.webhooks import Post, Telling, follow_webhooks, post_event
from publisher.settings import Settings, Webhook, parse_settings
from publisher.site.register import Record, append_register
from publisher.store.alerts import find_raised
from publisher.store.bounces import find_reached, record
from publisher.store.erasing import erase
from publisher.store.events import count_events, queue_again
from publisher.store.mailings import change_mailing
from publisher.store.starting import NewMailing, start_issue_mailing
from publisher.store.subscribers import change_status
from tests.audience.readers import URI, Readers

ADA = "ada@reader.example"
SECRET = "a secret of some length"


class Ear:
    """A server on loopback that hears events; `statuses` are answered first, then 204."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.statuses: list[int] = []
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ear.heard.append((self.headers["Publisher-Signature"], body))
                self.send_response(ear.statuses.pop(0) if ear.statuses else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hear?key=x"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.heard]

    @property
    def kinds(self) -> list[str]:
        return [each["type"] for each in self.events]


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    Thread(target=ear.server.serve_forever, daemon=True).start()
    yield ear
    ear.server.shutdown()
    ear.server.server_close()


class Scene:
    """A publication with a webhook, and a clock that tests put forward."""

    def __init__(self, folder: Path, ear: Ear, **more: Any) -> None:
        self.folder = folder
        self.readers = Readers(folder)
        self.database = self.readers.database
        self.now = datetime.now(UTC)
        self.said: list[str] = []
        self.settings = make_settings(ear.url, **more)
        follow_webhooks(folder, self.settings, self.database)
        alerts = Alerts(self.database, self.settings, self.said.append)
        self.warn = alerts.warn_of_webhook

    def look(self, post: Post = post_event) -> None:
        """Do what the process of webhooks does about once a second."""
        webhook = self.settings.webhook[0]
        published = Published(self.folder, self.settings)
        urls = Urls("https://daily.example")
        collecting = Collecting(self.database, published, urls, webhook.events, lambda: self.now)
        Telling(
            *(self.database, webhook, collecting, URI, self.said.append, self.warn, post),
            clock=lambda: self.now,
            chance=lambda: 0.5,
        ).look(Event())

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def subscribe(self, email: str = ADA) -> int:
        with self.database.write() as connection:
            subscribe(
                connection,
                self.database.publication,
                parse_address(email),
                "Ada",
                secret=self.readers.secret,
                ref=make_refs(lambda n: bytes(range(n)), 1)[0],
                at=self.now,
                source="operator",
                action="vouched",
            )
        return self.readers.get(email).id

    def leave(self, subscriber: int) -> None:
        consent = Consent(at=self.now, action="unsubscribed", source="link", origin="203.0.113.9")
        with self.database.write() as connection:
            change_status(connection, self.database.publication, subscriber, consent)

    def start(self, slug: str = "2025-12-15") -> int:
        new = NewMailing(
            ref=f"m{slug.replace('-', '')}",
            issue=f"issue-{slug}",
            slug=slug,
            purpose="issue",
            digest="d",
            content=b"",
            domain="daily.example",
        )
        with self.database.write() as connection:
            mailing = start_issue_mailing(connection, self.database.publication, new, self.now)
        return mailing.id

    def change(self, mailing: int, event: str) -> None:
        with self.database.write() as connection:
            change_mailing(
                connection, self.database.publication, mailing, event, self.now, reason=f"by {ADA}"
            )

    def counts(self) -> dict[str, int]:
        with self.database.read() as connection:
            found = count_events(connection, self.database.publication)
        return {status: number for (_, status), number in found.items()}

    def raised(self) -> set[str]:
        with self.database.read() as connection:
            return find_raised(connection, self.database.publication, ["webhook-given-up"])


def make_settings(here: str, **more: Any) -> Settings:
    webhook = {"url": here, "secret": SECRET, "events": list(EVENT_KINDS), "allow_private": True}
    return parse_settings(
        {
            "publication": {
                "id": URI,
                "title": "The Daily",
                "url": "https://daily.example",
                "time_zone": "UTC",
            },
            "webhook": [webhook | more],
        }
    )


@pytest.fixture
def scene(tmp_path: Path, ear: Ear) -> Iterator[Scene]:
    scene = Scene(tmp_path, ear)
    yield scene
    scene.database.close()


def test_a_journey_is_told_in_order_signed_and_without_an_address(scene: Scene, ear: Ear) -> None:
    ada = scene.subscribe()
    record_ = Record(
        id="issue-2025-12-15",
        kind="issue",
        published=scene.now - timedelta(days=3),
        updated=scene.now,
        hash="h",
        slug="2025-12-15",
    )
    (scene.folder / "issues").mkdir()
    append_register(scene.folder, URI, [record_])
    scene.wait(60)
    mailing = scene.start()
    for event in ("paused", "resumed"):
        scene.wait(1)
        scene.change(mailing, event)
    scene.wait(1)
    with scene.database.write() as connection:
        reached = find_reached(connection, scene.database.publication, 1)
        assert reached
        said = f"550 5.1.1 <{ADA}> unknown"
        record(connection, scene.database.publication, reached, "bounced", said, scene.now)
    scene.wait(1)
    scene.leave(ada)
    scene.wait(1)
    scene.change(mailing, "stopped")
    scene.look()
    assert ear.kinds == [
        *("subscriber.confirmed", "issue.published", "mailing.started", "mailing.paused"),
        *("mailing.resumed", "delivery.bounced", "subscriber.unsubscribed", "mailing.cancelled"),
    ]
    for header, body in ear.heard:
        stamp, mac = header.split(",")
        signed = stamp.removeprefix("t=").encode() + b"." + body
        assert mac == "v1=" + hmac.new(SECRET.encode(), signed, "sha256").hexdigest()
    text = b"".join(body for _, body in ear.heard).decode()
    assert not any(each in text for each in (ADA, "Ada", "203.0.113.9"))
    ref = scene.readers.get(ADA).ref
    bounced = ear.events[5]
    assert bounced["data"] == {
        "mailing": "m20251215",
        "issue": "issue-2025-12-15",
        "slug": "2025-12-15",
        "delivery": 1,
        "purpose": "issue",
        "reason": "bounced",
        "code": "5.1.1",
        "subscriber": ref,
    }
    assert ear.events[6]["data"] == {"source": "link", "subscriber": ref}
    assert ear.events[1]["data"]["url"] == "https://daily.example/issues/2025-12-15/"
    assert ear.events[2]["publication"] == URI
    assert len({each["id"] for each in ear.events}) == len(ear.events)
    scene.look()
    assert len(ear.heard) == 8
    assert scene.counts() == {"told": 8}


def test_an_address_is_told_where_it_is_wanted_and_a_kind_only_where_it_is(
    tmp_path: Path, ear: Ear
) -> None:
    scene = Scene(tmp_path, ear, include_email=True, events=["subscriber.confirmed"])
    scene.leave(scene.subscribe())
    scene.start()
    scene.look()
    assert ear.kinds == ["subscriber.confirmed"]
    assert ear.events[0]["data"]["email"] == ADA
    scene.database.close()


def test_what_did_not_happen_is_not_told(scene: Scene, ear: Ear) -> None:
    mailing = scene.start()
    with suppress(RuntimeError), scene.database.write() as connection:
        change_mailing(connection, scene.database.publication, mailing, "paused", scene.now)
        raise RuntimeError("the transaction is taken back")
    scene.look()
    assert ear.kinds == ["mailing.started", "mailing.finished"]


def test_all_wait_in_their_order_while_a_server_fails(scene: Scene, ear: Ear) -> None:
    ear.statuses = [503, 429]
    mailing = scene.start("2025-12-15")
    assert mailing
    scene.look()
    assert ear.kinds == ["mailing.started"]
    scene.look()
    assert len(ear.heard) == 1  # it waits
    scene.wait(6)
    scene.look()
    assert ear.kinds == ["mailing.started"] * 2
    scene.wait(6)
    scene.look()
    assert len(ear.heard) == 2  # longer
    scene.wait(6)
    scene.look()
    assert ear.kinds[2:] == ["mailing.started", "mailing.finished"]
    assert len({each["id"] for each in ear.events[:3]}) == 1
    assert len({header for header, _ in ear.heard[:3]}) == 3  # each try is signed anew


def test_what_is_refused_by_itself_keeps_no_others(scene: Scene, ear: Ear) -> None:
    ear.statuses = [422]
    scene.start()
    scene.look()
    assert ear.kinds == ["mailing.started", "mailing.finished"]
    assert scene.counts() == {"queued": 1, "told": 1}
    scene.wait(10)
    scene.look()
    assert ear.kinds[2:] == ["mailing.started"]
    assert scene.counts() == {"told": 2}


def test_what_breaks_a_server_is_put_off_by_itself_in_the_end(scene: Scene, ear: Ear) -> None:
    ear.statuses = [500] * 5
    scene.start()
    for _ in range(5):
        scene.look()
        scene.wait(7_200)
    assert ear.kinds == ["mailing.started"] * 5 + ["mailing.finished"]


def test_after_a_day_it_is_given_up_shown_and_over_when_it_hears_again(
    scene: Scene, ear: Ear
) -> None:
    def is_down(webhook: Webhook, body: bytes, headers: dict[str, str]) -> Answer:
        return Answer(fault="no answer (ConnectionRefusedError)")

    scene.start()
    for _ in range(30):
        scene.look(is_down)
        assert scene.counts().get("given_up", 0) == 0 or scene.raised() == {"127.0.0.1"}
        scene.wait(3_600)
    assert scene.counts() == {"given_up": 2}
    assert scene.raised() == {"127.0.0.1"}
    assert "key=x" not in "".join(scene.said)
    scene.start("2025-12-16")
    scene.wait(3_600)
    scene.look()
    assert ear.kinds == ["mailing.started", "mailing.finished"]
    assert scene.raised() == set()


def test_what_was_given_up_is_told_after_all_where_an_operator_wants_it(
    scene: Scene, ear: Ear
) -> None:
    def refuses(webhook: Webhook, body: bytes, headers: dict[str, str]) -> Answer:
        ear.heard.append((headers["Publisher-Event"], body))
        return Answer(status=410)

    scene.start()
    for _ in range(30):
        scene.look(refuses)
        scene.wait(3_600)
    assert scene.counts() == {"given_up": 2}
    before = {each["id"] for each in ear.events}
    ear.heard.clear()
    with scene.database.write() as connection:
        assert queue_again(connection, scene.database.publication, scene.now) == 2
    scene.look()
    assert ear.kinds == ["mailing.started", "mailing.finished"]
    assert {each["id"] for each in ear.events} == before
    assert scene.counts() == {"told": 2}


def test_a_crash_behind_the_answer_tells_it_again_by_the_same_name(scene: Scene, ear: Ear) -> None:
    def die(webhook: Webhook, body: bytes, headers: dict[str, str]) -> Answer:
        post_event(webhook, body, headers)
        raise KeyboardInterrupt

    scene.start()
    with pytest.raises(KeyboardInterrupt):
        scene.look(die)
    scene.look()
    assert ear.kinds == ["mailing.started", "mailing.started", "mailing.finished"]
    assert ear.events[0]["id"] == ear.events[1]["id"]


def test_nothing_of_an_erased_reader_is_told(scene: Scene, ear: Ear) -> None:
    ada = scene.subscribe()
    ear.statuses = [503]
    scene.look()
    with scene.database.write() as connection:
        erase(connection, scene.database.publication, ada, scene.now)
    scene.wait(10)
    scene.look()
    assert ear.events[1]["data"] == {"source": "operator", "subscriber": None}


def test_a_new_webhook_is_told_nothing_old_and_one_that_is_gone_nothing_more(
    scene: Scene, ear: Ear
) -> None:
    scene.start()
    other = make_settings("http://127.0.0.1:1/other")
    follow_webhooks(scene.folder, other, scene.database)
    scene.look()
    follow_webhooks(scene.folder, scene.settings, scene.database)
    scene.look()
    assert ear.heard == []
    scene.start("2025-12-16")
    scene.look()
    assert [each["data"]["slug"] for each in ear.events] == ["2025-12-16"] * 2


def test_a_private_network_is_told_nothing(tmp_path: Path, ear: Ear) -> None:
    url = ear.url.replace("http:", "https:")
    scene = Scene(tmp_path, ear, url=url, allow_private=False)
    scene.start()
    scene.look()
    assert ear.heard == []
    assert scene.counts() == {"queued": 2}
    assert any("its host is in a private network" in line for line in scene.said)
    scene.database.close()
