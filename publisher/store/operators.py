"""Operators: who may log in, as what, and by which password's hash."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from publisher.model.access import Role
from publisher.model.operators import Operator
from publisher.store import schema as s

_O = s.operator.c
COLUMNS = tuple(_O[name] for name in Operator.__struct_fields__)


def find_operator(connection: Connection, publication: int, key: str) -> Operator | None:
    """The operator with an address, by its key (`audience.address`)."""
    return _find(connection, publication, _O.key == key)


def get_operator(connection: Connection, publication: int, operator: int) -> Operator | None:
    """An operator by their row's id."""
    return _find(connection, publication, _O.id == operator)


def find_password(connection: Connection, publication: int, operator: int) -> str:
    """The hash of an operator's password; empty where there is no such operator."""
    found = select(_O.password_hash).where(*_present(publication), _O.id == operator)
    return str(connection.execute(found).scalar() or "")


def list_operators(connection: Connection, publication: int) -> list[Operator]:
    """All operators, by their addresses; there are few."""
    found = select(*COLUMNS).where(*_present(publication)).order_by(_O.key)
    return [Operator(**row._mapping) for row in connection.execute(found)]


def count_owners(connection: Connection, publication: int) -> int:
    counted = select(func.count()).where(*_present(publication), _O.role == "owner")
    return int(connection.execute(counted).scalar_one())


def save_operator(
    connection: Connection,
    publication: int,
    *,
    email: str,
    key: str,
    name: str,
    role: Role,
    password_hash: str,
    now: datetime,
) -> int:
    """Make an operator, or give one who is known all of these; gives the id.

    Who was removed comes back. The connection writes.
    """
    values: dict[str, Any] = {"email": email, "name": name, "role": role}
    values |= {"password_hash": password_hash}
    values |= {"password_changed_at": now, "removed_at": None}
    made = insert(s.operator).values(
        values | {"publication": publication, "key": key, "created_at": now}
    )
    saved = made.on_conflict_do_update(index_elements=["publication", "key"], set_=values)
    return int(connection.execute(saved.returning(_O.id)).scalar_one())


def change_role(connection: Connection, publication: int, operator: int, role: Role) -> bool:
    """Give an operator another role; False where that would leave no owner. The connection writes.

    What they may do changes with their next request.
    """
    if role != "owner" and _is_last_owner(connection, publication, operator):
        return False
    _change(connection, publication, operator, role=role)
    return True


def rename_operator(connection: Connection, publication: int, operator: int, name: str) -> None:
    """Give an operator another name. The connection writes."""
    _change(connection, publication, operator, name=name)


def change_password(
    connection: Connection, publication: int, operator: int, password_hash: str, now: datetime
) -> None:
    """Give an operator another password. The connection writes."""
    values = {"password_hash": password_hash, "password_changed_at": now}
    _change(connection, publication, operator, **values)


def renew_hash(connection: Connection, publication: int, operator: int, password_hash: str) -> None:
    """Keep the same password by another hash. The connection writes."""
    _change(connection, publication, operator, password_hash=password_hash)


def note_login(connection: Connection, publication: int, operator: int, now: datetime) -> None:
    """Note that an operator has logged in. The connection writes."""
    _change(connection, publication, operator, last_login_at=now)


def remove_operator(connection: Connection, publication: int, operator: int, now: datetime) -> bool:
    """Let an operator be none any more; False where that would leave no owner.

    Their sessions are worth nothing from then on; their tokens are revoked, so that they stay dead
    when somebody comes back. The connection writes.
    """
    if _is_last_owner(connection, publication, operator):
        return False
    tokens = s.api_token.c
    theirs = (tokens.publication == publication, tokens.operator == operator)
    revoked = update(s.api_token).where(*theirs, tokens.revoked_at.is_(None))
    connection.execute(revoked.values(revoked_at=now))
    _change(connection, publication, operator, removed_at=now, password_hash="")
    return True


def _is_last_owner(connection: Connection, publication: int, operator: int) -> bool:
    found = get_operator(connection, publication, operator)
    is_owner = found is not None and found.role == "owner"
    return is_owner and count_owners(connection, publication) == 1


def _change(connection: Connection, publication: int, operator: int, **values: Any) -> None:
    is_it = (*_present(publication), _O.id == operator)
    connection.execute(update(s.operator).where(*is_it).values(values))


def _find(
    connection: Connection, publication: int, condition: ColumnElement[bool]
) -> Operator | None:
    found = select(*COLUMNS).where(*_present(publication), condition)
    row = connection.execute(found).one_or_none()
    return None if row is None else Operator(**row._mapping)


def _present(publication: int) -> tuple[ColumnElement[bool], ...]:
    return (_O.publication == publication, _O.removed_at.is_(None))
