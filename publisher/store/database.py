"""One database, opened: readers read, and a writer is alone from its first statement on."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError, IntegrityError

from publisher.store import schema as s
from publisher.store.errors import StoreError
from publisher.store.installation import claim_home
from publisher.store.place import require_local, sqlite_path
from publisher.store.version import bring_up_to_date

# Another process's transaction ends within this, the enqueueing of a million readers included.
_BUSY_SECONDS = 60
_HELD_BUSY_MILLISECONDS = 1_000
# Pages of the database in memory for each connection, in KiB: with one for the loop and one for
# who looks on, much below what delivery may take in all.
_CACHE_KIB = 16_000


class Database:
    """A publication's database. `publication` is its row's id, `path` the file (SQLite)."""

    def __init__(self, engine: Engine, path: Path, publication: int) -> None:
        self.engine = engine
        self.path = path
        self.publication = publication

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to read with: one view of the whole, which no writer waits for."""
        with explained(self.path), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection to write with: what it did is durable after it, or did not happen."""
        with explained(self.path), self.engine.connect() as connection:
            connection = connection.execution_options(is_writing=True)
            with connection.begin():
                yield connection

    @contextmanager
    def hold(self) -> Iterator["Held"]:
        """One connection to read and write with for long, which notices what others change.

        It waits for nobody for longer than a second: who holds it can do something else meanwhile.
        """
        with self.engine.connect() as connection:
            driver_of(connection).execute(f"PRAGMA busy_timeout = {_HELD_BUSY_MILLISECONDS}")
            try:
                yield Held(self, connection)
            finally:
                connection.invalidate()

    def close(self) -> None:
        self.engine.dispose()


class Held:
    """A database by one connection of its own; for one thread."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self.path = database.path
        self.publication = database.publication
        self.connection = connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One view of the whole, to read with."""
        self.connection.execution_options(is_writing=False)
        with explained(self.path), self.connection.begin():
            yield self.connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """To write with: what was done is durable after it, or did not happen."""
        self.connection.execution_options(is_writing=True)
        with explained(self.path), self.connection.begin():
            yield self.connection

    def version(self) -> object:
        """Another value than before where anybody else has changed the database since."""
        return driver_of(self.connection).execute("PRAGMA data_version").fetchone()[0]


def open_database(url: str, folder: Path, publication_uri: str) -> Database:
    """Open the database of the publication in `folder`, made or brought up to date as needed.

    Raises StoreError where it cannot be used: a newer one, not one of ours, a network's disk.
    """
    path = sqlite_path(url, folder)
    require_local(path)
    engine = connect_sqlite(path)
    try:
        with explained(path):
            _open_file(path)
            bring_up_to_date(engine, path)
            return Database(engine, path, _find_publication(engine, path, publication_uri))
    except BaseException:
        engine.dispose()
        raise


def connect_sqlite(path: Path | str) -> Engine:
    """An engine on an SQLite file (or `:memory:`) with the promises that the ledger rests on."""
    url = URL.create("sqlite", database=str(path))  # whatever its name has in it
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(raw: sqlite3.Connection, _: Any) -> None:
        raw.isolation_level = None  # BEGIN is ours to say
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
            f"cache_size = -{_CACHE_KIB}",
        ):
            raw.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads and then writes fails at once where another one wrote between.
        is_writing = connection.get_execution_options().get("is_writing")
        driver_of(connection).execute("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    return engine


def driver_of(connection: Connection) -> Any:
    """The driver's own connection, in the same transaction, for what runs for every message."""
    return connection.connection.driver_connection


def _open_file(path: Path) -> None:
    """Make the file readable by its owner alone: it holds the readers' addresses."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"the database {path} cannot be opened: {error.strerror}") from None


def _find_publication(engine: Engine, path: Path, uri: str) -> int:
    found = select(s.publication.c.id).where(s.publication.c.uri == uri)
    with engine.begin() as connection:
        if (row := connection.execute(found).scalar()) is not None:
            return int(row)
    with engine.connect().execution_options(is_writing=True) as connection, connection.begin():
        connection.execute(insert(s.publication).values(uri=uri).on_conflict_do_nothing())
        claim_home(connection, path)
        return int(connection.execute(found).scalar_one())


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the disk or another process did to the database into words."""
    try:
        yield
    except (IntegrityError, sqlite3.IntegrityError):
        raise  # a rule of ours, which the caller explains
    except DatabaseError as error:
        raise StoreError(_explain(path, error.orig)) from error
    except sqlite3.DatabaseError as error:
        raise StoreError(_explain(path, error)) from error


def _explain(path: Path, error: BaseException | None) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return (
            f"{path} is damaged or no database of publisher's ({error}); `publisher restore FILE`"
            " brings a backup back"
        )
    if name.startswith("SQLITE_FULL"):
        return f"{path} cannot be written: the disk is full"
    if name.startswith("SQLITE_READONLY"):
        return f"this account may not write {path}"
    if name.startswith("SQLITE_BUSY"):
        return f"{path} is busy: another process has been writing for too long"
    return f"the database {path} failed: {error}"
