"""What a simulated process runs in: a clock that can be put forth and back, and a disk that fails.

The database is a real one. Faults happen where its transactions end.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from publisher.store import schema as s
from publisher.store.database import Held
from publisher.store.engine_sqlite import connect_sqlite
from publisher.store.errors import StoreError
from publisher.store.installation import claim_home
from publisher.store.place_file import FilePlace

_START = datetime(2025, 12, 15, 5, 30, tzinfo=UTC)
PUBLICATION = 1
# In the order in which rows may be deleted.
_TABLES = (
    *("ledger", "occurrence", "planned_send", "delivery"),
    *("mailing_content", "mailing_choice", "mailing_issue", "mailing"),
)
_TABLES_TOO = (
    "relay",
    "relay_day",
    "consent",
    "subscriber",
    "suppression",
    "superseded",
    "schedule",
    "alert",
    "request",
)
_TABLES_LAST = ("audit", "installation", "publication", "sqlite_sequence")


class Crash(BaseException):
    """`kill -9` at the end of a transaction; `is_durable` tells whether it was committed."""

    def __init__(self, *, is_durable: bool) -> None:
        super().__init__(f"killed {'after' if is_durable else 'before'} a commit")
        self.is_durable = is_durable


class Clock:
    """`true` are seconds that pass evenly; `now` is what programs read, and it jumps."""

    def __init__(self, start: datetime = _START) -> None:
        self.start = start
        self.true = 0.0
        self.ahead = 0.0

    @property
    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.true + self.ahead)


class Disk:
    """An SQLite database in memory, with all tables, used by every simulated process in turn."""

    def __init__(self, folder: Path) -> None:
        # Looked at only, to tell that it is no copy.
        self.place = FilePlace(folder / "publisher.db")
        self.place.path.touch()
        engine = connect_sqlite(":memory:")
        self.connection: Connection = engine.connect()
        # Nothing survives the real end of this process anyway.
        self.run("PRAGMA synchronous = OFF")
        self.run("PRAGMA secure_delete = OFF")
        with self.writing():
            s.metadata.create_all(self.connection)

    def close(self) -> None:
        self.connection.close()
        self.connection.engine.dispose()

    def run(self, sql: str, *values: object) -> list[Any]:
        """One statement by the driver itself, outside of transactions."""
        raw: Any = self.connection.connection.driver_connection
        return raw.execute(sql, values).fetchall()  # type: ignore[no-any-return]

    @property
    def changes(self) -> int:
        """How many rows were ever changed."""
        raw: Any = self.connection.connection.driver_connection
        return raw.total_changes  # type: ignore[no-any-return]

    def clear(self) -> None:
        """Make the database as good as new, so that a history always has the same ids."""
        self.run("BEGIN IMMEDIATE")
        for table in (*_TABLES, *_TABLES_TOO, *_TABLES_LAST):
            self.run(f"DELETE FROM {table}")  # noqa: S608 - our own names
        self.run("INSERT INTO publication (id, uri) VALUES (1, 'tag:sample.example,2025:x')")
        self.run("COMMIT")
        with self.writing() as connection:
            claim_home(connection, self.place)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        self.connection.execution_options(is_writing=True)
        with self.connection.begin():
            yield self.connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        self.connection.execution_options(is_writing=False)
        with self.connection.begin():
            yield self.connection


class Store(Held):
    """The disk as one process has it.

    `fault` is what the next write meets: `before` or `after` its commit the process is killed, and
    at `full` nothing can be written. `ambush` is what another process does before that write.
    """

    def __init__(self, disk: Disk, clock: Clock) -> None:
        self.disk = disk
        self.place = disk.place
        self.publication = PUBLICATION
        self.connection = disk.connection
        self.clock = clock
        self.fault: str | None = None
        self.full_until = 0.0
        self.ambush: Callable[[], None] | None = None
        self.changes = 0

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.disk.reading() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self.ambush is not None:
            ambush, self.ambush = self.ambush, None
            ambush()
        fault, self.fault = self.fault, None
        with self.disk.writing() as connection:
            yield connection
            if fault == "full" or self.clock.true < self.full_until:
                raise StoreError("publisher.db cannot be written: the disk is full")
            if fault == "before":
                raise Crash(is_durable=False)
        if fault == "after":
            raise Crash(is_durable=True)

    @contextmanager
    def write_as_other(self) -> Iterator[Connection]:
        """Another process's transaction, which this one notices by its version."""
        with self.disk.writing() as connection:
            yield connection
        self.changes += 1

    def version(self) -> object:
        return self.changes
