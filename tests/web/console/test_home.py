"""The home page: what waits, and figures that are those of the database."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, update

from publisher.runtime.alerts import Alerts
from publisher.store import schema as s
from publisher.store.database import Database
from publisher.store.growth import Change, find_changes
from publisher.store.mailings import change_mailing
from publisher.store.readings import Reported, note_report
from publisher.store.results import list_results
from publisher.web.console.figures import make_days
from tests.web.console.site import Console
from tests.web.console.test_readers import come_back, start_mailing

OSLO = ZoneInfo("Europe/Oslo")
ISSUE = """---
id: {slug}
title: The day
date: {date}
status: {status}
---

## A highlight {{#one}}

Words.
"""


def later(console: Console) -> None:
    """Let the figures of before be out of date."""
    console.clock.ahead += timedelta(minutes=2)


def write(console: Console, slug: str, status: str, date: datetime) -> None:
    folder = console.folder / "issues"
    folder.mkdir(exist_ok=True)
    text = ISSUE.format(slug=slug, status=status, date=date.isoformat(timespec="seconds"))
    (folder / f"{slug}.md").write_text(text.replace("#one", f"#{slug}-one"))


def todo(page: str) -> list[str]:
    """The lines of what is to be done, as they are read."""
    part = page.partition('class="todo"')[2].partition("</ul>")[0]
    lines = [re.sub(r"<[^>]+>", " ", line) for line in part.split("<li")[1:]]
    return [" ".join(line.partition(">")[2].split()) for line in lines]


def test_a_publication_that_begins_is_told_what_is_missing(console: Console) -> None:
    page = console.enter("viewer").get("/").text
    assert "smtp.host must be set" in todo(page)[0]
    for text in ("Nobody yet", "No issue was sent yet"):
        assert text in page
    assert "<svg" not in page


def test_what_waits_stands_first(console: Console) -> None:
    now = datetime.now(UTC)
    write(console, "today", "draft", now - timedelta(hours=1))
    write(console, "old", "draft", now - timedelta(days=9))
    write(console, "ready", "ready", now - timedelta(hours=2))
    console.readers.bring("email\nanna@x.example\nbo@x.example\n")
    paused, sending = start_mailing(console, "monday"), start_mailing(console, "tuesday")
    assert sending
    with console.database.write() as connection:
        publication = console.database.publication
        change_mailing(connection, publication, paused, "paused", now, reason="<b>550</b>")
        d = s.delivery.c
        doubt = update(s.delivery).where(d.mailing == sending, d.id % 2 == 0)
        connection.execute(doubt.values(status="in_doubt"))
    page = console.enter("viewer").get("/").text
    found = todo(page)
    firsts = [line.split()[0] for line in found]
    # Just after midnight, an hour ago was yesterday.
    assert [each for each in firsts if each not in ("Nothing", "There")] == [
        *("monday", "tuesday", "today", "ready", "tuesday")
    ]
    assert "is paused with 2 still waiting: &lt;b&gt;550&lt;/b&gt;" in page
    assert "1 deliveries may or may not" in page
    assert 'href="/issues/today"' in page
    assert 'href="/mailings/ref-monday"' in page
    assert "old" not in " ".join(found)


def test_a_day_without_an_issue_says_how_to_begin_one(console: Console) -> None:
    line = "There is no issue of today yet"
    viewer, editor = console.enter("viewer").get("/").text, console.enter("editor").get("/").text
    assert f"{line} Paste a digest" in todo(editor)
    assert 'href="/paste"' in editor
    assert line in todo(viewer)  # who may not write is not led there
    assert 'href="/paste"' not in viewer
    write(console, "today", "draft", datetime.now(UTC))
    assert not any(line in each for each in todo(console.enter("editor").get("/").text))


def test_an_alert_stands_there_until_it_is_over(console: Console) -> None:
    viewer = console.enter("viewer")
    alerts = Alerts(console.database, console.settings, lambda _: None)
    alerts.note_relays({"relay": "The mail relay cannot be reached."}, console.clock())
    assert any("The mail relay cannot be reached" in line for line in todo(viewer.get("/").text))
    alerts.note_relays({}, console.clock())
    assert not any("relay" in line for line in todo(viewer.get("/").text) if "smtp" not in line)
    alerts.tell("missed", "daily 2026-03-01T06:30", "Missed.", console.clock())
    assert any("missed: daily 2026-03-01 06:30" in line for line in todo(viewer.get("/").text))
    alerts.look(console.clock() + timedelta(days=3))
    assert not any("daily" in line for line in todo(viewer.get("/").text))
    page = viewer.get("/schedules").text
    assert "daily 2026-03-01 06:30" in page.partition("Earlier ones")[2]


def test_an_alert_leads_to_what_it_is_about(console: Console) -> None:
    alerts = Alerts(console.database, console.settings, lambda _: None)
    about = "monday 2026-03-01T06:30:00+00:00 refused"
    alerts.tell("planned-send", about, "Refused.", console.clock())
    alerts.warn_of_webhook("<b>.example", "Given up.", console.clock())
    page = console.enter("viewer").get("/").text
    found = todo(page)
    assert any("not started as planned: monday" in line for line in found)
    assert any("was not told what happened: &lt;b&gt;.example" in line for line in found)
    assert 'href="/issues/monday"' in page
    assert 'href="/webhooks"' in page


def test_the_figures_are_those_of_the_database(console: Console) -> None:
    viewer = console.enter("viewer")
    console.readers.bring("email\n" + "\n".join(f"r{n}@x.example" for n in range(1_234)))
    start_mailing(console, "monday")
    come_back(console, "bounced", "550 no such user")
    gone = console.readers.get("r7@x.example").ref
    console.enter("sender").post(f"/readers/{gone}/unsubscribe")
    with console.database.write() as connection:
        day = console.clock().astimezone(OSLO).date()
        reported = Reported("feed.atom", "Feedly", "", 5_678, True, day)
        note_report(connection, console.database.publication, reported)
    later(console)
    page = viewer.get("/").text
    assert re.search(r"<dt>Readers by mail</dt><dd>1,233</dd>", page)
    growth, spread, lost = (
        page.partition(f'id="{name}"')[2].partition("</figure>")[0]
        for name in ("growth", "spread", "lost")
    )
    assert ">1,233</text>" in growth
    assert re.findall(r'<td class="number">([\d,]+)</td>', growth)[:3] == ["1,234", "1", "1,233"]
    assert re.findall(r'class="value"[^>]*>([^<]+)<', spread) == ["1,233", "5,678"]
    assert ">1 bounced</text>" in lost


def test_figures_are_kept_for_a_minute(console: Console) -> None:
    viewer = console.enter("viewer")
    viewer.get("/")
    console.readers.bring("email\nanna@x.example\n")
    assert "<dt>Readers by mail</dt><dd>0</dd>" in viewer.get("/").text
    later(console)
    assert "<dt>Readers by mail</dt><dd>1</dd>" in viewer.get("/").text


def test_what_is_counted_as_growth(console: Console) -> None:
    """Each first agreement and each end of one; a new address, or who never agreed, is neither."""
    database, at = console.database, datetime(2026, 3, 1, 23, 20, tzinfo=UTC)
    console.readers.bring("email\na@x.example\nb@x.example\nc@x.example\n", at=at)
    console.readers.bring("email,status\nd@x.example,unsubscribed\n", at=at)
    line = {"publication": database.publication, "origin": ""}
    with database.write() as connection:
        chosen = select(s.subscriber.c.id).order_by(s.subscriber.c.id)
        ids = list(connection.execute(chosen).scalars())
        for subscriber, action, source, hours in (
            (ids[0], "unsubscribed", "link", 30),
            (ids[0], "asked", "form", 31),
            (ids[0], "confirmed", "link", 32),
            (ids[1], "confirmed", "address", 33),
        ):
            values = {"subscriber": subscriber, "action": action, "source": source}
            when = {"at": at + timedelta(hours=hours)}
            connection.execute(insert(s.consent).values(line | values | when))
    with database.read() as connection:
        changes = find_changes(connection, database.publication, at - timedelta(days=1))
    assert [(each.joined, each.left) for each in changes] == [(3, 0), (0, 1), (1, 0)]
    days = make_days(changes, 3, date(2026, 3, 4), OSLO)
    # 23:20 in UTC is the next day in Oslo.
    assert [(f"{e.day:%d}", e.value, e.came, e.went) for e in days[-3:]] == [
        ("02", 3, 3, 0),
        ("03", 3, 1, 1),
        ("04", 3, 0, 0),
    ]


def test_days_begin_on_the_day_before_somebody_came() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    days = make_days([Change(noon, 5, 0)], 5, date(2026, 3, 4), OSLO)
    assert [(each.day.day, each.value) for each in days] == [(1, 0), (2, 5), (3, 5), (4, 5)]
    assert make_days([], 0, date(2026, 3, 4), OSLO) == []
    assert len(make_days([], 5, date(2026, 3, 4), OSLO)) == 90


def test_how_long_a_mailing_took(console: Console) -> None:
    console.readers.bring("email\n" + "\n".join(f"r{n}@x.example" for n in range(30)))
    mailing = start_mailing(console)
    assert _result(console.database) is None
    with console.database.write() as connection:
        begun = connection.execute(select(s.mailing.c.created_at)).scalar_one()
        ids = connection.execute(select(s.delivery.c.id).order_by(s.delivery.c.id)).scalars().all()
        rows = [
            {
                "publication": console.database.publication,
                "mailing": mailing,
                "delivery": id_,
                "at": begun + timedelta(seconds=10 * n),
                "event": "deferred" if n == 29 else "accepted",
            }
            for n, id_ in enumerate(ids)
        ]
        late = rows[-1] | {"at": begun + timedelta(hours=9), "event": "accepted"}
        connection.execute(insert(s.ledger), [*rows, late])
    assert _result(console.database) == timedelta(seconds=290)


def _result(database: Database) -> timedelta | None:
    with database.read() as connection:
        return list_results(connection, database.publication, datetime.now(UTC), 5)[0].turned


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_no_address_stands_on_the_home_page(console: Console, role: str) -> None:
    console.readers.bring("email,name\nanna@reader.example,Anna Berg\n")
    start_mailing(console)
    come_back(console, "bounced", "550 <anna@reader.example> unknown")
    page = console.enter(role).get("/").text  # type: ignore[arg-type]
    assert "reader.example" not in page
    assert "Anna" not in page
