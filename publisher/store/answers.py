"""What the API answered to changes that came with an Idempotency-Key, kept for a day."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, delete, insert, select

from publisher.store import schema as s
from publisher.store.functions import has_part

_A = s.answer.c
KEPT = timedelta(hours=24)


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, and a hash of the request that it was given to; `headers` is a JSON object."""

    hash: bytes
    status: int
    headers: str
    body: str


def find_answer(
    connection: Connection, publication: int, token: int, key: str, now: datetime
) -> KeptAnswer | None:
    """What a token's request with a key was answered within a day."""
    columns = [_A[name] for name in KeptAnswer.__struct_fields__]
    is_it = (_A.publication == publication, _A.token == token, _A.key == key, _A.at > now - KEPT)
    row = connection.execute(select(*columns).where(*is_it)).one_or_none()
    return None if row is None else KeptAnswer(**row._mapping)


def keep_answer(
    connection: Connection, publication: int, token: int, key: str, kept: KeptAnswer, now: datetime
) -> None:
    """Keep an answer in the transaction of the change; those of before a day are forgotten.

    Raises IntegrityError where another process has answered meanwhile. The connection writes.
    """
    old = (_A.publication == publication, _A.at <= now - KEPT)
    connection.execute(delete(s.answer).where(*old))
    row = {"publication": publication, "token": token, "key": key, "at": now}
    connection.execute(insert(s.answer).values(row | msgspec.structs.asdict(kept)))


def forget_answers(connection: Connection, publication: int, email: str) -> None:
    """Forget the answers in which an address stands. The connection writes."""
    written = msgspec.json.encode(email).decode()[1:-1]
    named = has_part(_A.body, written)
    connection.execute(delete(s.answer).where(_A.publication == publication, named))
