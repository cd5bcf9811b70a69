"""A database of a PostgreSQL server: what it is called, and what tells it from a copy."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, Engine

from publisher.store import engine_postgresql as server
from publisher.store.errors import StoreError

# Which cluster, of which history, which database of it, and which table: a copy by the server, one
# from a dump, and one that was put over this one each have another of them.
_MAY_ASK = """
    SELECT has_function_privilege('pg_control_system()', 'EXECUTE')
        AND has_function_privilege('pg_control_checkpoint()', 'EXECUTE')
"""
_CLUSTER = "SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()"
_DATABASE = """
    SELECT oid, 'installation'::regclass::oid FROM pg_database WHERE datname = current_database()
"""


class ServerPlace:
    """A PostgreSQL server's database, as used from a publication's folder."""

    copied = "is a copy, or was restored, or another server has taken its place"
    is_marked = False

    def __init__(self, url: str, folder: Path) -> None:
        psycopg = server.require_psycopg()
        self.failures: tuple[type[Exception], ...] = (psycopg.Error,)
        self.violations: tuple[type[Exception], ...] = (psycopg.errors.IntegrityError,)
        self.url = url
        self.folder = folder
        self._target = server.read_url(url)

    @property
    def name(self) -> str:
        host = self._target.host or self._target.query.get("host") or "this machine"
        return f"the database {self._target.database or self._target.username} at {host}"

    @property
    def beside(self) -> Path:
        """In the folder, whose machine need not be the only one that delivers from here."""
        key = sha256(self._target.render_as_string(hide_password=True).encode()).hexdigest()[:16]
        return self.folder / ".publisher" / f"delivery-{key}"

    def explain(self, error: BaseException | None) -> str:
        return server.explain_postgresql(self.name, error)

    def find_outage(self) -> str:
        """Why the server does not answer, in words; empty where it does, whatever it says."""
        error = server.find_outage(self.url)
        return "" if error is None else self.explain(error)

    def exists(self) -> bool:
        return True

    def prepare(self) -> None:
        """It is there, or its server says what is wrong."""

    def connect(self) -> Engine:
        return server.connect_postgresql(self.url)

    def bring_up_to_date(self, engine: Engine) -> None:
        from publisher.store.version import bring_server_up_to_date

        bring_server_up_to_date(engine, self.name)

    def find_home(self, connection: Connection) -> str:
        cluster: Sequence[object] = ()
        if connection.exec_driver_sql(_MAY_ASK).scalar():
            cluster = connection.exec_driver_sql(_CLUSTER).one()
        return ":".join(map(str, (*cluster, *connection.exec_driver_sql(_DATABASE).one())))

    def watch(self, connection: Connection) -> Callable[[], object]:
        return server.Watch(connection)

    def is_lost(self, connection: Connection) -> bool:
        return connection.invalidated or bool(connection.connection.driver_connection.closed)  # type: ignore[union-attr]

    def measure(self, connection: Connection) -> int:
        size = connection.exec_driver_sql("SELECT pg_database_size(current_database())")
        return int(size.scalar_one())

    def scrub(self, engine: Engine, emails: Sequence[str], seconds: float) -> bool:
        """The server's own vacuum overwrites what was deleted, and its log, when it comes to it."""
        return True

    def lock(self, number: int, *, is_shared: bool = False) -> server.SessionLock | None:
        """A lock of the database; None where another process has it. Raises StoreError.

        To be the only one with the database, nobody else may be connected either: whoever was while
        the server was started again has lost the lock that said so.
        """
        lock = server.SessionLock(self.url, number, is_shared=is_shared)
        try:
            if not lock.take():
                return None
            if number == server.OPEN and not is_shared and not lock.is_alone():
                lock.release()
                return None
            return lock
        except self.failures as error:
            raise StoreError(self.explain(error)) from error
