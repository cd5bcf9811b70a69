"""A database that an earlier version made, with readers and mailings in it, brought up to date."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from publisher.store import version
from publisher.store.database import open_database
from publisher.store.engine_sqlite import connect_sqlite
from publisher.store.errors import StoreError
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import Rule, say

# There was no PostgreSQL then.
pytestmark = pytest.mark.sqlite

URI = "tag:daily.example,2025:test"
ADA, BEN = "ada@reader.example", "ben@leser.example"
# What migrations behind the first one added; what else there is was there before.
_ADDED = {"subscriber": {"language", "paused_until", "links_ended_at"}}


def _make_first(path: Path) -> Engine:
    """An empty database as the first version made it, by its own migration."""
    from alembic import command
    from alembic.config import Config

    engine = connect_sqlite(path)
    config = Config()
    config.set_main_option("script_location", str(Path(version.__file__).parent / "migrations"))
    with engine.connect().execution_options(is_writing=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    return engine


def _copy_into_first(source: Path, target: Path) -> dict[str, int]:
    """The rows of a database of today in one of the first version; gives how many of each table."""
    _make_first(target).dispose()
    raw = sqlite3.connect(target)
    raw.execute("ATTACH ? AS today", (str(source),))
    counts = {}
    names = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    for (name,) in raw.execute(names).fetchall():
        if name == "alembic_version":
            continue
        columns = ", ".join(row[1] for row in raw.execute(f"PRAGMA main.table_info({name})"))
        raw.execute(f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM today.{name}")
        counts[name] = raw.execute(f"SELECT count(*) FROM main.{name}").fetchone()[0]
    raw.commit()
    raw.close()
    return counts


@pytest.fixture
def old(post: Post) -> tuple[Post, dict[str, int]]:
    """A publication that has sent to Ada, with Ben deferred, whose database is an old one."""
    post.subscribe([ADA, BEN])
    post.cli("subscribers", "add", "cleo@reader.example", "--unconfirmed")
    post.server.rules.append(Rule("rcpt", say("450 later"), recipient=BEN, times=1))
    assert post.send().status == 3
    path = post.folder / "publisher.db"
    counts = _copy_into_first(path, post.folder / "old.db")
    for beside in ("-wal", "-shm"):
        Path(f"{path}{beside}").unlink(missing_ok=True)
    # Into the same file: another one would be taken for a copy, which sends nothing.
    path.write_bytes((post.folder / "old.db").read_bytes())
    return post, counts


def test_nothing_is_lost_and_everything_goes_on(old: tuple[Post, dict[str, int]]) -> None:
    post, counts = old
    assert counts["subscriber"] == 3
    assert counts["mailing"] == 2
    assert counts["ledger"] >= 3
    for name, number in counts.items():
        assert post.rows(f"SELECT count(*) FROM {name}") == [(number,)]
    assert post.rows("PRAGMA foreign_key_check") == []
    assert post.rows("PRAGMA foreign_keys") == [(1,)]
    assert post.rows("SELECT DISTINCT language, paused_until FROM subscriber") == [("", None)]
    assert post.status()["counts"]["deferred"] == 1
    listed = post.cli("subscribers", "list", "--json").json["subscribers"]
    assert [each["status"] for each in listed] == ["confirmed", "confirmed", "unconfirmed"]
    database = post.open()
    with database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE delivery SET next_attempt_at = strftime('%s') * 1000 WHERE status = 'deferred'"
        )
    database.close()
    assert post.send().status == 0
    assert post.arrived()[ADA] == post.arrived()[BEN] == 1
    assert post.counts() == {"sent": 2}
    # Numbers of rows are never used again, also where a table was made anew.
    (last,) = post.rows("SELECT seq FROM sqlite_sequence WHERE name = 'mailing'")
    assert last == (2,)
    assert post.cli("send", NAME, "--test", ADA).status == 0
    assert post.rows("SELECT max(id) FROM mailing") == [(3,)]


def test_the_tables_are_those_of_a_new_database(
    old: tuple[Post, dict[str, int]], tmp_path: Path
) -> None:
    post, _ = old
    columns = "SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c"
    query = f"{columns} WHERE m.type = 'table' ORDER BY 1, 2"
    rows = post.rows(query)
    assert {name for table, name in rows if table == "subscriber"} >= _ADDED["subscriber"]
    (tmp_path / "new").mkdir()
    new = open_database("sqlite:///publisher.db", tmp_path / "new", URI)
    with new.read() as connection:
        assert [tuple(row) for row in connection.exec_driver_sql(query)] == rows
    new.close()


def test_a_database_that_contradicts_itself_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "publisher.db"
    _make_first(path).dispose()
    raw = sqlite3.connect(path)
    raw.execute("INSERT INTO publication (uri) VALUES (?)", (URI,))
    raw.execute("INSERT INTO delivery (publication, mailing) VALUES (1, 99)")
    raw.commit()
    raw.close()
    with pytest.raises(StoreError, match="cannot be brought up to date"):
        open_database("sqlite:///publisher.db", tmp_path, URI)
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    assert "language" not in str(raw.execute("SELECT sql FROM sqlite_schema").fetchall())
    raw.close()
