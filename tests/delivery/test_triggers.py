"""Many triggers at the same moment, by hand and by a schedule, are one mailing: promise 6."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from publisher.store import arming, installation
from tests.delivery.post import NAME, Post

SCHEDULE = '[[schedule]]\nname = "daily"\ncron = "* * * * *"\nsettle = "0s"\n'
READERS = 20


def _prepare(post: Post) -> list[str]:
    """An issue that is ready, built and due, by hand and by a schedule."""
    date = datetime.now(UTC) - timedelta(minutes=5)
    post.cli.issue(NAME, date=date.isoformat(timespec="seconds"))
    post.configure(SCHEDULE)
    readers = post.subscribe(READERS)
    assert post.cli("run", "--once").status == 0
    database = post.open()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE schedule SET first_seen_at = first_seen_at - 120000")
    database.close()
    return readers


def _end(process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
    out, err = process.communicate(timeout=900)
    return process.returncode, out, err


def _trigger(post: Post, sends: int) -> None:
    """All at once: `send` so many times, `run --once` in the middle of them."""
    readers = _prepare(post)
    words: list[tuple[str, ...]] = [("send", NAME, "--yes", "--json")] * sends
    words.insert(sends // 2, ("run", "--once", "--json"))
    with ThreadPoolExecutor(len(words)) as threads:
        ends = list(threads.map(_end, [post.start(*each) for each in words]))
    for status, out, err in ends:
        assert status in (0, 5), err.decode()
        assert b"Traceback" not in err, err.decode()
        json.loads(out)
    assert post.arrived() == dict.fromkeys(readers, 1)
    (mailing,) = post.cli("status", "--json").json["mailings"]
    assert mailing["status"] == "finished"
    assert mailing["counts"]["sent"] == READERS


@pytest.mark.sqlite
def test_who_begins_to_deliver_meanwhile_makes_no_copy_of_the_database(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another `send` comes between the look at the database and that at the mark beside it."""
    post.subscribe(1)
    assert post.send().status == 0
    find_marks = installation.find_marks

    def be_slow(connection: Connection) -> list[str]:
        found = find_marks(connection)
        monkeypatch.undo()
        post.subscribe(["ben@reader.example"])
        assert post.cli("send", NAME, "--test", "ben@reader.example").status == 0
        return found

    monkeypatch.setattr(arming, "find_marks", be_slow)
    database = post.open()
    with database.read() as connection:
        assert arming.find_unarmed(connection, database.place) == ""
    assert len(post.server.messages) == 2
    database.close()


def test_eight_triggers_at_once_are_one_mailing(post: Post) -> None:
    _trigger(post, 7)


@pytest.mark.long
@pytest.mark.parametrize("number", range(20))
def test_fifty_triggers_at_once_are_one_mailing(post: Post, number: int) -> None:
    _trigger(post, 49)
