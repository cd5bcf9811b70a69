"""All tables of a database into another one, as they are: with their ids, in pages, compared.

It is done between two databases of any kind, both of the present schema.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, Table

from publisher.store import schema as s
from publisher.store.batches import forget_batches
from publisher.store.driver import Statement, driver_of

# Rows of a mailing hold all that it is sent with.
_ROWS = 5_000
_LARGE_ROWS = 200
_LARGE = ("mailing", "mailing_content")
# Of the place where they are, not of what is in them.
OF_PLACE = ("home", "marks", "arriving")
_encode = msgspec.msgpack.Encoder().encode

Row = tuple[Any, ...]


class Summary(msgspec.Struct, frozen=True):
    """How many rows a table has, and a hash of all of them in order."""

    rows: int
    digest: str


def list_tables() -> list[Table]:
    """All tables but that of the place, each behind those that it names rows of."""
    return [table for table in s.metadata.sorted_tables if table is not s.installation]


def read_pages(connection: Connection, table: Table, after: int = 0) -> Iterator[list[Row]]:
    """A table's rows with ids above one, in their order, a page at a time."""
    columns = list(table.columns.keys())
    place, limit = columns.index("id"), _LARGE_ROWS if table.name in _LARGE else _ROWS
    listed = ", ".join(f'"{name}"' for name in columns)
    statement = Statement(
        f'SELECT {listed} FROM "{table.name}" WHERE id > ? ORDER BY id LIMIT {limit}'  # noqa: S608
    )
    driver = driver_of(connection)
    while page := driver.run(statement, after):
        yield page
        after = page[-1][place]


def add_rows(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Add rows as they are. The connection writes."""
    driver_of(connection).add_rows(table.name, list(table.columns.keys()), rows)


def find_last_id(connection: Connection, table: Table) -> int:
    """The highest id that there is; 0 where there is no row."""
    statement = Statement(f'SELECT COALESCE(max(id), 0) FROM "{table.name}"')  # noqa: S608
    return int(driver_of(connection).run(statement)[0][0])


def count_rows(connection: Connection, table: Table) -> int:
    """How many rows a table has."""
    statement = Statement(f'SELECT count(*) FROM "{table.name}"')  # noqa: S608
    return int(driver_of(connection).run(statement)[0][0])


def copy_all(source: Connection, target: Connection) -> None:
    """Copy everything but what is of the place. The target is empty, and writes."""
    for table in list_tables():
        for page in read_pages(source, table):
            add_rows(target, table, page)
    copy_counters(source, target)
    copy_keys(source, target)


def copy_counters(source: Connection, target: Connection) -> None:
    """Let ids go on behind the last ones that were ever given."""
    reading, writing = driver_of(source), driver_of(target)
    for table in list_tables():
        last = max(reading.read_counter(table.name), find_last_id(source, table))
        writing.set_counter(table.name, last)


def copy_keys(source: Connection, target: Connection) -> None:
    """Copy the database's own keys, in place of those that are there."""
    marks = ", ".join(f"'{key}'" for key in OF_PLACE)
    theirs = f"FROM installation WHERE key NOT IN ({marks})"
    rows = driver_of(source).run(Statement(f"SELECT key, value {theirs}"))
    driver_of(target).change(Statement(f"DELETE {theirs}"))
    driver_of(target).add_rows("installation", ["key", "value"], rows)


def is_empty(connection: Connection) -> bool:
    """Tell whether nothing is known yet but the publication itself."""
    return not any(find_last_id(connection, t) for t in list_tables() if t is not s.publication)


def empty_all(connection: Connection) -> None:
    """Take every row out of every table but that of the place. The connection writes."""
    forget_batches(connection)
    for table in reversed(list_tables()):
        driver_of(connection).change(Statement(f'DELETE FROM "{table.name}"'))  # noqa: S608


def sum_up(connection: Connection, table: Table) -> Summary:
    """Count and hash a table's rows; a NUL in a text counts as what PostgreSQL has in its place."""
    digest, rows = sha256(), 0
    for page in read_pages(connection, table):
        for row in page:
            digest.update(_encode([_plain(value) for value in row]))
        rows += len(page)
    return Summary(rows, digest.hexdigest())


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in value else value
    return bytes(value) if isinstance(value, memoryview) else value
