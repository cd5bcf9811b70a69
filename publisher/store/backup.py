"""A consistent copy of the database, and the way back: neither ever sends by itself.

A copy is one SQLite file whatever the database is, and comes back into either kind.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select

from publisher.store import schema as s
from publisher.store.arming import disarm
from publisher.store.copying import copy_all, empty_all
from publisher.store.database import Database, explained, open_database, writing
from publisher.store.engine_sqlite import connect_sqlite
from publisher.store.errors import StoreError
from publisher.store.installation import UNARMED, set_home
from publisher.store.place import find_place
from publisher.store.place_file import FilePlace
from publisher.store.readings import close_all_days
from publisher.store.version import bring_up_to_date

# SQLite's own files beside a database (https://www.sqlite.org/wal.html).
_BESIDE = ("-wal", "-shm", "-journal")
_PAGES_AT_ONCE = 1_000


def back_up(database: Database, target: Path, now: datetime) -> int:
    """Copy the database to a file that is whole or not there; give its size in bytes.

    Others may read and write meanwhile. Raises StoreError where the file cannot be written.
    """
    place = database.place
    if target.exists() and isinstance(place, FilePlace) and target.samefile(place.path):
        raise StoreError(f"{target} is the database itself; name another file")
    if target.exists() and not target.is_file():
        raise StoreError(f"{target} is no file; name another one")
    aside = target.with_name(f".{target.name}.new")
    try:
        _remove(aside)
        os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        if isinstance(place, FilePlace):
            _copy_file(place.path, aside)
        else:
            _copy_tables(database, aside)
        _mark_unarmed(aside, database.publication, now)
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
        copied = Database(connect_sqlite(aside), FilePlace(aside), database.publication)
        try:
            yield copied
        finally:
            copied.close()
    finally:
        _remove(aside)


def _copy_file(source: Path, target: Path) -> None:
    reading, writing = sqlite3.connect(source), sqlite3.connect(target)
    try:
        reading.backup(writing, pages=_PAGES_AT_ONCE)
        # One file, which needs no other beside it.
        writing.execute("PRAGMA journal_mode = DELETE")
    finally:
        reading.close()
        writing.close()


def _copy_tables(database: Database, target: Path) -> None:
    """Copy a server's tables, in one view of them."""
    engine = connect_sqlite(target)
    try:
        bring_up_to_date(engine, target)
        with database.read() as source, writing(engine) as connection:
            copy_all(source, connection)
    finally:
        engine.dispose()


def _mark_unarmed(copy: Path, publication: int, now: datetime) -> None:
    engine = connect_sqlite(copy)
    try:
        with writing(engine) as connection:
            disarm(connection, publication, now)
            # A copy is kept for longer than anybody is to be recognised.
            close_all_days(connection, publication)
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
    place = find_place(url, folder)
    _require_backup(source, publication_uri)
    if isinstance(place, FilePlace):
        kept = _restore_file(place.path, source, now)
    else:
        kept = folder / f"publisher.db.before-{now:%Y%m%dT%H%M%SZ}"
        _restore_tables(url, folder, publication_uri, source, kept, now)
    database = open_database(url, folder, publication_uri)  # and brought up to date
    with database.write() as connection:
        disarm(connection, database.publication, now)
    database.close()
    return kept


def _restore_file(path: Path, source: Path, now: datetime) -> Path | None:
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
    return kept


def _restore_tables(
    url: str, folder: Path, publication_uri: str, source: Path, kept: Path, now: datetime
) -> None:
    """Put a backup's rows in place of a server's, in one transaction; those are kept in a file."""
    database = open_database(url, folder, publication_uri)
    try:
        with database.read() as connection:
            _require_alone(connection, publication_uri)
        back_up(database, kept, now)
        with explained(database.place):
            load_backup(source, kept.with_name(f".{kept.name}.db"), database)
    finally:
        database.close()


def _require_alone(connection: Connection, publication_uri: str) -> None:
    others = select(s.publication.c.uri).where(s.publication.c.uri != publication_uri)
    if uri := connection.execute(others).scalar():
        raise StoreError(
            f"the database has another publication as well, {uri}, which would be gone"
        )


def load_backup(source: Path, aside: Path, database: Database) -> None:
    """Put a backup's rows in place of a server's; `aside` is a file to work on.

    They send nothing: the server's home is not known to be theirs.
    """
    try:
        shutil.copyfile(source, aside)
        aside.chmod(0o600)
        engine = connect_sqlite(aside)
        try:
            bring_up_to_date(engine, aside)
            with engine.begin() as reading, database.write() as connection:
                empty_all(connection)
                copy_all(reading, connection)
                set_home(connection, UNARMED)
        finally:
            engine.dispose()
    except OSError as error:
        raise StoreError(f"{aside} cannot be written: {error.strerror}") from None
    finally:
        _remove(aside)


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
