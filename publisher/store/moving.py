"""A database moved into another one, of either kind: it goes on after a kill, and one alone sends.

Until everything is there and was compared, the new one is known for one that is arriving; then the
old one is told that it has moved, and only then may the new one send.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects.postgresql import insert

from publisher.store import schema as s
from publisher.store.arming import find_unarmed
from publisher.store.copying import (
    add_rows,
    copy_counters,
    copy_keys,
    count_rows,
    empty_all,
    find_last_id,
    is_empty,
    list_tables,
    read_pages,
    sum_up,
)
from publisher.store.database import Database, explained, writing
from publisher.store.errors import StateError, StoreError
from publisher.store.installation import ARRIVING, MOVED, UNARMED, set_home
from publisher.store.place import Place

_KEY = "arriving"
# Hears which step it is, and how much of it is done.
Watch = Callable[[str, int, int], None]


class Arrival(msgspec.Struct, frozen=True):
    """What is noted in a database that is arriving: where it is from, and whether it may send."""

    home: str
    is_armed: bool


class Moved(msgspec.Struct, frozen=True):
    """What was moved: the rows of each table; and whether it sends from there."""

    tables: dict[str, int]
    is_armed: bool


def move(source: Database, target: Place, watch: Watch) -> Moved:
    """Move a database; nobody else may have either of the two.

    Raises StateError where the target is in use, StoreError for a failure.
    """
    with _opened(target) as engine:
        with source.read() as reading:
            arrival, is_resumed = _begin(reading, source, engine, target)
            _copy(reading, engine, watch)
            tables, different = _compare(reading, engine, watch)
            if different and is_resumed:  # something was changed since it was begun
                with writing(engine) as connection:
                    empty_all(connection)
                _copy(reading, engine, watch)
                tables, different = _compare(reading, engine, watch)
        if different:
            raise StoreError(f"{target.name} did not take the table {different} as it is")
        with source.write() as connection:
            set_home(connection, MOVED)
        with writing(engine) as connection:
            set_home(connection, target.find_home(connection) if arrival.is_armed else UNARMED)
            connection.execute(delete(s.installation).where(s.installation.c.key == _KEY))
    return Moved(tables, arrival.is_armed)


@contextmanager
def _opened(target: Place) -> Iterator[Engine]:
    target.prepare()
    engine = target.connect()
    try:
        with explained(target):
            target.bring_up_to_date(engine)
            yield engine
    finally:
        engine.dispose()


def _begin(
    reading: Connection, source: Database, engine: Engine, target: Place
) -> tuple[Arrival, bool]:
    """What is arriving, and whether it had begun before."""
    home = source.place.find_home(reading)
    found = select(s.installation.c.value).where(s.installation.c.key == _KEY)
    with writing(engine) as connection:
        if noted := connection.execute(found).scalar():
            arrival = msgspec.json.decode(noted, type=Arrival)
            if arrival.home != home:
                raise StateError(f"{target.name} has a part of another database; name another one")
            return arrival, True
        if not is_empty(connection):
            raise StateError(f"{target.name} is in use already; name an empty one")
        arrival = Arrival(home, not find_unarmed(reading, source.place))
        empty_all(connection)
        value = msgspec.json.encode(arrival).decode()
        connection.execute(insert(s.installation).values(key=_KEY, value=value))
        set_home(connection, ARRIVING)
        return arrival, False


def _copy(reading: Connection, engine: Engine, watch: Watch) -> None:
    """Copy what is not there yet, a page in a transaction."""
    for table in list_tables():
        with engine.begin() as connection:
            after, done = find_last_id(connection, table), count_rows(connection, table)
        total = count_rows(reading, table)
        for page in read_pages(reading, table, after):
            with writing(engine) as connection:
                add_rows(connection, table, page)
            done += len(page)
            watch(f"Copying {table.name}", done, total)
    with writing(engine) as connection:
        copy_counters(reading, connection)
        copy_keys(reading, connection)


def _compare(reading: Connection, engine: Engine, watch: Watch) -> tuple[dict[str, int], str]:
    """The rows of each table, and the first table that is not the same in both."""
    tables: dict[str, int] = {}
    all_tables = list_tables()
    with engine.begin() as connection:
        for number, table in enumerate(all_tables, 1):
            theirs, ours = sum_up(reading, table), sum_up(connection, table)
            if theirs != ours:
                return tables, table.name
            tables[table.name] = theirs.rows
            watch("Comparing tables", number, len(all_tables))
    return tables, ""
