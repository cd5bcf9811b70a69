"""The audit log: who did what, about what, when and from where. Lines are only added."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from publisher.model.operators import Actor, Deed
from publisher.store import schema as s

_A = s.audit.c
_COLUMNS = tuple(_A[name] for name in Deed.__struct_fields__)
# A detail is a word or a sentence, whatever it was made of.
_MOST_CHARACTERS = 500


def note(
    connection: Connection,
    publication: int,
    actor: Actor,
    action: str,
    now: datetime,
    *,
    about: str = "",
    detail: str = "",
) -> None:
    """Note what somebody does, in the transaction in which it is done. The connection writes.

    `action` is a noun and a verb, such as `operator invited`; `about` says which one.
    """
    row = {"publication": publication, "at": now, "who": actor.who, "client": actor.client}
    row |= {
        "action": action,
        "about": about[:_MOST_CHARACTERS],
        "detail": detail[:_MOST_CHARACTERS],
    }
    connection.execute(insert(s.audit).values(row))


def list_deeds(
    connection: Connection,
    publication: int,
    *,
    before: int = 0,
    who: str = "",
    action: str = "",
    limit: int,
) -> list[Deed]:
    """The newest lines before one, by its id; of all of them where that is 0."""
    found = select(*_COLUMNS).where(_A.publication == publication)
    for column, value in ((_A.who, who), (_A.action, action)):
        if value:
            found = found.where(column == value)
    if before:
        found = found.where(_A.id < before)
    rows = connection.execute(found.order_by(_A.id.desc()).limit(limit))
    return [Deed(**row._mapping) for row in rows]


def list_words(connection: Connection, publication: int) -> tuple[list[str], list[str]]:
    """Everybody who did something, and everything that was done, to choose from."""
    found = []
    for column in (_A.who, _A.action):
        words = select(column).where(_A.publication == publication).distinct().order_by(column)
        found.append(list(connection.execute(words).scalars()))
    return found[0], found[1]
