"""Sessions: who is logged in to the console, known by the hash of what their cookie holds."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from publisher.model.operators import Operator
from publisher.store import schema as s
from publisher.store.operators import COLUMNS

_S = s.session.c

# It ends this long after it began, or was used last.
LONGEST = timedelta(days=30)
IDLE = timedelta(hours=12)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session that goes on; `data` is a JSON object."""

    id: int
    data: str
    created_at: datetime
    used_at: datetime
    operator: Operator


def find_session(
    connection: Connection, publication: int, hash: bytes, now: datetime
) -> Session | None:
    """The session with a hash, with who is logged in as they are now."""
    o = s.operator.c
    found = (
        select(
            _S.id, _S.data, _S.created_at, _S.used_at, *(c.label(f"o_{c.name}") for c in COLUMNS)
        )
        .join(s.operator, o.id == _S.operator)
        .where(_S.publication == publication, _S.hash == hash, o.removed_at.is_(None))
        .where(_S.created_at > now - LONGEST, _S.used_at > now - IDLE)
    )
    row = connection.execute(found).one_or_none()
    if row is None:
        return None
    operator = Operator(**{c.name: row._mapping[f"o_{c.name}"] for c in COLUMNS})
    return Session(
        id=row.id,
        data=row.data,
        created_at=row.created_at,
        used_at=row.used_at,
        operator=operator,
    )


def add_session(
    connection: Connection, publication: int, hash: bytes, operator: int, data: str, now: datetime
) -> None:
    """Begin a session, and forget those that are over. The connection writes."""
    over = or_(_S.created_at <= now - LONGEST, _S.used_at <= now - IDLE)
    connection.execute(delete(s.session).where(_S.publication == publication, over))
    row = {"publication": publication, "hash": hash, "operator": operator, "data": data}
    connection.execute(insert(s.session).values(row | {"created_at": now, "used_at": now}))


def keep_session(connection: Connection, session: int, data: str, now: datetime) -> None:
    """Note what a session holds and that it is used, if it goes on. The connection writes."""
    connection.execute(update(s.session).where(_S.id == session).values(data=data, used_at=now))


def end_session(connection: Connection, session: int) -> None:
    """End a session. The connection writes."""
    connection.execute(delete(s.session).where(_S.id == session))


def end_sessions(connection: Connection, publication: int, operator: int, but: int = 0) -> None:
    """End all sessions of an operator, but perhaps for one. The connection writes."""
    are_they: tuple[ColumnElement[bool], ...]
    are_they = (_S.publication == publication, _S.operator == operator, _S.id != but)
    connection.execute(delete(s.session).where(*are_they))
