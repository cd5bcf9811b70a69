"""A database that is only looked at: nothing of it is written, nor beside it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, select

from publisher.store import schema as s
from publisher.store.database import driver_of, explained
from publisher.store.errors import StoreError
from publisher.store.place import sqlite_path
from publisher.store.version import HEAD, read_version


@contextmanager
def look(url: str, folder: Path, uri: str) -> Iterator[tuple[Connection, int] | None]:
    """One view of a publication's database, and its row's id; None where there is none yet.

    Raises StoreError for a database that is older or newer than this program.
    """
    path = sqlite_path(url, folder)
    if not path.exists():
        yield None
        return
    engine = _connect(path)
    try:
        with explained(path), engine.begin() as connection:
            _require_current(connection, path)
            found = select(s.publication.c.id).where(s.publication.c.uri == uri)
            publication = connection.execute(found).scalar()
            yield None if publication is None else (connection, int(publication))
    finally:
        engine.dispose()


def _connect(path: Path) -> Engine:
    """Of a database that nobody has open the file alone is read, so that none appears beside it.

    Where somebody has, the log of what they wrote is there, and is read too.
    """
    is_open = path.with_name(f"{path.name}-wal").exists()
    uri = f"{path.resolve().as_uri()}?{'mode=ro' if is_open else 'immutable=1'}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, isolation_level=None)

    engine = create_engine("sqlite://", creator=connect)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver_of(connection).execute("BEGIN")

    return engine


def _require_current(connection: Connection, path: Path) -> None:
    if (version := read_version(connection)) != HEAD:
        raise StoreError(
            f"{path} has the schema {version or 'of another program'}, and this program's is"
            f" {HEAD}; `publisher status` brings an older one up to date"
        )
