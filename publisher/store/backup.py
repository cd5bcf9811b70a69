"""A consistent copy of the database, and the way back: neither ever sends by itself."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from publisher.store.arming import disarm
from publisher.store.database import Database, connect_sqlite, open_database
from publisher.store.errors import StoreError
from publisher.store.place import sqlite_path
from publisher.store.readings import close_all_days

# SQLite's own files beside a database (https://www.sqlite.org/wal.html).
_BESIDE = ("-wal", "-shm", "-journal")
_PAGES_AT_ONCE = 1_000


def back_up(database: Database, target: Path, now: datetime) -> int:
    """Copy the database to a file that is whole or not there; give its size in bytes.

    Others may read and write meanwhile. Raises StoreError where the file cannot be written.
    """
    if target.exists() and target.samefile(database.path):
        raise StoreError(f"{target} is the database itself; name another file")
    if target.exists() and not target.is_file():
        raise StoreError(f"{target} is no file; name another one")
    aside = target.with_name(f".{target.name}.new")
    try:
        _remove(aside)
        _copy(database.path, aside)
        _mark_unarmed(aside, database, now)
        _sync(aside)
        aside.replace(target)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}") from None
    except sqlite3.Error as error:
        raise StoreError(f"{target} cannot be written: {error}") from None
    finally:
        _remove(aside)
    return target.stat().st_size


@contextmanager
def copying(database: Database, target: Path, now: datetime) -> Iterator[Database]:
    """Copy the database as `back_up` does, and open the copy, which is gone afterwards."""
    aside = target.with_name(f".{target.name}.db")
    try:
        back_up(database, aside, now)
        copied = Database(connect_sqlite(aside), aside, database.publication)
        try:
            yield copied
        finally:
            copied.close()
    finally:
        _remove(aside)


def _copy(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    reading, writing = sqlite3.connect(source), sqlite3.connect(target)
    try:
        reading.backup(writing, pages=_PAGES_AT_ONCE)
        # One file, which needs no other beside it.
        writing.execute("PRAGMA journal_mode = DELETE")
    finally:
        reading.close()
        writing.close()


def _mark_unarmed(copy: Path, database: Database, now: datetime) -> None:
    engine = connect_sqlite(copy)
    try:
        with engine.connect().execution_options(is_writing=True) as connection, connection.begin():
            disarm(connection, database.publication, now)
            # A copy is kept for longer than anybody is to be recognised.
            close_all_days(connection, database.publication)
    finally:
        engine.dispose()
    closing = sqlite3.connect(copy)
    closing.execute("PRAGMA journal_mode = DELETE")
    closing.close()


def restore(
    url: str, folder: Path, publication_uri: str, source: Path, now: datetime
) -> Path | None:
    """Put a backup in the database's place, unarmed; give where the one before it is kept.

    Nothing may be sending meanwhile. Raises StoreError where the file is no backup of this
    publication, or where a process delivers.
    """
    path = sqlite_path(url, folder)
    _require_backup(source, publication_uri)
    aside = path.with_name(f".{path.name}.new")
    _remove(aside)
    try:
        shutil.copyfile(source, aside)
        aside.chmod(0o600)
        _sync(aside)
        kept = _set_aside(path, now)
        aside.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        _remove(aside)
    database = open_database(url, folder, publication_uri)  # and brought up to date
    with database.write() as connection:
        disarm(connection, database.publication, now)
    database.close()
    return kept


def _require_backup(source: Path, publication_uri: str) -> None:
    if not source.is_file():
        raise StoreError(f"there is no file {source}")
    try:
        connection = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
        uris = [row[0] for row in connection.execute("SELECT uri FROM publication")]
        is_whole = connection.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"{source} is no backup of publisher's: {error}") from None
    if not is_whole:
        raise StoreError(f"{source} is damaged")
    if publication_uri not in uris:
        raise StoreError(f"{source} is of another publication: {', '.join(uris)}")


def _set_aside(path: Path, now: datetime) -> Path | None:
    """Keep the database that is there, with what belongs to it, under another name."""
    if not path.exists():
        return None
    kept = path.with_name(f"{path.name}.before-{now:%Y%m%dT%H%M%SZ}")
    for end in ("", *_BESIDE):
        if (file := path.with_name(path.name + end)).exists():
            file.replace(kept.with_name(kept.name + end))
    return kept


def _sync(path: Path) -> None:
    for each, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY | os.O_DIRECTORY)):
        descriptor = os.open(each, flags | os.O_CLOEXEC)
        os.fsync(descriptor)
        os.close(descriptor)


def _remove(path: Path) -> None:
    for end in ("", *_BESIDE):
        path.with_name(path.name + end).unlink(missing_ok=True)
