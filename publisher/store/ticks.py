"""When the schedules were looked at last, so that others can tell that somebody does."""

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from publisher.store import schema as s
from publisher.store.columns import from_milliseconds, to_milliseconds


def note_tick(connection: Connection, publication: int, now: datetime) -> None:
    """Note that the schedules are looked at now. The connection writes."""
    value = str(to_milliseconds(now))
    noted = insert(s.installation).values(key=_key(publication), value=value)
    connection.execute(noted.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


def find_last_tick(connection: Connection, publication: int) -> datetime | None:
    """When the schedules were looked at last; None where they never were."""
    found = select(s.installation.c.value).where(s.installation.c.key == _key(publication))
    value = connection.execute(found).scalar()
    return None if value is None else from_milliseconds(int(value))


def _key(publication: int) -> str:
    return f"tick-{publication}"
