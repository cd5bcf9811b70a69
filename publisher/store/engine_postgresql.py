"""PostgreSQL: how a server is connected to, how transactions begin, and its errors in words.

A writer is alone from its first statement on, as on SQLite: it takes an advisory lock, which ends
with its transaction. Those that write together, each to rows of its own, share the lock.
"""

import select
from contextlib import suppress
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from publisher.store.errors import StoreError

# The older ones are not maintained any more.
LEAST_VERSION = 14
# Advisory locks have two numbers: this one, and what it is that is locked. They are of one
# database, which has one publication.
LOCKS = 0x7075626C
WRITING, MIGRATING, DELIVERING, OPEN = 1, 2, 3, 4
CHANNEL = "publisher"

# Nothing hangs for ever. A server or a network that is gone is noticed within a minute; a writer
# waits for another one for as long, and an enqueueing of ten million readers may take a while.
_SETTINGS = {
    "lock_timeout": "60s",
    "statement_timeout": "30min",
    "idle_in_transaction_session_timeout": "2min",
    "client_connection_check_interval": "10s",
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
    # Compiling takes a tenth of a second, and a page of many millions a hundredth of that.
    "jit": "off",
    # Written out when a commit returns, whatever the server's own settings are.
    "synchronous_commit": "on",
}
_OF_SESSION = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
_KEPT_ALIVE = {
    "connect_timeout": 10,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    "application_name": "publisher",
    "client_encoding": "utf8",
}
# Who holds a connection for long has many others wait for each transaction of it, and stops none.
_OF_HELD = (
    "SET lock_timeout = '1s'; SET idle_in_transaction_session_timeout = '5s';"
    # Its statements are a few, and look for few rows: to plan them takes longer than to run them,
    # and a plan must not be of a time when all there was could be read, or sorted, at once.
    " SET plan_cache_mode = force_generic_plan; SET jit = off;"
    " SET enable_seqscan = off; SET enable_sort = off; SET max_parallel_workers_per_gather = 0"
)

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_LOCK = f"pg_advisory_xact_lock({LOCKS}, {WRITING})"
# Others are told at its end, if it has one.
_BEGIN_WRITING = f"BEGIN; NOTIFY {CHANNEL}; SELECT {_LOCK}"
_BEGIN_SHARING = f"BEGIN; SELECT {_LOCK.replace('lock(', 'lock_shared(')}"


def require_psycopg() -> ModuleType:
    """The driver. Raises StoreError where it is not installed."""
    try:
        import psycopg
    except ImportError as error:
        raise StoreError(
            f"database.url names PostgreSQL, whose driver is missing ({error});"
            " pip install 'publisher[postgresql]' brings it"
        ) from None
    return psycopg


def read_url(url: str) -> URL:
    """Raises StoreError for one that cannot be read, which is not repeated."""
    try:
        return make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise StoreError(
            "database.url cannot be read; it is like postgresql://USER@HOST/NAME, with what is"
            " special in a password percent-encoded"
        ) from None


def connect_arguments(url: str) -> tuple[Any, dict[str, Any]]:
    """A URL as what the driver's `connect` is given: its words, and its options by name."""
    target = read_url(url)
    words, options = target.get_dialect()().create_connect_args(target)
    return words, {**options, **_KEPT_ALIVE}


def find_outage(url: str) -> Exception | None:
    """Why a server does not answer, as while it starts; None where it does.

    That it refuses who asks, or knows no such database, is an answer.
    """
    psycopg = require_psycopg()
    words, options = connect_arguments(url)
    outage: Exception | None = None
    try:
        psycopg.connect(*words, **options).close()
    except psycopg.errors.ConnectionTimeout as error:
        outage = error
    except psycopg.Error as error:
        # Which of the two it was only libpq can tell: without a connection there is no SQLSTATE.
        target = psycopg.conninfo.make_conninfo(*words, **options)
        ping = psycopg.pq.Ping(psycopg.pq.PGconn.ping(target.encode()))
        outage = error if ping in (ping.REJECT, ping.NO_RESPONSE) else None
    return outage


def connect_postgresql(url: str) -> Engine:
    """An engine on a server's database with the promises that the ledger rests on."""
    psycopg = require_psycopg()
    # BEGIN is ours to say. A connection that died while nobody used it is replaced.
    engine = create_engine(
        read_url(url),
        connect_args={"autocommit": True, **_KEPT_ALIVE},
        pool_pre_ping=True,
        # How many rows were added is asked too, which SQLite tells by itself.
        execution_options={"preserve_rowcount": True},
    )

    @event.listens_for(engine, "connect")
    def _prepare(raw: Any, _: Any) -> None:
        raw.execute("; ".join(f"SET {name} = '{value}'" for name, value in _SETTINGS.items()))
        raw.adapters.register_dumper(str, _make_text_dumper(psycopg))

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        is_writing, is_sharing = options.get("is_writing"), options.get("is_sharing")
        words = (_BEGIN_SHARING if is_sharing else _BEGIN_WRITING) if is_writing else _BEGIN
        raw: Any = connection.connection.driver_connection
        try:
            raw.execute(words)
        except psycopg.Error:
            with suppress(psycopg.Error):
                raw.rollback()  # a transaction that waited in vain has begun all the same
            if raw.closed:
                connection.invalidate()  # or the pool would tell that it cannot be rolled back
            raise

    return engine


