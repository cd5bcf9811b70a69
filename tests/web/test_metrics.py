"""/metrics: well-formed, true, and for those who may."""

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from publisher.mailing.rest import Rest, leave_alone
from publisher.model.access import Scope
from publisher.model.operators import COMMAND_LINE, Actor
from publisher.runtime.inviting import make_token
from publisher.store.metrics import measure
from publisher.store.relays import claim, count_messages, note_standing
from publisher.store.ticks import note_tick
from publisher.web.metrics import Metric, Sample, write_metrics
from tests.audience.readers import Readers
from tests.web.console.conftest import console
from tests.web.console.site import Console, run_console

__all__ = ["console"]

ADA, BEN = "ada@reader.example", "ben@leser.example"
# https://prometheus.io/docs/instrumenting/exposition_formats/: a line of a number.
_LINE = re.compile(
    r"([a-zA-Z_:][a-zA-Z0-9_:]*)"
    r"(?:\{((?:[a-zA-Z_]\w*=\"(?:[^\"\\\n]|\\[\\n\"])*\",?)*)\})?"
    r" (-?[0-9.]+(?:e[+-]?[0-9]+)?)"
)
_TABLES = """
    INSERT INTO mailing (id, publication, ref, issue, slug, purpose, status, digest, content,
        domain, recipients, created_at)
    VALUES (1, 1, 'old', 'a', '2025-12-14', 'issue', 'finished', 'd', x'', 'x', 5, {now}),
        (2, 1, 'new', 'b', '2025-12-15', 'issue', 'sending', 'd', x'', 'x', 7, {now} - 90000),
        (3, 1, 'one', 'c', 'confirmation', 'confirmation', 'sending', 'd', x'', 'x', 1, {now});
    INSERT INTO delivery (publication, mailing, status)
    VALUES (1, 1, 'failed'), (1, 1, 'in_doubt'), (1, 1, 'sent'), (1, 1, 'sent'), (1, 1, 'sent'),
        (1, 2, 'queued'), (1, 2, 'queued'), (1, 2, 'deferred'), (1, 2, 'sent'), (1, 2, 'sent'),
        (1, 2, 'sent'), (1, 2, 'sent'), (1, 3, 'queued');
    INSERT INTO ledger (publication, mailing, delivery, at, event)
    VALUES (1, 1, 1, {now} - 90000000, 'failed'), (1, 1, 1, {now} - 100000, 'failed'),
        (1, 2, 9, {now} - 61000, 'accepted'), (1, 2, 10, {now} - 59000, 'accepted'),
        (1, 2, 11, {now} - 1000, 'accepted'), (1, 2, 12, {now} - 500, 'accepted'),
        (1, 2, 12, {now} - 400, 'paused');
    INSERT INTO alert (publication, kind, about, raised_at, cleared_at)
    VALUES (1, 'relay-down', 'relay', {now}, NULL), (1, 'missed', 'x', {now}, {now});
"""


def fill(readers: Readers, now: datetime) -> None:
    raw = sqlite3.connect(readers.folder / "publisher.db")
    raw.executescript(_TABLES.format(now=int(now.timestamp() * 1_000)))
    raw.close()
    with readers.database.write() as connection:
        note_tick(connection, readers.database.publication, now - timedelta(seconds=4))
    readers.bring(f"email\n{ADA}\n{BEN}\n")


def make_bearer(console: Console, scope: Scope, name: str = "prometheus") -> str:
    with console.database.write() as connection:
        token = make_token(
            connection,
            console.database.publication,
            name=name,
            scopes=[scope],
            operator=None,
            actor=Actor(COMMAND_LINE),
            now=datetime.now(UTC),
            expires_at=None,
        )
    return f"Bearer {token}"


def parse(text: str) -> dict[str, float]:
    """The samples; fails where a line is none, or a name comes twice or without its TYPE."""
    found: dict[str, float] = {}
    typed: set[str] = set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in ("gauge", "counter")
            assert name not in typed, "the samples of a name stand together"
            typed.add(name)
        elif not line.startswith("# HELP "):
            match = _LINE.fullmatch(line)
            assert match, line
            assert match[1] in typed
            sample = line.rpartition(" ")[0]
            assert sample not in found
            found[sample] = float(match[3])
    return found


