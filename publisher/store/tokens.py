"""API tokens: what programs are let in by, known by their hashes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, update

from publisher.model.access import Role, Scope
from publisher.model.operators import ApiToken
from publisher.store import schema as s

_T = s.api_token.c
# What is used all the time is noted so often.
_NOTED = timedelta(minutes=1)


class Bearer(NamedTuple):
    """Whose token it is: itself, and the role of the operator it is of; None of the command line's.

    A token can do no more than they can.
    """

    token: ApiToken
    role: Role | None


def add_token(
    connection: Connection,
    publication: int,
    *,
    name: str,
    hash: bytes,
    prefix: str,
    scopes: Sequence[Scope],
    operator: int | None,
    now: datetime,
    expires_at: datetime | None,
) -> None:
    """Keep a token. Raises IntegrityError where there is one of the name. The connection writes."""
    row: dict[str, Any] = {"publication": publication, "name": name, "hash": hash}
    row |= {"prefix": prefix, "scopes": " ".join(scopes), "operator": operator}
    row |= {"created_at": now, "expires_at": expires_at}
    connection.execute(insert(s.api_token).values(row))


def find_token(
    connection: Connection, publication: int, hash: bytes, now: datetime
) -> Bearer | None:
    """The token with a hash, if it can be used; not where its operator was removed."""
    found = _tokens(publication).where(_T.hash == hash, _not_over(now))
    row = connection.execute(found.where(s.operator.c.removed_at.is_(None))).one_or_none()
    return None if row is None else Bearer(_token(row), row.role)


def list_tokens(connection: Connection, publication: int) -> list[ApiToken]:
    """The tokens that were not revoked, by name."""
    return [_token(row) for row in connection.execute(_tokens(publication).order_by(_T.name))]


def revoke_token(connection: Connection, publication: int, name: str, now: datetime) -> bool:
    """Revoke the token with a name; False where there is none. The connection writes."""
    is_it = (_T.publication == publication, _T.name == name, _T.revoked_at.is_(None))
    revoked = update(s.api_token).where(*is_it).values(revoked_at=now)
    return connection.execute(revoked).rowcount > 0


def is_use_due(token: ApiToken, now: datetime) -> bool:
    """Tell whether it is time to note that a token is used."""
    return token.last_used_at is None or token.last_used_at <= now - _NOTED


def note_use(connection: Connection, token: int, now: datetime) -> None:
    """Note that a token is used. The connection writes."""
    connection.execute(update(s.api_token).where(_T.id == token).values(last_used_at=now))


def _tokens(publication: int) -> Any:
    columns = (_T.id, _T.name, _T.prefix, _T.scopes, _T.created_at, _T.expires_at, _T.last_used_at)
    made_by = func.coalesce(s.operator.c.email, "").label("made_by")
    return (
        select(*columns, made_by, s.operator.c.role)
        .join(s.operator, s.operator.c.id == _T.operator, isouter=True)
        .where(_T.publication == publication, _T.revoked_at.is_(None))
    )


def _not_over(now: datetime) -> ColumnElement[bool]:
    return or_(_T.expires_at.is_(None), _T.expires_at > now)


def _token(row: Any) -> ApiToken:
    values = {name: row._mapping[name] for name in ApiToken.__struct_fields__}
    return ApiToken(**values | {"scopes": tuple(row.scopes.split())})