def _make_text_dumper(psycopg: ModuleType) -> Any:
    class Text(psycopg.types.string.StrDumperUnknown):  # type: ignore[misc, name-defined]
        """PostgreSQL has no text with a NUL in it, which strangers can write."""

        def dump(self, text: str) -> Any:
            return super().dump(text.replace("\0", "\N{REPLACEMENT CHARACTER}"))

    return Text


def wait_to_migrate(connection: Connection) -> None:
    """Be the only one that makes or changes tables, until the transaction ends."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCKS}, {MIGRATING})")


def find_fault(connection: Connection) -> str:
    """Why a database cannot be ours; empty where it can."""
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000
    if version < LEAST_VERSION:
        return f"the server is PostgreSQL {version}, and has to be {LEAST_VERSION} or newer"
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        return f"its encoding is {encoding}, and has to be UTF8 (`createdb -E UTF8 -T template0`)"
    return ""


def measure_clock(connection: Connection, now: datetime) -> timedelta:
    """By how much the server's clock is ahead of a moment."""
    theirs: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return theirs - now


class Watch:
    """Tells whether others have changed the database, by what they notify of; for one thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._raw: Any = None
        self._changes = 0
        self._listen(connection.connection.driver_connection)

    def __call__(self) -> int:
        """Another number than before where there is something new, or may be."""
        raw = self._connection.connection.driver_connection
        if raw is not self._raw:  # a new connection, in place of one that died
            self._listen(raw)
        raw.pgconn.consume_input()  # type: ignore[union-attr]
        while raw.pgconn.notifies():  # type: ignore[union-attr]
            self._changes += 1
        return self._changes

    def _listen(self, raw: Any) -> None:
        raw.add_notify_handler(self._hear)
        raw.execute(f"{_OF_HELD}; LISTEN {CHANNEL}")
        self._raw = raw
        self._changes += 1

    def _hear(self, _: Any) -> None:
        self._changes += 1


class SessionLock:
    """A lock of a database that a connection of its own holds, for as long as that lives."""

    def __init__(self, url: str, number: int, *, is_shared: bool = False) -> None:
        self._psycopg = require_psycopg()
        self._words = f"SELECT pg_try_advisory_lock{'_shared' * is_shared}({LOCKS}, {number})"
        self._url = url
        self._raw: Any = None

    def take(self) -> bool:
        """Take it; False where another one has it. Raises the driver's errors."""
        words, options = connect_arguments(self._url)
        raw = self._psycopg.connect(*words, **options, autocommit=True)
        try:
            raw.execute("; ".join(f"SET {name} = '{_SETTINGS[name]}'" for name in _OF_SESSION))
            row = raw.execute(self._words).fetchone()
        except BaseException:
            raw.close()
            raise
        if not row[0]:
            raw.close()
            return False
        self._raw = raw
        return True

    def is_alone(self) -> bool:
        """Tell whether no other process of this program is connected to the database."""
        found = self._raw.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = %s AND pid <> pg_backend_pid()",
            (_KEPT_ALIVE["application_name"],),
        )
        return bool(found.fetchone()[0] == 0)

    def is_held(self) -> bool:
        """Tell whether the connection lives, as far as is known here; asks nobody."""
        if self._raw is None:
            return False
        pgconn = self._raw.pgconn
        try:
            while select.select([pgconn.socket], [], [], 0)[0]:
                pgconn.consume_input()
        except (self._psycopg.Error, OSError, ValueError):
            self.release()
        return self._raw is not None

    def release(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()


def explain_postgresql(name: str, error: BaseException | None) -> str:
    """What was wrong with a server or a database of it, in words."""
    state = getattr(error, "sqlstate", None) or ""
    said = " ".join(str(error).split()) or type(error).__name__
    for begin, words in _WORDS:
        if state.startswith(begin):
            return words.format(name=name, said=said)
    if state:
        return f"{name} failed: {said}"
    hint = next((hint for word, hint in _HINTS if word in said), "")
    return f"{name} cannot be reached: {said}{hint}"


# Of a connection that was not made there is no SQLSTATE, only the server's words.
_HINTS = (
    ("does not exist", "; `createdb` and `createuser` make what is missing"),
    ("password", "; see database.url, or PGPASSWORD"),
    ("too many", "; raise max_connections, or run fewer processes"),
    ("connection slots", "; raise max_connections, or run fewer processes"),
)


# By how an SQLSTATE begins (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_WORDS = (
    ("53100", "{name} cannot be written: the server's disk is full"),
    ("25006", "{name} cannot be written: the server only reads, as a standby does"),
    ("42501", "this account may not do that in {name}: {said}"),
    ("55P03", "{name} is busy: another process has been writing for too long"),
    ("57014", "{name} took too long for one statement, and was told to stop"),
    ("57P", "{name} is shutting down or starting: {said}"),
    ("25P03", "{name} gave up a transaction of this process, which had been still for too long"),
    ("40", "{name} gave up a transaction in favour of another one: {said}; try again"),
    ("XX", "{name} is damaged: {said}; `publisher restore FILE` brings a backup back"),
)