def test_what_is_measured_is_so(tmp_path: Path) -> None:
    readers = Readers(tmp_path)
    now = datetime.now(UTC)
    fill(readers, now)
    with run_console(tmp_path, readers, console={"metrics": "open"}) as console:
        answer = console.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = parse(answer.text)
    expected = {
        'publisher_mailings{status="sending"}': 1,
        'publisher_mailings{status="paused"}': 0,
        'publisher_deliveries{status="sent"}': 7,
        'publisher_deliveries{status="queued"}': 2,
        'publisher_deliveries{status="failed"}': 1,
        'publisher_active_deliveries{issue="2025-12-15",mailing="new",status="sent"}': 4,
        'publisher_active_deliveries{issue="2025-12-15",mailing="new",status="deferred"}': 1,
        "publisher_sent_total": 7,
        "publisher_deliveries_in_doubt": 1,
        "publisher_failed_last_day": 1,
        'publisher_subscribers{status="confirmed"}': 2,
        'publisher_subscribers{status="unsubscribed"}': 0,
        "publisher_feed_readers": 0,
        'publisher_alerts_open{kind="relay-down"}': 1,
    }
    assert {name: found[name] for name in expected} == expected
    assert 90 <= found["publisher_oldest_queued_seconds"] < 150
    assert 4 <= found["publisher_scheduler_tick_age_seconds"] < 60
    assert any(name.startswith("publisher_build_info{version=") for name in found)
    assert ADA not in answer.text
    with readers.database.read() as connection:
        assert measure(connection, readers.database.publication, now).accepted == 3
    readers.database.close()


def test_each_relay_is_measured(tmp_path: Path) -> None:
    readers, now = Readers(tmp_path), datetime.now(UTC)
    today = now.astimezone(ZoneInfo("Europe/Oslo")).date()
    publication = readers.database.publication
    with readers.database.write() as connection:
        rest = leave_alone(Rest(), now, "connection refused", 0)
        note_standing(connection, publication, "reserve", rest, now)
        claim(connection, publication, "new", today, 30, 200)
        count_messages(connection, publication, "new", today, sent=20, taken=-8)
    new = {"name": "new", "host": "a.example", "warm_up": {"first": 200}}
    relays = [new, {"name": "reserve", "host": "b.example"}]
    with run_console(tmp_path, readers, smtp=relays, console={"metrics": "open"}) as console:
        found = parse(console.get("/metrics").text)
    readers.database.close()
    assert {name: value for name, value in found.items() if "_relay_" in name} == {
        'publisher_relay_up{relay="new"}': 1,
        'publisher_relay_up{relay="reserve"}': 0,
        'publisher_relay_sent_today{relay="new"}': 20,
        'publisher_relay_sent_today{relay="reserve"}': 0,
        'publisher_relay_allowed_today{relay="new"}': 200,
    }


def test_a_schedule_of_any_name_is_told_apart() -> None:
    named = Metric("a", "gauge", "It is.", (Sample(1.5, {"schedule": 'dai"ly\\\n'}),))
    text = write_metrics([named, Metric("b", "gauge", "Nothing.", ())]).decode()
    assert text == '# HELP a It is.\n# TYPE a gauge\na{schedule="dai\\"ly\\\\\\n"} 1.5\n'
    assert parse(text)


@pytest.mark.parametrize("scope", ["mailings:read", "subscribers:write"])
def test_it_takes_a_token_with_its_scope(console: Console, scope: Scope) -> None:
    assert console.get("/metrics").status == 401
    assert console.get("/metrics", Authorization="Bearer x").status == 401
    browser = console.enter("owner")
    assert browser.get("/metrics").status == 401  # a session is no token
    wrong = make_bearer(console, scope, "wrong")
    assert console.get("/metrics", Authorization=wrong).status == 403
    right = make_bearer(console, "metrics:read")
    answer = console.get("/metrics", Authorization=right)
    assert answer.status == 200
    assert "publisher_scheduler_tick_age_seconds" not in answer.text  # it never ticked
    assert parse(answer.text)['publisher_alerts_open{kind=""}'] == 0


def test_no_row_is_read_for_what_was_sent(tmp_path: Path) -> None:
    """However many were sent: the counts come from the index of what was not."""
    readers = Readers(tmp_path)
    fill(readers, datetime.now(UTC))
    plans: list[str] = []
    raw = readers.database.engine.raw_connection()
    said: list[str] = []
    driver = raw.driver_connection
    assert driver is not None
    driver.set_trace_callback(said.append)
    raw.close()
    with readers.database.read() as connection:
        measure(connection, readers.database.publication, datetime.now(UTC))
        for sql in [each for each in said if "FROM delivery" in each or "FROM ledger" in each]:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all()
            plans += [str(row[3]) for row in rows]
    assert plans
    for plan in plans:
        assert "SCAN delivery" not in plan or "delivery_not_sent" in plan
        assert "SCAN ledger" not in plan
    readers.database.close()
