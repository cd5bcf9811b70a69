"""Wishes: what was asked for over HTTP, kept until it is done, whatever becomes of the process."""

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, insert, select

from publisher.store import schema as s

# To subscribe; the link to one's preferences; another address; a welcome, by somebody who has just
# confirmed.
WishKind = Literal["subscribe", "preferences", "address", "welcome"]

_W = s.wish.c


class NewWish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for; `hash` is that of the address's coarse key.

    `email` is what was typed, of whoever it may be: for a `subscriber`, their other address. A
    welcome needs none.
    """

    kind: WishKind
    hash: bytes
    at: datetime
    subscriber: int | None = None
    email: str = ""
    name: str = ""
    language: str = ""
    client: str = ""


class Wish(NewWish, frozen=True, kw_only=True):
    """A wish that is on disk."""

    id: int


def add(connection: Connection, publication: int, new: NewWish) -> None:
    """Keep a wish. The connection writes."""
    values = msgspec.structs.asdict(new) | {"publication": publication}
    connection.execute(insert(s.wish).values(values))


def find_next(connection: Connection, publication: int, after: int) -> Wish | None:
    """The oldest wish with an id above `after`."""
    fields = [_W[name] for name in Wish.__struct_fields__]
    chosen = select(*fields).where(_W.publication == publication, _W.id > after)
    row = connection.execute(chosen.order_by(_W.id).limit(1)).one_or_none()
    return None if row is None else Wish(**row._mapping)


def forget(connection: Connection, wish: int) -> bool:
    """Forget a wish that is done; False where somebody else has done it. The connection writes."""
    return connection.execute(delete(s.wish).where(_W.id == wish)).rowcount > 0
