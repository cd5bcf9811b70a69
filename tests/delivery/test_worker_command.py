"""`publisher worker`, and how those that deliver are shown."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.engine import make_url

from publisher.store.schema_batches import worker
from tests import postgresql
from tests.delivery.cables import Cable
from tests.delivery.post import Post
from tests.delivery.workers import target_of

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


@pytest.fixture
def cable(post: Post) -> Iterator[Cable]:
    """The only way to the server, and nothing goes through it yet."""
    url = os.environ["PUBLISHER_DATABASE__URL"]
    with Cable(target_of(url)) as cable:
        cable.cut()
        there = make_url(url).set(host="127.0.0.1", port=cable.port, query={})
        shown = there.render_as_string(hide_password=False)
        post.cli.monkeypatch.setenv("PUBLISHER_DATABASE__URL", shown)
        yield cable


@contextmanager
def waiting(post: Post) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that has said that it waits for the server."""
    process = post.start("worker", "--json")
    try:
        assert process.stderr is not None
        said = process.stderr.readline().decode()
        assert "cannot be reached" in said
        assert "is waited for" in said
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.postgresql
def test_a_worker_waits_for_a_server_that_is_not_there_yet(post: Post, cable: Cable) -> None:
    with waiting(post) as process:
        cable.mend()
        assert process.stdout is not None
        assert process.stdout.readline() == b"{\n"
        assert f":{process.pid}" in process.stdout.readline().decode()
        process.terminate()
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0
        assert said == b""


@pytest.mark.postgresql
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_waits_ends_when_told_to(
    post: Post, cable: Cable, number: signal.Signals
) -> None:
    with waiting(post) as process:
        cable.hold()  # whoever tries again hears nothing
        process.send_signal(number)
        out, said = process.communicate(timeout=5)
        assert process.returncode == 0
        assert (out, said) == (b"", b"")


@pytest.mark.postgresql
def test_a_worker_does_not_wait_for_what_the_server_refuses(post: Post) -> None:
    url = os.environ["PUBLISHER_DATABASE__URL"]
    post.cli.monkeypatch.setenv("PUBLISHER_DATABASE__URL", postgresql.url_of(url, "nobodys"))
    outcome = post.cli("worker")
    assert outcome.status == 2
    assert 'database "nobodys" does not exist' in outcome.err
