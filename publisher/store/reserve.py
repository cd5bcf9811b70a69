"""Deliveries with an intent that are not begun before the next transaction, on record.

The value is a JSON array of their ids. Functions that change it need a connection that writes.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, select

from publisher.store import schema as s
from publisher.store.driver import Statement, driver_of

_NOTE = Statement("""
    INSERT INTO installation (key, value) VALUES (?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value
""")


def note_reserve(connection: Connection, publication: int, ids: Iterable[int]) -> None:
    """Note which ones these are from now on."""
    value = msgspec.json.encode(list(ids)).decode()
    driver_of(connection).change(_NOTE, _key(publication), value)


def take_reserve(connection: Connection, publication: int) -> set[int]:
    """Give those that were noted last, and forget them: whoever delivers now knows of none."""
    is_it = s.installation.c.key == _key(publication)
    value = connection.execute(select(s.installation.c.value).where(is_it)).scalar()
    if value is None:
        return set()
    connection.execute(delete(s.installation).where(is_it))
    return set(msgspec.json.decode(value, type=list[int]))


def _key(publication: int) -> str:
    return f"reserve-{publication}"
