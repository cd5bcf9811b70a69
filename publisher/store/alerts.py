"""What an operator was told, and is told again only once it was over."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from publisher.model.delivery import TO_MANY, Purpose
from publisher.store import schema as s
from publisher.store.mailings import get_mailing

_A = s.alert.c
# Mailings that are looked at for doubts: an older one's are known.
_LOOKED_AT = 20


class Trouble(NamedTuple):
    """A mailing that waits for an operator: why it is paused, or how many are in doubt."""

    ref: str
    name: str
    reason: str = ""
    doubts: int = 0


def raise_alert(
    connection: Connection, publication: int, kind: str, about: str, now: datetime
) -> bool:
    """Note that something is so; False where that was noted before and is not over.

    The connection writes.
    """
    key = {"publication": publication, "kind": kind, "about": about}
    claim = insert(s.alert).values(key | {"raised_at": now})
    made = connection.execute(
        claim.on_conflict_do_update(
            index_elements=list(key),
            set_={"raised_at": now, "cleared_at": None},
            where=_A.cleared_at.is_not(None),
        )
    )
    return bool(made.rowcount)


def find_raised(connection: Connection, publication: int, kinds: Collection[str]) -> set[str]:
    """What something of these kinds was told about, and is not over."""
    is_it = (_A.publication == publication, _A.kind.in_(kinds), _A.cleared_at.is_(None))
    return set(connection.execute(select(_A.about).where(*is_it)).scalars())


def was_raised(
    connection: Connection, publication: int, kinds: Collection[str], about: str
) -> bool:
    """Tell whether something of these kinds was ever told about this, over or not."""
    is_it = (_A.publication == publication, _A.kind.in_(kinds), _A.about == about)
    return connection.execute(select(_A.id).where(*is_it).limit(1)).first() is not None


class Raised(NamedTuple):
    """What an operator was told: since when it is so, and when it was over."""

    kind: str
    about: str
    raised_at: datetime
    cleared_at: datetime | None


def list_alerts(
    connection: Connection, publication: int, *, is_open: bool, limit: int
) -> list[Raised]:
    """The newest of what operators were told, of what is so still or of what is over."""
    state = _A.cleared_at.is_(None) if is_open else _A.cleared_at.is_not(None)
    order = _A.raised_at if is_open else _A.cleared_at
    chosen = select(_A.kind, _A.about, _A.raised_at, _A.cleared_at)
    chosen = chosen.where(_A.publication == publication, state)
    rows = connection.execute(chosen.order_by(order.desc()).limit(limit))
    return [Raised(*row) for row in rows]


def list_raised(connection: Connection, publication: int, kinds: Collection[str]) -> list[Raised]:
    """What operators were told of some kinds and is not over, the oldest first."""
    chosen = select(_A.kind, _A.about, _A.raised_at, _A.cleared_at)
    is_it = (_A.publication == publication, _A.kind.in_(kinds), _A.cleared_at.is_(None))
    return [Raised(*row) for row in connection.execute(chosen.where(*is_it).order_by(_A.id))]


def clear_alert(
    connection: Connection, publication: int, kind: str, about: str, now: datetime
) -> None:
    """Note that something is over. The connection writes."""
    is_it = (_A.publication == publication, _A.kind == kind, _A.about == about)
    connection.execute(
        update(s.alert).where(*is_it, _A.cleared_at.is_(None)).values(cleared_at=now)
    )


def find_paused(connection: Connection, publication: int) -> list[Trouble]:
    """The mailings of issues and corrections that are paused."""
    m = s.mailing.c
    chosen = select(m.id).where(
        # A literal, or the partial index is not used.
        m.status.in_([literal("paused", literal_execute=True)]),
        m.publication == publication,
        m.purpose.in_(TO_MANY),
    )
    paused = [get_mailing(connection, id) for id in list(connection.execute(chosen).scalars())]
    return [Trouble(each.ref, each.name, each.reason) for each in paused]


def find_doubts(connection: Connection, publication: int) -> list[Trouble]:
    """The newest mailings of issues and corrections that hold deliveries in doubt."""
    d = s.delivery.c
    newest = [id for purpose in TO_MANY for id in _list_newest(connection, publication, purpose)]
    chosen = (
        select(d.mailing, func.count())
        .where(
            d.mailing.in_(newest),
            d.status == "in_doubt",
            # As the partial index has it, or that is not used.
            d.status != literal("sent", literal_execute=True),
        )
        .group_by(d.mailing)
    )
    held = [(get_mailing(connection, id), n) for id, n in connection.execute(chosen).all()]
    return [Trouble(each.ref, each.name, doubts=number) for each, number in held]


def _list_newest(connection: Connection, publication: int, purpose: Purpose) -> list[int]:
    m = s.mailing.c
    # A literal, or the partial index is not used.
    is_its = (m.publication == publication, m.purpose == literal(purpose, literal_execute=True))
    chosen = select(m.id).where(*is_its).order_by(m.id.desc()).limit(_LOOKED_AT)
    return list(connection.execute(chosen).scalars())
