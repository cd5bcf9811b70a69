"""SQLite: how its file is opened, how transactions begin in it, and its errors in words."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

# Another process's transaction ends within this, the enqueueing of a million readers included.
_BUSY_SECONDS = 60
# Pages of the database in memory for each connection, in KiB: with one for the loop and one for
# who looks on, much below what delivery may take in all.
_CACHE_KIB = 16_000


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
        raw_of(connection).execute("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    return engine


def raw_of(connection: Connection) -> Any:
    """The driver's own connection, in the same transaction."""
    return connection.connection.driver_connection


def explain_sqlite(path: Path, error: BaseException | None) -> str:
    """What the disk or another process did to a database, in words."""
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
