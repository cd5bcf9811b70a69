"""A database moved into another one, of either kind, and broken off on the way."""

import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from publisher.store.copying import Summary, list_tables, sum_up
from publisher.store.database import Database, open_database
from tests import postgresql
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import Rule, say
from tests.store.conftest import URI

ADA, BEN = "ada@reader.example", "ben@leser.example"
# The source is a file in all of these; what is moved back is told apart below.
pytestmark = pytest.mark.sqlite


@pytest.fixture
def target() -> Iterator[str]:
    with postgresql.database_url(is_empty=True) as url:
        yield url


@pytest.fixture
def sent(post: Post) -> Post:
    """A publication that has sent to Ada, with Ben deferred."""
    post.subscribe([ADA, BEN, "eve@reader.example"])
    post.cli("subscribers", "erase", "eve@reader.example", "--yes")
    post.server.rules.append(Rule("rcpt", say("450 later"), recipient=BEN, times=1))
    assert post.send().status == 3
    return post


def _use(post: Post, url: str) -> None:
    post.cli.monkeypatch.setenv("PUBLISHER_DATABASE__URL", url)


def _sum_up(database: Database) -> dict[str, Summary]:
    with database.read() as connection:
        return {table.name: sum_up(connection, table) for table in list_tables()}


def _sums(url: str, folder: Path) -> dict[str, Summary]:
    database = open_database(url, folder, URI)
    try:
        return _sum_up(database)
    finally:
        database.close()


def test_everything_goes_along_and_goes_on(sent: Post, target: str) -> None:
    before = _sums("sqlite:///publisher.db", sent.folder)
    done = sent.cli("migrate-database", target, "--json")
    assert done.status == 0, done
    rows = {each["table"]: each["rows"] for each in done.json["tables"]}
    assert done.json["complete"] is True
    assert rows == {name: each.rows for name, each in before.items()}
    assert _sums(target, sent.folder) == before
    _use(sent, target)
    assert sent.counts() == {"sent": 1, "deferred": 1}
    # Erased addresses are known by the same key, and ids go on behind the last ones.
    assert sent.cli("subscribers", "add", "eve@reader.example").status == 2
    assert sent.cli("subscribers", "add", "new@reader.example").status == 0
    assert sent.rows("SELECT id FROM subscriber ORDER BY id") == [(1,), (2,), (4,)]


def test_one_of_the_two_sends(sent: Post, target: str) -> None:
    assert sent.cli("migrate-database", target).status == 0
    refused = sent.send()
    assert refused.status == 2
    assert "was moved to another database" in refused.err
    _use(sent, target)
    database = sent.open()
    with database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE delivery SET next_attempt_at = 1 WHERE status = 'deferred'"
        )
    database.close()
    assert sent.send().status == 0
    assert sent.counts() == {"sent": 2}
    assert sent.arrived() == {ADA: 1, BEN: 1}


def test_it_goes_back_into_a_file(sent: Post, target: str) -> None:
    before = _sums("sqlite:///publisher.db", sent.folder)
    assert sent.cli("migrate-database", target).status == 0
    _use(sent, target)
    assert sent.cli("migrate-database", "sqlite:///back.db").status == 0
    _use(sent, "sqlite:///back.db")
    assert _sums("sqlite:///back.db", sent.folder) == before
    assert sent.cli("doctor").err.count("sends nothing") == 0


def test_an_export_of_a_server_s_database_makes_another_one(sent: Post, target: str) -> None:
    assert sent.cli("migrate-database", target).status == 0
    _use(sent, target)
    before = _sums(target, sent.folder)
    assert sent.cli("export", "out.zip", "--with-secrets").status == 0
    refused = sent.cli("init", "again", "--from", "out.zip")
    assert refused.status == 2
    assert "is not empty" in refused.err
    with postgresql.database_url(is_empty=True) as other:
        _use(sent, other)
        assert sent.cli("init", "again", "--from", "out.zip").status == 0
        after = _sums(other, sent.folder)
        # Whom the feeds' readers of today are does not travel; mailings are paused in a copy.
        same = ("subscriber", "consent", "suppression", "delivery", "mailing_content")
        assert {name: after[name] for name in same} == {name: before[name] for name in same}
        assert "publisher arm" in sent.send().err


def test_a_database_that_is_used_is_not_moved_into(sent: Post, target: str) -> None:
    open_database(target, sent.folder, URI).close()  # with no reader yet
    assert sent.cli("migrate-database", target).status == 0
    (sent.folder / "publisher.db").unlink()
    sent.subscribe([ADA])
    refused = sent.cli("migrate-database", target)
    assert refused.status == 2
    assert "in use already" in refused.err


def test_nothing_is_moved_under_a_process_that_runs(sent: Post, target: str) -> None:
    serving = sent.start("serve")
    assert serving.stdout is not None
    serving.stdout.readline()
    refused = sent.cli("migrate-database", target)
    serving.terminate()
    serving.communicate(timeout=60)
    assert "stop it" in refused.err


def test_a_part_of_it_sends_nothing_and_cannot_be_armed(sent: Post, target: str) -> None:
    moving = _start(sent, target)
    _kill_when(moving, target, 1)
    _use(sent, target)
    assert "migrate-database" in sent.send().err
    assert "migrate-database" in sent.cli("arm").err
    _use(sent, "sqlite:///publisher.db")
    assert sent.cli("migrate-database", target).status == 0


def test_a_change_after_it_was_broken_off_goes_along(sent: Post, target: str) -> None:
    moving = _start(sent, target)
    _kill_when(moving, target, 1)
    sent.cli("subscribers", "remove", ADA)
    assert sent.cli("migrate-database", target).status == 0
    assert _sums(target, sent.folder) == _sums("sqlite:///publisher.db", sent.folder)


def _start(post: Post, target: str) -> "subprocess.Popen[bytes]":
    """Begin to move, with many rows: so many that it takes a second."""
    raw = sqlite3.connect(post.folder / "publisher.db")
    raw.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)"
        " INSERT INTO audit (publication, at, who, action) SELECT 1, i, 'x', 'y' FROM n"
    )
    raw.commit()
    raw.close()
    return post.start("migrate-database", target)


def _kill_when(moving: "subprocess.Popen[bytes]", target: str, rows: int) -> None:
    """Kill it when so many rows of the audit log have arrived."""
    import psycopg

    with psycopg.connect(target, autocommit=True) as connection:
        while moving.poll() is None:
            try:
                found: Any = connection.execute("SELECT count(*) FROM audit").fetchone()
            except psycopg.Error:  # no table yet
                continue
            if found[0] >= rows:
                break
    moving.kill()
    moving.communicate()
    assert moving.returncode == -signal.SIGKILL


@pytest.mark.long
def test_it_may_be_killed_at_any_moment(sent: Post, target: str) -> None:
    chance, kills = random.Random(7), 0
    moving = _start(sent, target)
    while kills < 20:
        time.sleep(chance.uniform(0.1, 2.5))
        if moving.poll() is not None:
            break
        moving.kill()
        moving.communicate()
        kills += 1
        moving = sent.start("migrate-database", target)
    moving.communicate(timeout=120)
    assert moving.returncode == 0
    assert _sums(target, sent.folder) == _sums("sqlite:///publisher.db", sent.folder)
    assert "was moved" in sent.send().err
    _use(sent, target)
    assert sent.cli("status", NAME).status in (0, 3)
