"""How a database finds what is asked of it: with many readers, a page is no scan of them all.

The plans are those of some thousand rows, with the database's own statistics of them. PostgreSQL
is told that scans and sorts are dear, as they are where there are a million: it then does one only
where there is no other way.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, event

from publisher.store.database import Database
from publisher.store.mailings import get_mailing
from tests.benchmarks.many import enqueue_more, fill, list_questions, list_takings

READERS = 3_000
PAGE = 500
NOW = datetime(2025, 12, 15, 12, tzinfo=UTC)
# What is asked for a page, or for the next that is to be sent, and the index that it is found by,
# where one was made for it.
PAGES = {
    "readers": "",
    "readers, the last page": "",
    "readers, confirmed": "subscriber_by_status",
    "readers, unconfirmed": "subscriber_by_status",
    "readers, paused": "subscriber_who_paused",
    "readers, a page of the API": "",
    "readers, why some of a page are suppressed": "subscriber USING INTEGER PRIMARY KEY",
    "deliveries": "",
    "deliveries, the middle": "",
    "deliveries, failed": "delivery_not_sent",
    "bounces": "ledger_returned",
    "queued, the next 500": "delivery_not_sent",
    "queued, of a batch": "delivery_not_sent",
    "due": "delivery_not_sent",
    "due, of a batch": "delivery_not_sent",
    "due next": "delivery_not_sent",
}
# What counts all that is in a state goes through that alone.
COUNTS = {
    "deliveries, counted": "delivery_not_sent",
    "deliveries, by their revisions": "delivery_not_sent",
    "metrics": "delivery_not_sent",
    "readers, whom an issue goes to": "COVERING INDEX subscriber_by_status",
    "results of the last issues": "ledger_returned_of_mailing",
}
_LARGE = "subscriber|delivery|ledger|consent"


def test_a_page_is_no_scan_and_no_sort_of_everything(database: Database) -> None:
    plans = _read_plans(database)
    assert set(PAGES) | set(COUNTS) <= set(plans)
    is_sqlite = database.engine.dialect.name == "sqlite"  # the other one has several ways
    faults = {
        name: plan
        for name, index in PAGES.items()
        for plan in [plans[name]]
        if (is_sqlite and index not in plan) or _SCANS.search(plan) or _SORTS.search(plan)
    }
    assert faults == {}


@pytest.mark.sqlite
def test_a_count_goes_through_what_is_counted_alone(database: Database) -> None:
    plans = _read_plans(database)
    wrong = {name: plans[name] for name, index in COUNTS.items() if index not in plans[name]}
    assert wrong == {}


@pytest.mark.postgresql
@pytest.mark.parametrize("is_analyzed", [False, True])
def test_what_is_next_is_found_whatever_the_server_knows(
    database: Database, is_analyzed: bool
) -> None:
    """Of a mailing that has just begun it knows nothing yet, and a while later means alone."""
    fill(database, 2 * READERS, NOW)
    with database.write() as connection:
        connection.exec_driver_sql("ANALYZE")
    enqueue_more(database, NOW)
    with database.write() as connection:
        connection.exec_driver_sql(_DEFER)
        if is_analyzed:
            connection.exec_driver_sql("ANALYZE delivery")
    read = {}
    with database.hold() as held, held.read() as connection:
        mailing = get_mailing(connection, 2)
        asked = list_takings(connection, database.publication, mailing, NOW)
        for name in asked.keys() - {name for name in asked if "all are queued" in name}:
            found = _explain(connection, asked[name], "ANALYZE, FORMAT JSON")
            read[name] = sum(_count_read(each[0]["Plan"]) for each in found)
    assert {name: rows for name, rows in read.items() if rows > 2 * PAGE} == {}


_DEFER = """
    UPDATE delivery SET status = 'deferred', next_attempt_at = id
    WHERE mailing = 2 AND mod(id, 2) = 0
"""


def _count_read(plan: dict[str, Any]) -> int:
    """How many deliveries were looked at for a plan."""
    read = sum(map(_count_read, plan.get("Plans", ())))
    if plan.get("Relation Name") == "delivery":
        removed = sum(plan[key] for key in plan if key.startswith("Rows Removed by"))
        read += plan["Actual Loops"] * (plan["Actual Rows"] + removed)
    return read


# SQLite scans a table by ids, or an index, until a page is full: what it must not do is sort.
_SCANS = re.compile(rf"Seq Scan on ({_LARGE})\b")
_SORTS = re.compile(r"TEMP B-TREE FOR ORDER BY|\bSort\b")


def _read_plans(database: Database) -> dict[str, str]:
    """The plans of all that is asked, by its name."""
    fill(database, READERS, NOW)
    plans: dict[str, str] = {}
    if database.engine.dialect.name == "postgresql":
        with database.write() as connection:
            connection.exec_driver_sql("ANALYZE")
    for number, list_asked in ((1, list_questions), (2, list_takings)):
        with database.read() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
                connection.exec_driver_sql("SET LOCAL enable_sort = off")
            mailing = get_mailing(connection, number)
            asked = list_asked(connection, database.publication, mailing, NOW)
            for name in asked.keys() & {*PAGES, *COUNTS}:
                plans[name] = "\n".join(_explain(connection, asked[name]))
        if number == 1:
            enqueue_more(database, NOW)
    return plans


def _explain(connection: Connection, ask: Callable[[], Any], how: str = "") -> Iterator[Any]:
    """The plan of each statement that something is asked with."""
    heard: list[tuple[str, Any]] = []

    def hear(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        heard.append((statement, values))

    event.listen(connection, "before_cursor_execute", hear)
    ask()
    event.remove(connection, "before_cursor_execute", hear)
    words = f"EXPLAIN ({how})" if how else "EXPLAIN"
    if connection.dialect.name == "sqlite":
        words = "EXPLAIN QUERY PLAN"
    for statement, values in heard:
        for row in connection.exec_driver_sql(f"{words} {statement}", values):
            yield row[-1]
