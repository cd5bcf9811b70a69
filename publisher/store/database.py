"""One database, opened: readers read, and a writer is alone from its first statement on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError

from publisher.store import schema as s
from publisher.store.errors import StoreError
from publisher.store.installation import claim_home
from publisher.store.place import Place, find_place


class Database:
    """A publication's database. `publication` is its row's id, `place` where it is."""

    def __init__(self, engine: Engine, place: Place, publication: int) -> None:
        self.engine = engine
        self.place = place
        self.publication = publication

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to read with: one view of the whole, which no writer waits for."""
        with explained(self.place), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection to write with: what it did is durable after it, or did not happen."""
        with explained(self.place), writing(self.engine) as connection:
            yield connection

    @contextmanager
    def hold(self) -> Iterator["Held"]:
        """One connection to read and write with for long, which notices what others change.

        It waits for nobody for longer than a second: who holds it can do something else meanwhile.
        """
        with explained(self.place):
            connection = self.engine.connect()
        try:
            with explained(self.place):
                held = Held(self, connection)
            yield held
        finally:
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        self.engine.dispose()


class Held:
    """A database by one connection of its own; for one thread.

    Several may write at once where the database is a server's, each to the rows that it has locked;
    but never while anybody else writes.
    """

    def __init__(self, database: Database, connection: Connection) -> None:
        self.place = database.place
        self.publication = database.publication
        self.connection = connection
        self._watch = self.place.watch(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One view of the whole, to read with."""
        self.connection.execution_options(is_writing=False)
        with self._explained(), self.connection.begin():
            yield self.connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """To write with: what was done is durable after it, or did not happen."""
        self.connection.execution_options(is_writing=True, is_sharing=True)
        with self._explained(), self.connection.begin():
            yield self.connection

    def version(self) -> object:
        """Another value than before where anybody else has changed the database since."""
        with self._explained():
            return self._watch()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """A connection that is lost is replaced by the next use of it."""
        try:
            with explained(self.place):
                yield
        except StoreError:
            if not self.connection.closed and self.place.is_lost(self.connection):
                self.connection.invalidate()
            raise


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes, alone."""
    with engine.connect() as connection:
        connection = connection.execution_options(is_writing=True)
        with connection.begin():
            yield connection


def open_database(url: str, folder: Path, publication_uri: str) -> Database:
    """Open the database of the publication in `folder`, made or brought up to date as needed.

    Raises StoreError where it cannot be used: a newer one, not one of ours, a network's disk.
    """
    place = find_place(url, folder)
    place.prepare()
    engine = place.connect()
    try:
        with explained(place):
            place.bring_up_to_date(engine)
            return Database(engine, place, _find_publication(engine, place, publication_uri))
    except BaseException:
        engine.dispose()
        raise


def _find_publication(engine: Engine, place: Place, uri: str) -> int:
    found = select(s.publication.c.id).where(s.publication.c.uri == uri)
    with engine.begin() as connection:
        if (row := connection.execute(found).scalar()) is not None:
            return int(row)
    with writing(engine) as connection:
        connection.execute(insert(s.publication).values(uri=uri).on_conflict_do_nothing())
        claim_home(connection, place)
        return int(connection.execute(found).scalar_one())


@contextmanager
def explained(place: Place) -> Iterator[None]:
    """Turn what the disk, the server or another process did to the database into words."""
    try:
        yield
    except IntegrityError:
        raise  # a rule of ours, which the caller explains
    except place.violations:
        raise
    except DBAPIError as error:
        raise StoreError(place.explain(error.orig)) from error
    except place.failures as error:
        raise StoreError(place.explain(error)) from error
