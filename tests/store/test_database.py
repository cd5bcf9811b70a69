"""The database itself: made, migrated, refused, backed up, restored and armed."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from publisher.store.database import Database, open_database
from publisher.store.errors import StoreError
from publisher.store.schema import metadata
from publisher.store.version import HEAD, KNOWN
from tests.delivery.post import NAME, Post

URI = "tag:daily.example,2025:test"


def _open(folder: Path) -> Database:
    return open_database("sqlite:///publisher.db", folder, URI)


def test_the_migrations_make_the_tables_of_the_schema(tmp_path: Path) -> None:
    database = _open(tmp_path)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_every_migration_is_known() -> None:
    import publisher.store.migrations.versions as versions

    folder = Path(versions.__file__).parent
    found = sorted(path.name.partition("_")[0] for path in folder.glob("[0-9]*.py"))
    assert tuple(found) == KNOWN
    assert found[-1] == HEAD


def test_each_table_of_readers_mailings_and_schedules_names_its_publication() -> None:
    others = {"installation", "publication"}
    without = {t.name for t in metadata.sorted_tables if "publication" not in t.columns}
    assert without == others


def test_it_promises_what_the_ledger_rests_on(tmp_path: Path) -> None:
    database = _open(tmp_path)
    with database.read() as connection:
        pragmas: dict[str, Any] = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    database.close()
    full = 2
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "secure_delete": 1,
    }


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    _open(tmp_path).close()
    assert (tmp_path / "publisher.db").stat().st_mode & 0o077 == 0


def test_a_newer_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    _open(tmp_path).close()
    raw = sqlite3.connect(tmp_path / "publisher.db")
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    with pytest.raises(StoreError, match="newer publisher"):
        _open(tmp_path)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "publisher.db")
    raw.execute("CREATE TABLE theirs (id)")
    raw.close()
    with pytest.raises(StoreError, match="some other program"):
        _open(tmp_path)


@pytest.mark.parametrize("content", [b"no database at all, but long enough" * 100, b"\x00" * 5000])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "publisher.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged|no database"):
        _open(tmp_path)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        open_database("sqlite:///nowhere/publisher.db", tmp_path, URI)


def test_many_processes_make_one_database(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from publisher.store.database import open_database;"
        f"open_database('sqlite:///publisher.db', Path(sys.argv[1]), {URI!r}).close()"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate()[1] for process in processes] == [b""] * 4
    database = _open(tmp_path)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM publication").scalar() == 1
    database.close()


# Backup, restore, arm

READERS = ["ada@reader.example", "ben@leser.example"]


def test_a_backup_is_restored_paused_and_sends_nothing_until_armed(post: Post) -> None:
    from tests.smtp.scripted import Rule, say

    post.subscribe(READERS)
    post.server.rules.append(Rule("rcpt", say("450 later"), recipient=READERS[0], times=1))
    post.send()
    assert post.cli("backup", "copy.db").status == 0
    assert post.cli("restore", "copy.db", "--json").json["kept"] is not None
    assert post.status()["status"] == "paused"
    refused = post.send()
    assert refused.status == 2
    assert "publisher arm" in refused.err
    assert post.cli("run", "--once").status == 2
    assert post.cli("arm", "--json").json["resumed"] == [NAME]
    assert post.status()["status"] == "sending"
    assert post.counts() == {"deferred": 1, "sent": 1}


def test_a_mailing_that_an_operator_paused_stays_paused(post: Post) -> None:
    from tests.smtp.scripted import Rule, say

    post.subscribe(READERS)
    post.server.rules.append(Rule("rcpt", say("450 later")))
    post.send()
    post.cli("pause", NAME)
    post.cli("backup", "copy.db")
    post.cli("restore", "copy.db")
    assert post.cli("arm", "--json").json["resumed"] == []
    assert post.status()["status"] == "paused"


@pytest.mark.sqlite
def test_a_copied_database_sends_nothing_until_armed(post: Post) -> None:
    post.subscribe(READERS)
    database = post.folder / "publisher.db"
    raw = sqlite3.connect(database)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    shutil.copy(database, post.folder / "other.db")
    (post.folder / "other.db").replace(database)
    assert post.send().status == 2
    assert post.cli("arm").status == 0
    assert post.send().status == 0


def test_a_backup_while_it_is_sending_is_whole(post: Post) -> None:
    post.server.delay = 0.01
    readers = post.subscribe(60)
    sending = post.start("send", NAME, "--yes")
    while not post.server.messages:
        assert sending.poll() is None
    assert post.cli("backup", "copy.db").status == 0
    sending.communicate(timeout=60)
    raw = sqlite3.connect(post.folder / "copy.db")
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert raw.execute("SELECT count(*) FROM delivery").fetchone() == (len(readers),)
    assert raw.execute("SELECT status FROM mailing").fetchone() == ("paused",)


def test_a_restore_refuses_what_is_no_backup_of_this_publication(post: Post) -> None:
    post.subscribe(READERS)
    (post.folder / "junk.db").write_bytes(b"junk" * 1000)
    assert post.cli("restore", "junk.db").status == 2
    assert post.cli("restore", "nowhere.db").status == 2
    other = open_database("sqlite:///other.db", post.folder, "tag:other.example,2025:x")
    other.close()
    assert "another publication" in post.cli("restore", "other.db").err
    assert len(post.cli("subscribers", "list", "--json").json["subscribers"]) == 2


def test_nothing_is_restored_under_a_process_that_sends(post: Post) -> None:
    post.server.delay = 0.05
    post.configure(connections=1)
    post.subscribe(40)
    post.cli("backup", "copy.db")
    sending = post.start("send", NAME, "--yes")
    while not post.server.messages:
        assert sending.poll() is None
    assert "stop it" in post.cli("restore", "copy.db").err
    sending.terminate()
    sending.communicate(timeout=60)


def test_a_backup_that_cannot_be_written_leaves_nothing(post: Post) -> None:
    post.subscribe(READERS)
    (post.folder / "taken").mkdir()
    itself = ["publisher.db"] if (post.folder / "publisher.db").exists() else []
    for target in ("taken", "nowhere/copy.db", *itself):
        assert post.cli("backup", target).status == 2, target
    assert not list(post.folder.rglob("*.new"))
    assert len(post.cli("subscribers", "list", "--json").json["subscribers"]) == 2
