"""`publisher worker`, and how those that deliver are shown."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from publisher.store.schema_batches import worker
from tests.delivery.post import Post

STARTED = datetime(2026, 11, 27, 6, tzinfo=UTC)


@pytest.mark.sqlite
def test_a_worker_wants_a_servers_database(post: Post) -> None:
    outcome = post.cli("worker")
    assert outcome.status == 2
    assert "PostgreSQL" in outcome.err
    assert post.cli("status", "--json").json == {"mailings": []}


@pytest.mark.postgresql
def test_status_shows_who_delivers(post: Post) -> None:
    rows = [
        {"name": "desk:7", "is_lead": True, "sent": 1200, "rate": 55.5, "seconds": 3},
        {"name": "attic:9", "is_lead": False, "sent": 0, "rate": 0.0, "seconds": 7_000},
    ]
    database = post.open()
    with database.write() as connection:
        for row in rows:
            seen_at = datetime.now(UTC) - timedelta(seconds=int(row.pop("seconds")))  # type: ignore[call-overload]
            connection.execute(insert(worker).values(started_at=STARTED, seen_at=seen_at, **row))
    database.close()
    (shown,) = post.cli("status", "--json").json["workers"]
    assert (shown["name"], shown["is_lead"], shown["sent"], shown["rate"]) == (
        *("desk:7", True, 1200, 55.5),
    )
    assert "worker desk:7, leads: 1,200 sent, 56 a second; last heard of" in post.cli("status").out
