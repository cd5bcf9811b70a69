"""Statements for the driver itself: SQLAlchemy takes longer for some than the database does."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection

# A list of ids as one value of a statement, whose words then stay the same.
_AMONG_SQLITE = "IN (SELECT value FROM json_each(?))"
_AMONG_POSTGRESQL = "= ANY(%s)"
# SQLite takes 32,766 values at once.
_ROWS = 1000
_to_json = msgspec.json.Encoder().encode


class Statement:
    """A statement in the words of both databases: `?` is a value, `{among}` a list of ids.

    `postgresql` is its text where that has to be another one. One that is given many rows at once
    has `{rows}` for them on SQLite, and on PostgreSQL an array for each of their columns.
    """

    def __init__(self, sqlite: str, postgresql: str = "") -> None:
        self.sqlite = sqlite.replace("{among}", _AMONG_SQLITE)
        text = (postgresql or sqlite).replace("%", "%%").replace("{among}", _AMONG_POSTGRESQL)
        self.postgresql = text.replace("?", "%s")


class Driver(Protocol):
    """A driver's connection, in the same transaction."""

    def run(self, statement: Statement, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement that has some."""

    def change(self, statement: Statement, *values: Any) -> None:
        """Run a statement that gives no rows."""

    def change_rows(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a statement that is given rows, one at least, all of the same width."""

    def ids(self, ids: Iterable[int]) -> Any:
        """Ids as the value of `{among}`."""

    def add_rows(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows to a table, as quickly as it goes."""

    def read_counter(self, table: str) -> int:
        """The last id that a table gave; 0 where it gave none, or does not count."""

    def set_counter(self, table: str, last: int) -> None:
        """Let a table's next id be the one behind."""


def driver_of(connection: Connection) -> Driver:
    raw: Any = connection.connection.driver_connection
    return _Sqlite(raw) if connection.dialect.name == "sqlite" else _Postgresql(raw)


class _Sqlite:
    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def run(self, statement: Statement, *values: Any) -> list[tuple[Any, ...]]:
        return self._raw.execute(statement.sqlite, values).fetchall()  # type: ignore[no-any-return]

    def change(self, statement: Statement, *values: Any) -> None:
        self._raw.execute(statement.sqlite, values)

    def change_rows(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> None:
        # Run for each row it would take twice as long: what it begins with is done each time.
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            text = _with_rows(statement.sqlite, len(part), len(part[0]))
            self._raw.execute(text, tuple(chain.from_iterable(part)))

    def ids(self, ids: Iterable[int]) -> str:
        return _to_json(list(ids)).decode()

    def add_rows(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" for _ in columns)
        text = f'INSERT INTO "{table}" ({_list(columns)}) VALUES ({marks})'  # noqa: S608
        self._raw.executemany(text, rows)

    def read_counter(self, table: str) -> int:
        found = self._raw.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        row = found.fetchone()
        return int(row[0]) if row else 0

    def set_counter(self, table: str, last: int) -> None:
        self._raw.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        self._raw.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, last))


class _Postgresql:
    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def run(self, statement: Statement, *values: Any) -> list[tuple[Any, ...]]:
        return self._raw.execute(statement.postgresql, values).fetchall()  # type: ignore[no-any-return]

    def change(self, statement: Statement, *values: Any) -> None:
        self._raw.execute(statement.postgresql, values)

    def change_rows(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> None:
        columns = [list(column) for column in zip(*rows, strict=True)]
        self._raw.execute(statement.postgresql, columns)

    def ids(self, ids: Iterable[int]) -> list[int]:
        return list(ids)

    def add_rows(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        text = f'COPY "{table}" ({_list(columns)}) FROM STDIN'
        with self._raw.cursor().copy(text) as copy:
            for row in rows:
                copy.write_row(row)

    def read_counter(self, table: str) -> int:
        sequence = self._find_sequence(table)
        last, is_called = self._raw.execute(
            f"SELECT last_value, is_called FROM {sequence}"  # noqa: S608 - as the server quotes it
        ).fetchone()
        return int(last) if is_called else 0

    def set_counter(self, table: str, last: int) -> None:
        words = "SELECT setval(%s, greatest(%s, 1), %s)"
        self._raw.execute(words, (self._find_sequence(table), last, last > 0))

    def _find_sequence(self, table: str) -> str:
        found = self._raw.execute("SELECT pg_get_serial_sequence(%s, 'id')", (table,))
        return str(found.fetchone()[0])


@lru_cache(maxsize=128)
def _with_rows(text: str, rows: int, width: int) -> str:
    row = f"({', '.join('?' * width)})"
    return text.replace("{rows}", ", ".join([row] * rows))


def _list(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
