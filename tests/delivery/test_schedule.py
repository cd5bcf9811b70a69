"""Schedules on a real folder: what fires, what waits, and what is shown of it (promise 8)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from publisher.runtime.newsroom import Folder
from publisher.runtime.scheduler import Scheduler, Told
from publisher.settings import load_settings
from tests.delivery.post import NAME, Post

ADA = "ada@reader.example"
EVERY_MINUTE = '[[schedule]]\nname = "daily"\ncron = "* * * * *"\n{more}'
MINUTE = timedelta(minutes=1)


class Clockwork:
    """A schedule of every minute, whose ticks are at times that a test names."""

    def __init__(self, post: Post, more: str = 'catch_up = "10m"\nsettle = "0s"\n') -> None:
        self.post = post
        post.configure(EVERY_MINUTE.format(more=more))
        self.told: list[Told] = []
        self.start = datetime.now(UTC).replace(second=0, microsecond=0) + 2 * MINUTE
        self.tick(-1)

    def tick(self, minutes: float) -> list[str]:
        """Tick so many minutes after the start; give what was told."""
        before = len(self.told)
        database = self.post.open()
        settings = load_settings(self.post.folder / "publisher.toml", {})
        scheduler = Scheduler(
            database, settings, Folder(self.post.folder, settings), self.told.append
        )
        scheduler.tick(self.start + minutes * MINUTE)
        database.close()
        return [told.event for told in self.told[before:]]


def _rows(post: Post, sql: str) -> list[tuple[Any, ...]]:
    database = post.open()
    with database.read() as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql(sql)]
    database.close()
    return rows


@pytest.fixture
def today(post: Post) -> datetime:
    """The post's issue is of now, so that it is not too old."""
    moment = datetime.now(UTC) - timedelta(minutes=5)
    post.cli.issue(NAME, date=moment.isoformat(timespec="seconds"))
    return moment


def test_what_is_due_is_built_published_and_mailed_once(post: Post, today: datetime) -> None:
    post.subscribe([ADA])
    clockwork = Clockwork(post)
    assert clockwork.tick(0) == ["fired"]
    assert (post.folder / "public" / "issues" / NAME / "index.html").exists()
    assert post.counts() == {"queued": 1}
    assert clockwork.tick(0) == []
    assert clockwork.tick(0.5) == []
    assert post.send().status == 0
    assert post.arrived() == {ADA: 1}


def test_before_it_was_seen_first_nothing_was_missed(post: Post, today: datetime) -> None:
    post.subscribe([ADA])
    Clockwork(post)
    assert _rows(post, "SELECT * FROM occurrence") == []


def test_a_late_editor_is_still_served_and_somebody_is_told_at_once(post: Post) -> None:
    post.subscribe([ADA])
    post.cli.issue(NAME, status="draft", date=datetime.now(UTC).isoformat(timespec="seconds"))
    clockwork = Clockwork(post)
    assert clockwork.tick(0) == ["waiting"]
    assert NAME in clockwork.told[-1].reason
    assert "draft" in clockwork.told[-1].reason
    post.cli.issue(NAME, date=datetime.now(UTC).isoformat(timespec="seconds"))
    assert clockwork.tick(0.9) == ["fired"]


def test_after_catch_up_it_is_missed(post: Post) -> None:
    clockwork = Clockwork(post, 'catch_up = "30s"\n')
    clockwork.tick(0)
    assert clockwork.tick(0.8) == ["missed"]
    shown = post.cli("schedule", "--json").json["schedules"][0]
    assert (shown["name"], shown["cron"]) == ("daily", "* * * * *")
    assert shown["next"] is not None


def test_the_newest_is_taken_and_the_others_are_superseded(post: Post, today: datetime) -> None:
    post.subscribe([ADA])
    for hours in (3, 2):
        name = f"older-{hours}"
        post.cli.issue(name, date=(today - timedelta(hours=hours)).isoformat(timespec="seconds"))
    clockwork = Clockwork(post)
    assert clockwork.tick(0) == ["fired"]
    assert "older-2, older-3" in clockwork.told[-1].reason
    assert clockwork.tick(1) == ["waiting"]
    assert post.cli("status", "older-2", "--json").json["mailing"] is None
    assert post.cli("send", "older-2", "--yes").status == 0


def test_a_file_that_was_just_written_is_left_alone(post: Post, today: datetime) -> None:
    post.subscribe([ADA])
    clockwork = Clockwork(post, 'settle = "30m"\n')
    assert clockwork.tick(0) == []
    assert post.counts() == {}
    assert clockwork.tick(40) == ["fired"]


def test_errors_keep_it_open_and_are_told(post: Post, today: datetime) -> None:
    post.subscribe([ADA])
    post.cli.issue("broken", body="## No id\n\nText.\n", date="2020-01-01T00:00:00Z")
    clockwork = Clockwork(post)
    assert clockwork.tick(0) == ["failed"]
    assert "issues/broken.md" in clockwork.told[-1].reason
    (post.folder / "issues/broken.md").unlink()
    assert clockwork.tick(0.5) == ["fired"]


def test_a_schedule_and_an_operator_at_once_are_one_mailing(post: Post, today: datetime) -> None:
    post.subscribe([ADA])
    clockwork = Clockwork(post)
    sending = post.start("send", NAME, "--yes")
    clockwork.tick(0)
    sending.communicate(timeout=60)
    post.send()
    assert post.arrived() == {ADA: 1}
    assert len(_rows(post, "SELECT id FROM mailing")) == 1


def test_run_once_does_what_is_due_and_returns(post: Post, today: datetime) -> None:
    post.subscribe([ADA])
    post.configure(EVERY_MINUTE.format(more='settle = "0s"\n'))
    assert post.cli("run", "--once", "--json").json == {"mailings": []}
    database = post.open()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE schedule SET first_seen_at = first_seen_at - 120000")
    database.close()
    outcome = post.cli("run", "--once", "--json")
    assert outcome.status == 0, outcome
    (mailing,) = outcome.json["mailings"]
    assert mailing["status"] == "finished"
    assert post.arrived() == {ADA: 1}
    assert post.cli("run", "--once").status == 0
    last = post.cli("schedule", "--json").json["schedules"][0]["last"]
    assert (last["outcome"], last["issue"]) == ("fired", NAME)


def test_run_once_goes_on_with_what_a_dead_process_left(post: Post) -> None:
    readers = post.subscribe(40)
    post.server.delay = 0.01
    sending = post.start("send", NAME, "--yes")
    while len(post.server.messages) < 5:
        assert sending.poll() is None
    sending.kill()
    sending.communicate()
    assert post.cli("run", "--once").status == 0
    assert set(post.arrived()) == set(readers)
