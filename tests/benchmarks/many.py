"""What is asked of a database with a million readers, on both kinds: pages, searches, counts, rows.

Readers, a finished mailing to all of them and its ledger are made by the database itself; each
question is then asked several times, and one mailing more is started.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from publisher.model.delivery import Mailing
from publisher.store.bounces import list_returned
from publisher.store.candidates import Range, find_due, find_next_due, find_queued
from publisher.store.columns import to_milliseconds
from publisher.store.contents import list_revisions
from publisher.store.database import Database, open_database
from publisher.store.finding import count_standings, find_newest
from publisher.store.growth import find_changes
from publisher.store.histories import Sought, list_deliveries
from publisher.store.mailings import count_deliveries, get_mailing
from publisher.store.metrics import measure
from publisher.store.results import list_results
from publisher.store.starting import NewMailing, start_issue_mailing
from publisher.store.subscribers import list_page, read_consents
from publisher.store.suppressions import find_reasons
from publisher.store.variants import count_audience
from tests.benchmarks.measure import Row, Tables, say
from tests.benchmarks.sizes import Sizes
from tests.postgresql import Cluster

_URI = "tag:daily.example,2025:bench"
_TRIES = 5
_DAY = 86_400_000
# How many rows, by what each database makes them of.
_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)",
    "postgresql": "WITH n AS (SELECT i FROM generate_series(1, :count) AS i)",
}
_HASH = {
    "sqlite": "CAST(printf('%032d', i) AS BLOB)",
    "postgresql": "convert_to(lpad(i::text, 32, '0'), 'UTF8')",
}
# One in twenty has left, one in fifty is suppressed; one delivery in a hundred failed or came back.
_ROWS = (
    """
    INSERT INTO subscriber (publication, ref, email, name, address_hash, status, created_at,
        changed_at)
    {numbers} SELECT :publication, 'ref' || i, 'reader-' || i || '@reader.example', 'Reader ' || i,
        {hash}, CASE WHEN i % 20 = 0 THEN 'unsubscribed' ELSE 'confirmed' END,
        :now - (:count - i) * CAST(:step AS BIGINT), :now FROM n
    """,
    """
    INSERT INTO consent (publication, subscriber, at, action, source)
    SELECT publication, id, created_at, 'confirmed', 'link' FROM subscriber ORDER BY id
    """,
    """
    INSERT INTO suppression (publication, address_hash, reason, at)
    SELECT publication, address_hash, 'bounce', :now FROM subscriber WHERE id % 50 = 1 ORDER BY id
    """,
    """
    INSERT INTO delivery (publication, mailing, subscriber, status, attempts, first_attempt_at)
    SELECT publication, :mailing, id, CASE WHEN id % 100 = 7 THEN 'failed' ELSE 'sent' END, 1,
        :now - :day FROM subscriber WHERE status = 'confirmed' ORDER BY id
    """,
    """
    INSERT INTO ledger (publication, mailing, delivery, at, event, attempt, reply)
    SELECT publication, mailing, id, :now - :day,
        CASE WHEN status = 'sent' THEN 'accepted' ELSE 'failed' END, 1, '250 taken'
    FROM delivery ORDER BY id
    """,
    """
    INSERT INTO ledger (publication, mailing, delivery, at, event)
    SELECT publication, mailing, id, :now, 'bounced' FROM delivery WHERE id % 100 = 3 ORDER BY id
    """,
    """
    UPDATE mailing SET status = 'finished', finished_at = :now,
        recipients = (SELECT count(*) FROM delivery) WHERE id = :mailing
    """,
)


def measure_many(folder: Path, sizes: Sizes) -> Tables:
    """The seconds of each question on SQLite and PostgreSQL."""
    tables = {"sqlite": measure_database(f"sqlite:///{folder}/many.db", folder, sizes.readers)}
    with _serving() as url:
        tables["postgresql"] = measure_database(url, folder, sizes.readers)
    return tables


def measure_most(folder: Path, sizes: Sizes) -> Tables:
    """The same of ten times as many readers, on PostgreSQL alone."""
    with _serving() as url:
        return {"postgresql": measure_database(url, folder, 10 * sizes.readers)}


@contextmanager
def _serving() -> Iterator[str]:
    """A server of our own, which makes everything durable."""
    cluster = Cluster(Path(tempfile.mktemp(prefix="publisher-bench-")))  # which it makes
    cluster.make()
    cluster.start()
    try:
        yield cluster.url
    finally:
        cluster.stop("fast")
        cluster.remove()


def measure_database(url: str, folder: Path, readers: int) -> dict[str, Row]:
    """Fill an empty database, and ask it."""
    database, now = open_database(url, folder, _URI), datetime.now(UTC)
    try:
        seconds = _time(lambda: fill(database, readers, now))
        if url.startswith("postgresql"):  # as its autovacuum does within a minute
            with psycopg.connect(url, autocommit=True) as own:
                own.execute("VACUUM ANALYZE")
        say(f"{seconds:9.1f} s   filled with {readers:,} readers: {url.partition(':')[0]}")
        rows: dict[str, Row] = {}
        with database.read() as connection:
            mailing = get_mailing(connection, 1)
            for name, ask in list_questions(connection, database.publication, mailing, now).items():
                rows[name] = {"wall": [_time(ask) for _ in range(_TRIES)]}
        rows["enqueue"] = {"wall": [_time(lambda: enqueue_more(database, now))]}
        with database.read() as connection:
            its = get_mailing(connection, 2)
            for name, ask in list_takings(connection, database.publication, its, now).items():
                rows[name] = {"wall": [_time(ask) for _ in range(_TRIES)]}
        return rows
    finally:
        database.close()


def _time(ask: Callable[[], Any]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def fill(database: Database, readers: int, now: datetime) -> None:
    """Make readers, what was sent to them a day ago, and what came of it."""
    yesterday = now - timedelta(days=1)
    kind = database.engine.dialect.name
    with database.write() as connection:
        mailing = start_issue_mailing(
            connection, database.publication, _new("2025-12-14"), yesterday
        )
        values = {"publication": database.publication, "mailing": mailing.id, "count": readers}
        values |= {"now": to_milliseconds(now), "day": _DAY}
        values["step"] = 365 * _DAY // readers
        for row in _ROWS:
            words = row.format(numbers=_NUMBERS[kind], hash=_HASH[kind])
            used = {name: value for name, value in values.items() if f":{name}" in words}
            connection.execute(text(words.replace("::", "\\:\\:")), used)


def _new(slug: str) -> NewMailing:
    return NewMailing(
        ref=f"mailing-{slug}",
        issue=f"i-{slug}",
        slug=slug,
        purpose="issue",
        digest="0" * 64,
        content=bytes(30_000),
        domain="daily.example",
    )


def list_questions(
    connection: Connection, publication: int, mailing: Mailing, now: datetime
) -> dict[str, Callable[[], Any]]:
    it, half = (connection, publication), mailing.recipients // 2
    last = Sought(status="failed")
    page = range(half, half + 200)
    return {
        "readers": lambda: find_newest(*it, now, limit=50),
        "readers, the last page": lambda: find_newest(*it, now, before=40, limit=50),
        "readers, confirmed": lambda: find_newest(*it, now, standing="confirmed", limit=50),
        "readers, unconfirmed": lambda: find_newest(*it, now, standing="unconfirmed", limit=50),
        "readers, paused": lambda: find_newest(*it, now, standing="paused", limit=50),
        "readers, suppressed": lambda: find_newest(*it, now, standing="suppressed", limit=50),
        "readers, a search that finds": lambda: find_newest(*it, now, search="r-99", limit=50),
        "readers, a search for nobody": lambda: find_newest(*it, now, search="nobody", limit=50),
        "readers, counted": lambda: count_standings(*it, now),
        "readers, a page of the API": lambda: list_page(*it, after=half, limit=200),
        "readers, a page's records": lambda: read_consents(*it, page),
        "readers, why some of a page are suppressed": lambda: find_reasons(*it, page),
        "readers, whom an issue goes to": lambda: count_audience(*it, None, now),
        "readers, who came and left": lambda: find_changes(*it, now - timedelta(days=30)),
        "deliveries, counted": lambda: count_deliveries(connection, mailing),
        "deliveries, by their revisions": lambda: list_revisions(connection, mailing),
        "deliveries": lambda: list_deliveries(connection, mailing.id, Sought(), limit=50),
        "deliveries, the middle": lambda: list_deliveries(
            connection, mailing.id, Sought(), after=f"r{half}", limit=50
        ),
        "deliveries, failed": lambda: list_deliveries(connection, mailing.id, last, limit=50),
        "deliveries, a search for nobody": lambda: list_deliveries(
            connection, mailing.id, Sought(part="nobody"), limit=50
        ),
        "bounces": lambda: list_returned(*it, limit=50),
        "results of the last issues": lambda: list_results(*it, now, 30),
        "metrics": lambda: measure(*it, now),
    }


def enqueue_more(database: Database, now: datetime) -> None:
    with database.write() as connection:
        start_issue_mailing(connection, database.publication, _new("2025-12-15"), now)


def list_takings(
    connection: Connection, publication: int, mailing: Mailing, now: datetime
) -> dict[str, Callable[[], Any]]:
    first = mailing.recipients + mailing.recipients // 2
    part = Range(mailing.id, first, first + 499)
    it = (connection, publication)
    return {
        "queued, the next 500": lambda: find_queued(*it, mailing.id, first, 500),
        "queued, of a batch": lambda: find_queued(*it, part, 0, 500),
        "queued, of single messages": lambda: find_queued(*it, None, 0, 500),
        "due": lambda: find_due(*it, mailing.id, now, 500),
        "due, of a batch": lambda: find_due(*it, part, now, 500),
        "due, of single messages": lambda: find_due(*it, None, now, 500),
        "due next": lambda: find_next_due(*it, mailing.id, now),
        "due next, of single messages": lambda: find_next_due(*it, None, now),
        "counted while all are queued": lambda: count_deliveries(connection, mailing),
        "metrics while all are queued": lambda: measure(*it, now),
    }
