"""Invitations: links that work once, known by their hashes."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from publisher.model.access import Role
from publisher.model.operators import Invitation
from publisher.store import schema as s

_I = s.invitation.c
_COLUMNS = tuple(_I[name] for name in Invitation.__struct_fields__)


def add_invitation(
    connection: Connection,
    publication: int,
    *,
    hash: bytes,
    email: str,
    key: str,
    name: str,
    role: Role,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep an invitation; those for the same address end with it. The connection writes."""
    end_invitations(connection, publication, key)
    row = {"publication": publication, "hash": hash, "email": email, "key": key, "name": name}
    row |= {"role": role, "created_at": now, "expires_at": expires_at}
    connection.execute(insert(s.invitation).values(row))


def end_invitations(connection: Connection, publication: int, key: str) -> bool:
    """End what was not used of invitations for an address; False where there was none.

    The connection writes.
    """
    are_they = (_I.publication == publication, _I.key == key, _I.used_at.is_(None))
    return connection.execute(delete(s.invitation).where(*are_they)).rowcount > 0


def find_invitation(
    connection: Connection, publication: int, hash: bytes, now: datetime
) -> Invitation | None:
    """The invitation with a hash, if it can still be used."""
    found = select(*_COLUMNS).where(*_usable(publication, now), _I.hash == hash)
    row = connection.execute(found).one_or_none()
    return None if row is None else Invitation(**row._mapping)


def list_invitations(connection: Connection, publication: int, now: datetime) -> list[Invitation]:
    """What waits to be used, the newest first, but for a first owner's."""
    found = select(*_COLUMNS).where(*_usable(publication, now), _I.email != "")
    return [Invitation(**row._mapping) for row in connection.execute(found.order_by(_I.id.desc()))]


def use_invitation(connection: Connection, invitation: int, now: datetime) -> bool:
    """Use an invitation; False where it was used before. The connection writes."""
    used = update(s.invitation).where(_I.id == invitation, _I.used_at.is_(None))
    return connection.execute(used.values(used_at=now)).rowcount > 0


def _usable(publication: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (_I.publication == publication, _I.used_at.is_(None), _I.expires_at > now)
