"""A database that is only looked at: nothing of it is written, nor beside it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, select

from publisher.store import schema as s
from publisher.store.database import explained
from publisher.store.engine_sqlite import raw_of
from publisher.store.errors import StoreError
from publisher.store.place import Place, find_place
from publisher.store.place_file import FilePlace
from publisher.store.version import HEAD, read_version


@contextmanager
def look(url: str, folder: Path, uri: str) -> Iterator[tuple[Connection, int] | None]:
    """One view of a publication's database, and its row's id; None where there is none yet.

    Raises StoreError for a database that is older or newer than this program.
    """
    place = find_place(url, folder)
    if not place.exists():
        yield None
        return
    engine = _connect(place.path) if isinstance(place, FilePlace) else place.connect()
    try:
        with explained(place), engine.begin() as connection:
            if not _is_current(connection, place):
                yield None
                return
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
        raw_of(connection).execute("BEGIN")

    return engine


def _is_current(connection: Connection, place: Place) -> bool:
    """False for a server's database in which nothing was made yet. Raises StoreError."""
    version = read_version(connection)
    if version == "" and not isinstance(place, FilePlace):
        return False
    if version != HEAD:
        name = place.path if isinstance(place, FilePlace) else place.name
        raise StoreError(
            f"{name} has the schema {version or 'of another program'}, and this program's is"
            f" {HEAD}; `publisher status` brings an older one up to date"
        )
    return True
