"""A publication's tables as lines of JSON, and back: what of them travels, and what does not."""

import sqlite3
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec
from sqlalchemy import Column, Connection, LargeBinary, Table, insert

from publisher.store import schema as s
from publisher.store.columns import Moment, from_milliseconds, to_milliseconds
from publisher.store.engine_sqlite import connect_sqlite, raw_of
from publisher.store.errors import StoreError
from publisher.store.installation import UNARMED, set_home
from publisher.store.keys import KeyName
from publisher.store.version import KNOWN, bring_up_to_date

# Of a moment, or worth something in one place only: who is logged in, what the API answered within
# the day, whom the feeds' readers of today are. The other two are made anew.
PASSING = ("session", "answer", "reading_day", "reading_client", "installation", "publication")
# What lets somebody in, or is all that it takes to speak to somebody's program.
SECRET = ("invitation", "api_token", "webhook", "webhook_event")
# Without a password nobody gets in; another one is chosen by a link.
_SECRET_COLUMNS = {("operator", "password_hash"): ""}
# By the first, addresses that were erased or suppressed are recognised: it always goes along.
ADDRESS_KEY: KeyName = "address-key"
SECRET_KEYS: tuple[KeyName, ...] = ("link-key", "message-key", "console-key")

Kind = Literal["integer", "text", "time", "bytes"]
_ROWS = 5_000


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A table in an export: its columns with what each holds, its rows, and the last id it gave."""

    columns: dict[str, Kind]
    rows: int
    last_id: int


class Dump(msgspec.Struct, frozen=True, kw_only=True):
    """A database that is read for an export: a copy, which nobody else has open."""

    connection: Connection
    publication: int
    with_secrets: bool

    def list_tables(self) -> list[str]:
        """The tables that travel, each behind those that it names rows of."""
        kept_back = PASSING if self.with_secrets else PASSING + SECRET
        names = [table.name for table in s.metadata.sorted_tables]
        return [name for name in names if name not in kept_back]

    def read_lines(self, name: str) -> Iterator[bytes]:
        """A table's rows, in the order of their ids, each a line of JSON."""
        table = s.metadata.tables[name]
        columns = _columns(table)
        listed = ", ".join(f'"{column}"' for column in columns)
        kinds = tuple(columns.items())
        left_out = {} if self.with_secrets else _SECRET_COLUMNS
        rows = raw_of(self.connection).execute(
            f'SELECT {listed} FROM "{name}" WHERE publication = ? ORDER BY id',  # noqa: S608
            (self.publication,),
        )
        encode = msgspec.json.Encoder().encode
        for row in rows:
            line = {
                column: left_out.get((name, column), _write(kind, value))
                for (column, kind), value in zip(kinds, row, strict=True)
            }
            yield encode(line) + b"\n"

    def describe(self, name: str, rows: int) -> Described:
        found = raw_of(self.connection).execute(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)
        )
        last = found.fetchone()
        columns = _columns(s.metadata.tables[name])
        return Described(columns=columns, rows=rows, last_id=last[0] if last else 0)

    def read_keys(self) -> dict[str, str]:
        """The database's own keys that travel, in Base64, by their names."""
        wanted = (ADDRESS_KEY, *(SECRET_KEYS if self.with_secrets else ()))
        rows = raw_of(self.connection).execute("SELECT key, value FROM installation")
        return {key: value for key, value in sorted(rows) if key in wanted}


class Loading(msgspec.Struct, frozen=True, kw_only=True):
    """What a new database is made of: another one's schema, publication, keys and tables."""

    schema: str
    uri: str
    row: int
    keys: Mapping[str, str]
    tables: Mapping[str, Described]


def load(path: Path, loading: Loading, lines: Mapping[str, Iterable[bytes]]) -> None:
    """Make a database of an export's tables, whose rows keep their ids; it sends nothing until
    it is armed.

    Raises StoreError where a row is not what its table wants.
    """
    if loading.schema not in KNOWN:
        raise StoreError(
            f"the export was made by a newer publisher (schema {loading.schema}); install that one"
        )
    engine = connect_sqlite(path)
    try:
        bring_up_to_date(engine, path, loading.schema)
        with engine.connect().execution_options(is_writing=True) as connection, connection.begin():
            _fill(connection, loading, lines)
        bring_up_to_date(engine, path)
    except sqlite3.Error as error:
        raise StoreError(f"the export's tables contradict each other: {error}") from None
    finally:
        engine.dispose()


def _fill(connection: Connection, loading: Loading, lines: Mapping[str, Iterable[bytes]]) -> None:
    values = {"id": loading.row, "uri": loading.uri}
    connection.execute(insert(s.publication).values(values))
    set_home(connection, UNARMED)
    driver = raw_of(connection)
    for key, value in loading.keys.items():
        driver.execute("INSERT INTO installation (key, value) VALUES (?, ?)", (key, value))
    for name, described in loading.tables.items():
        _require_table(driver, name, described)
        _insert(driver, name, described, loading.row, lines[name])
        driver.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
        driver.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (name, described.last_id))
    if fault := driver.execute("PRAGMA foreign_key_check").fetchone():
        raise StoreError(f"a row of {fault[0]} names one of {fault[2]} that is not there")


def _require_table(driver: Any, name: str, described: Described) -> None:
    """Raise StoreError for a table or a column that there is not: names come from a file."""
    own = {row[0] for row in driver.execute("SELECT name FROM pragma_table_info(?)", (name,))}
    if not own or not own.issuperset(described.columns) or name in PASSING:
        raise StoreError(f"the export has a table {name[:40]!r} that this publisher does not know")


def _insert(
    driver: Any, name: str, described: Described, publication: int, lines: Iterable[bytes]
) -> None:
    columns = ", ".join(f'"{column}"' for column in described.columns)
    marks = ", ".join("?" for _ in described.columns)
    text = f'INSERT INTO "{name}" (publication, {columns}) VALUES (?, {marks})'  # noqa: S608
    rows = (_read_row(name, number, described, line) for number, line in enumerate(lines, 1))
    count = 0
    while page := list(islice(rows, _ROWS)):
        driver.executemany(text, [(publication, *row) for row in page])
        count += len(page)
    if count != described.rows:
        raise StoreError(f"{name}.jsonl has {count:,} rows, and should have {described.rows:,}")


def _read_row(name: str, number: int, described: Described, line: bytes) -> tuple[Any, ...]:
    try:
        row = msgspec.json.decode(line, type=dict[str, Any])
        return tuple(_read(kind, row[column]) for column, kind in described.columns.items())
    except (msgspec.DecodeError, NoBase64, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{name}.jsonl, line {number}: {error}") from None


def _columns(table: Table) -> dict[str, Kind]:
    return {column.name: _kind(column) for column in table.columns if column.name != "publication"}


def _kind(column: Column[Any]) -> Kind:
    if isinstance(column.type, Moment):
        return "time"
    if isinstance(column.type, LargeBinary):
        return "bytes"
    return "text" if column.type.python_type is str else "integer"


def _write(kind: Kind, value: Any) -> Any:
    """A value of the database's as JSON has it."""
    if value is None or kind in ("integer", "text"):
        return value
    if kind == "bytes":
        return b64encode(value).decode()
    return from_milliseconds(value).isoformat(timespec="milliseconds")


def _read(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind == "time":
        return to_milliseconds(datetime.fromisoformat(value))
    if kind == "bytes":
        return b64decode(value, validate=True)
    if not isinstance(value, int if kind == "integer" else str):
        raise TypeError(f"{value!r} is no {kind}")
    return value
