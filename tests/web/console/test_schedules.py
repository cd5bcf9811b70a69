"""The schedules' page: what each does next and why, what came of it, what went wrong."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from publisher.mailing.rest import Rest, leave_alone
from publisher.runtime.alerts import Alerts
from publisher.runtime.newsroom import Folder
from publisher.runtime.scheduler import Scheduler
from publisher.store import schema as s
from publisher.store.relays import count_messages, note_standing
from tests.web.console.site import Console, run_console
from tests.web.console.test_home import todo, write

OSLO = ZoneInfo("Europe/Oslo")
DAILY = {"name": "daily", "cron": "30 6 * * *", "settle": "0s"}


@pytest.fixture
def scheduled(tmp_path: Path) -> Iterator[Console]:
    with run_console(tmp_path, smtp={"host": "127.0.0.1"}, schedule=[DAILY]) as console:
        yield console


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_without_schedules_it_is_said_how_to_make_one(console: Console) -> None:
    page = console.enter("viewer").get("/schedules").text
    assert "There is no schedule" in page
    assert "Nothing is wrong that the program knows of." in page


def test_a_schedule_tells_when_it_fires_and_with_what(scheduled: Console) -> None:
    now = datetime.now(UTC)
    write(scheduled, "newest", "ready", now - timedelta(hours=1))
    write(scheduled, "older", "ready", now - timedelta(hours=3))
    write(scheduled, "unready", "draft", now - timedelta(minutes=5))
    page = scheduled.enter("viewer").get("/schedules").text
    moments = re.findall(r'<time datetime="([^"]+)"', page.partition("Next firings")[2])[:5]
    instants = [datetime.fromisoformat(each) for each in moments]
    assert all((each.hour, each.minute) == (6, 30) for each in instants)
    days = [(each.date() - instants[0].date()).days for each in instants]
    assert days == [0, 1, 2, 3, 4]
    assert instants[0] > now.astimezone(OSLO)
    said = text_of(page)
    assert "if all stays as it is, it sends newest ; superseded by it: older" in said
    assert "unready it is a draft" in said
    assert 'href="/issues/newest"' in page
    assert "It has not fired yet." in said


def test_the_weeks_message_tells_what_it_has(tmp_path: Path) -> None:
    weekly = {"weekly": "0 8 * * *"}
    with run_console(tmp_path, smtp={"host": "127.0.0.1"}, choices=weekly) as console:
        now = datetime.now(UTC)
        write(console, "newest", "ready", now - timedelta(hours=1))
        write(console, "older", "ready", now - timedelta(hours=30))
        write(console, "unready", "draft", now - timedelta(minutes=5))
        viewer = console.enter("viewer")
        said = text_of(viewer.get("/schedules").text)
        assert "weekly every day at 08:00" in said
        assert "it sends the week’s message, with older , newest ." in said
        assert "unready it is a draft" in said
        assert "2 issues, as things stand" in text_of(viewer.get("/").text)
        assert 'value="weeks" selected' in viewer.get("/mailings?kind=weeks").text


def test_what_came_of_firings_is_shown(scheduled: Console) -> None:
    rows = [
        {
            "publication": scheduled.database.publication,
            "schedule": "daily",
            "wall": f"2026-03-0{day}T06:30",
            "due_at": datetime(2026, 3, day, 5, 30, tzinfo=UTC),
            "status": status,
            "outcome": outcome,
            "slug": slug,
            "ran_at": datetime(2026, 3, day, 5, 31, tzinfo=UTC),
        }
        for day, status, outcome, slug in (
            (1, "fired", "sent to 1,000", "monday"),
            (2, "missed", "<i>none</i> was ready", None),
        )
    ]
    gone = {"publication": scheduled.database.publication, "issue": "gone", "at": rows[0]["due_at"]}
    with scheduled.database.write() as connection:
        connection.execute(insert(s.occurrence), rows)
        connection.execute(insert(s.superseded).values(gone))
    page = scheduled.enter("viewer").get("/schedules").text
    assert page.index("&lt;i&gt;none&lt;/i&gt; was ready") < page.index("sent to 1,000")
    assert "Superseded" in page
    assert '<bdi class="mono">gone</bdi>' in page


def test_a_firing_that_waits_says_for_what(scheduled: Console) -> None:
    """The real scheduler's tick, and what the page says of it."""
    write(scheduled, "unready", "draft", datetime.now(UTC) - timedelta(minutes=5))
    newsroom = Folder(scheduled.folder, scheduled.settings)
    scheduler = Scheduler(scheduled.database, scheduled.settings, newsroom)
    begun = datetime.now(UTC)
    scheduler.tick(begun)
    local = begun.astimezone(OSLO)
    due = local.replace(hour=6, minute=30, second=0, microsecond=0)
    due += timedelta(days=1) if due <= local else timedelta()
    now = due.astimezone(UTC) + timedelta(minutes=10)
    scheduler.tick(now)
    scheduled.clock.ahead = now - begun
    viewer = scheduled.enter("viewer")
    said = text_of(viewer.get("/schedules").text)
    assert "Due since" in said
    assert "it sends nothing: no issue can be mailed." in said
    assert "unready: it is" in said
    assert any("daily is due: nothing is ready yet" in line for line in todo(viewer.get("/").text))


def test_several_relays_are_shown_with_how_they_stand(tmp_path: Path) -> None:
    relays = [
        {"name": "main", "host": "smtp.main.example", "weight": 3},
        {"name": "new", "host": "smtp.new.example", "warm_up": {"first": 200}},
        {"name": "reserve", "host": "smtp.reserve.example", "weight": 0},
    ]
    with run_console(tmp_path, smtp=relays, schedule=[DAILY]) as console:
        database, now = console.database, console.clock()
        with database.write() as connection:
            up = (connection, database.publication, "main")
            note_standing(*up, Rest(), now)
            count_messages(*up, now.astimezone(OSLO).date(), sent=1_234)
            rest = leave_alone(Rest(), now, "535 5.7.8 <b>no</b>", 0.0, is_refused=True)
            note_standing(connection, database.publication, "new", rest, now)
        page = console.enter("viewer").get("/schedules").text
    assert "535 5.7.8 &lt;b&gt;no&lt;/b&gt;" in page
    said = text_of(page)
    assert "main smtp.main.example:587 works 3 1,234 any number" in said
    assert "takes nothing from us, and is tried again seldom , until" in said
    assert "1 0 200 on its day 1" in said
    assert "nothing was sent over it yet in reserve 0 any number" in said


def test_alerts_that_are_open_and_over(scheduled: Console) -> None:
    alerts = Alerts(scheduled.database, scheduled.settings, lambda _: None)
    alerts.note_relays({"relay": "The mail relay cannot be reached."}, scheduled.clock())
    viewer = scheduled.enter("viewer")
    page = viewer.get("/schedules").text
    assert "The mail relay cannot be reached" in page
    assert "127.0.0.1:587" in page
    assert "<strong>cannot be reached</strong>" in page
    alerts.note_relays({}, scheduled.clock())
    page = viewer.get("/schedules").text
    assert "Nothing is wrong that the program knows of." in page
    assert "no trouble is known" in page
    assert "Earlier ones (1)" in page


def test_what_the_next_firing_sends_stands_on_the_home_page(scheduled: Console) -> None:
    write(scheduled, "newest", "ready", datetime.now(UTC) - timedelta(hours=1))
    found = todo(scheduled.enter("viewer").get("/").text)
    assert any("daily sends next: newest, as things stand" in line for line in found)
