"""Leases of batches, on a PostgreSQL server: whose they are, and what others must not take."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from publisher.store import jobs
from publisher.store import schema as s
from publisher.store.batches import find_batched, find_lost, give_back, sweep, take_lease, wake_done
from publisher.store.columns import to_milliseconds
from publisher.store.database import open_database
from tests import postgresql

NOW = datetime(2025, 12, 15, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
_SHOW = """
    INSERT INTO worker VALUES (%s, 0, (EXTRACT(EPOCH FROM clock_timestamp()) - %s) * 1000, false, 0,
        0) ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at
"""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """One that writes, where there is a batch: number 1."""
    with postgresql.database_url() as url:
        database = open_database(url, tmp_path, "tag:daily.example,2025:test")
        with database.write() as connection:
            words = "INSERT INTO batch (id, mailing, first, last, due_at) VALUES (1, 1, 1, 9, 0)"
            connection.exec_driver_sql(words)
            yield connection
        database.close()


def add_batches(connection: Connection, names: str, columns: str, low: int, high: int) -> None:
    words = f"INSERT INTO batch ({names}) SELECT {columns} FROM generate_series({low}, {high}) AS n"
    connection.exec_driver_sql(words)


def seen(connection: Connection, name: str, ago: float) -> None:
    connection.exec_driver_sql(_SHOW, (name, ago))


def add_mailing(connection: Connection, **delivery: object) -> None:
    """One that is being sent, number 1, and a delivery of it where that is wanted."""
    row = {"publication": 1, "ref": "m", "issue": "i", "slug": "s", "purpose": "issue"}
    row |= {"status": "sending", "recipients": 8, "created_at": NOW}
    row |= {"digest": "", "content": b"", "domain": ""}
    connection.execute(insert(s.mailing).values(row))
    if delivery:
        row = {"publication": 1, "mailing": 1, "address": "desk@x.example", **delivery}
        connection.execute(insert(s.delivery).values(row))


def find_due(connection: Connection) -> int | None:
    found = connection.exec_driver_sql("SELECT due_at FROM batch WHERE id = 1").scalar()
    return None if found is None else int(found)


def test_a_batch_is_not_taken_from_who_was_heard_of(connection: Connection) -> None:
    assert (lease := take_lease(connection, 1, "first:1", 0)) is not None
    seen(connection, "first:1", ago=-60)
    assert take_lease(connection, 1, "second:2", 0) is None
    assert find_lost(connection, [lease]) == set()
    seen(connection, "first:1", ago=9)
    assert (taken := take_lease(connection, 1, "second:2", 0)) is not None
    assert taken.token == lease.token + 1
    assert find_lost(connection, [lease]) == {1}


def test_who_has_a_batch_gets_it_again(connection: Connection) -> None:
    assert (lease := take_lease(connection, 1, "first:1", 0)) is not None
    seen(connection, "first:1", ago=-60)
    assert (again := take_lease(connection, 1, "first:1", 0)) is not None
    assert again.token == lease.token + 1


def test_what_was_given_back_is_anybody_s(connection: Connection) -> None:
    lease = take_lease(connection, 1, "first:1", 0)
    assert lease is not None
    seen(connection, "first:1", ago=-60)
    give_back(connection, {lease: None})
    assert take_lease(connection, 1, "second:2", 0) is not None


def test_a_batch_that_is_gone_has_no_lease(connection: Connection) -> None:
    assert take_lease(connection, 2, "first:1", 0) is None


def test_all_batches_have_jobs_however_many_they_are(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made some at a time, or the server gives up a transaction that is still for long."""
    monkeypatch.setattr(jobs, "_AT_ONCE", 3)
    add_batches(connection, "id, mailing, first, last, due_at", "n, 1, 10 * n, 10 * n, 0", 2, 8)
    add_mailing(connection)
    for _ in range(2):
        sweep(connection, [1])
        locks = "SELECT lock FROM procrastinate_jobs ORDER BY id"
        made = connection.exec_driver_sql(locks).scalars().all()
        assert made == [f"batch-{number}" for number in range(1, 9)]


def test_the_mailings_in_batches_are_told_once_each(connection: Connection) -> None:
    for columns in ("n, n, n, n", "10 + n, n, 10 + n, 10 + n"):
        add_batches(connection, "id, mailing, first, last", columns, 3, 5)
    assert find_batched(connection) == {1, 3, 4, 5}
    connection.exec_driver_sql("DELETE FROM batch")
    assert find_batched(connection) == set()


def test_workers_that_were_not_heard_of_for_an_hour_are_forgotten(connection: Connection) -> None:
    seen(connection, "first:1", ago=3_500)
    seen(connection, "second:2", ago=3_700)
    sweep(connection, [])
    assert connection.exec_driver_sql("SELECT name FROM worker").scalars().all() == ["first:1"]


@pytest.mark.parametrize(
    ("delivery", "due"),
    [
        ({"status": "queued"}, 0),
        ({"status": "deferred", "next_attempt_at": LATER}, to_milliseconds(LATER)),
        ({"status": "sending"}, None),
        ({"status": "failed"}, None),
    ],
)
def test_what_is_left_of_a_batch_is_not_forgotten_with_it(
    connection: Connection, delivery: dict[str, object], due: int | None
) -> None:
    """Neither where it is given back, nor where somebody gave it back and saw nothing of it."""
    add_mailing(connection, **delivery)
    lease = take_lease(connection, 1, "first:1", 0)
    assert lease is not None
    give_back(connection, {lease: None})
    assert find_due(connection) == due
    connection.exec_driver_sql("UPDATE batch SET due_at = NULL")
    sweep(connection, [1])
    assert find_due(connection) == due


def test_a_sweep_leaves_alone_what_may_still_be_given_back(connection: Connection) -> None:
    add_mailing(connection, status="queued")
    add_batches(connection, "id, mailing, first, last, due_at", "n, 1, 10 * n, 10 * n, 0", 2, 2)
    connection.exec_driver_sql("UPDATE batch SET due_at = NULL WHERE id = 1")
    sweep(connection, [1])
    assert find_due(connection) is None


def test_late_rows_wake_a_batch_that_nobody_holds(connection: Connection) -> None:
    add_mailing(connection, status="queued")
    connection.exec_driver_sql("UPDATE batch SET due_at = NULL, holder = 'first:1'")
    wake_done(connection, 1)
    assert find_due(connection) is None
    connection.exec_driver_sql("UPDATE batch SET holder = NULL")
    wake_done(connection, 1)
    assert find_due(connection) == 0
