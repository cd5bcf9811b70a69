"""Leases of batches, on a PostgreSQL server: whose they are, and what others must not take."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from publisher.store.batches import find_lost, give_back, sweep, take_lease
from publisher.store.database import open_database
from tests import postgresql

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


def seen(connection: Connection, name: str, ago: float) -> None:
    connection.exec_driver_sql(_SHOW, (name, ago))


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


def test_workers_that_were_not_heard_of_for_an_hour_are_forgotten(connection: Connection) -> None:
    seen(connection, "first:1", ago=3_500)
    seen(connection, "second:2", ago=3_700)
    sweep(connection, [])
    assert connection.exec_driver_sql("SELECT name FROM worker").scalars().all() == ["first:1"]
