"""What an operator is told of: once, until it is over, by each way that is set."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from publisher.runtime import alerts
from publisher.runtime.alerts import Alerts
from publisher.runtime.roles import RelayWatch
from publisher.settings import load_settings
from publisher.store.database import Database
from tests.delivery.post import NAME, Post
from tests.runtime.hook import Hook
from tests.runtime.running import wait_until
from tests.smtp.scripted import CLOSE, Rule, say

NOW = datetime(2025, 12, 15, tzinfo=UTC)


class Desk:
    def __init__(self, post: Post, hook: Hook, email: str = "desk@ops.example") -> None:
        text = hook.settings + f'email = "{email}"\n'
        post.configure(text, on_in_doubt="hold", connections=1)
        self.post, self.hook = post, hook
        self.said: list[str] = []
        self.database: Database = post.open()
        settings = load_settings(post.folder / "publisher.toml", {})
        self.alerts = Alerts(self.database, settings, self.said.append)

    def look(self) -> list[str]:
        """Look three times; give the kinds that were told."""
        before = len(self.hook.alerts)
        for _ in range(3):
            self.alerts.look(NOW)
        return [each["kind"] for each in self.hook.alerts[before:]]


@pytest.fixture
def desk(post: Post, hook: Hook) -> Iterator[Desk]:
    desk = Desk(post, hook)
    yield desk
    desk.database.close()


def test_a_paused_mailing_is_told_with_its_reason_until_it_goes_on(desk: Desk) -> None:
    desk.post.subscribe(["ada@reader.example"])
    desk.post.server.rules.append(Rule("mail", say("550 5.7.1 not you")))
    desk.post.send()
    assert desk.look() == ["mailing-paused"]
    assert "not you" in desk.hook.alerts[0]["text"]
    assert desk.look() == []
    desk.post.cli("resume", NAME)
    assert desk.look() == []
    desk.post.cli("pause", NAME)
    assert desk.look() == ["mailing-paused"]


def test_doubts_that_are_held_are_told_with_what_to_do(desk: Desk) -> None:
    desk.post.subscribe(["ada@reader.example"])
    desk.post.server.rules.append(Rule("final_dot", CLOSE, is_accepted=True))
    assert desk.post.send().status == 4
    assert desk.look() == ["doubts-held"]
    assert f"publisher resolve {NAME}" in desk.hook.alerts[0]["text"]
    desk.post.cli("resolve", NAME, "--mark-sent")
    assert desk.look() == []


def test_a_disk_that_is_nearly_full_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage(desk.post.folder).free
    monkeypatch.setattr(alerts, "_LEAST_FREE", free * 2)
    assert desk.look() == ["disk-nearly-full"]
    monkeypatch.setattr(alerts, "_LEAST_FREE", 0)
    assert desk.look() == []


def test_a_relay_that_is_down_is_told_beside_the_loop(desk: Desk) -> None:
    watch = RelayWatch(desk.alerts)
    for _ in range(5):
        watch.note({"relay": "The mail relay cannot be reached."}, NOW)
    wait_until(lambda: desk.hook.alerts, "it is told", 10)
    watch.note({}, NOW)
    assert [each["kind"] for each in desk.hook.alerts] == ["relay-down"]


def test_an_alert_is_mailed_and_posted_as_described(desk: Desk) -> None:
    desk.alerts.tell("kind", "about", "What is: a\x00 reason\n.", NOW)
    assert desk.hook.alerts == [
        {
            "kind": "kind",
            "about": "about",
            "text": "What is: a\x00 reason\n.",
            "at": NOW.isoformat(),
            "publication": "tag:daily.example,2025:test",
        }
    ]
    assert desk.post.cli("run", "--once").status == 0
    (message,) = desk.post.messages()
    assert message["Subject"] == "The Test Daily: What is"
    assert message["To"] == "desk@ops.example"
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_webhook_that_fails_is_said_and_stops_nothing(post: Post, hook: Hook) -> None:
    hook.status = 503
    desk = Desk(post, hook, email="")
    desk.alerts.tell("kind", "about", "Text.", NOW)
    assert desk.said == ["alert: Text.", "alerts.webhook could not be called: it answered 503"]
    hook.__exit__()
    desk.alerts.tell("kind", "other", "Text.", NOW)
    assert desk.said[-1] == "alerts.webhook could not be called: ConnectError"
    desk.database.close()


def test_without_a_relay_no_alert_is_put_by(post: Post, hook: Hook) -> None:
    """It would arrive when there is one, in a month."""
    desk = Desk(post, hook)
    settings = load_settings(post.folder / "publisher.toml", {"PUBLISHER_EMAIL__FROM": ""})
    Alerts(desk.database, settings, desk.said.append).tell("kind", "about", "Text.", NOW)
    assert "email.from must be set" in desk.said[1]
    with desk.database.read() as connection:
        assert not connection.exec_driver_sql("SELECT id FROM mailing").all()
    desk.database.close()
