"""What an operator was told, and is told again only once it was over."""

from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from publisher.store import schema as s

_A = s.alert.c


def raise_alert(
    connection: Connection, publication: int, kind: str, about: str, now: datetime
) -> bool:
    """Note that something is so; False where that was noted before and is not over."""
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


def is_alert_raised(connection: Connection, publication: int, kind: str, about: str) -> bool:
    """Tell whether something was told and is not over."""
    is_it = (_A.publication == publication, _A.kind == kind, _A.about == about)
    chosen = select(_A.id).where(*is_it, _A.cleared_at.is_(None))
    return connection.execute(chosen).first() is not None


def clear_alert(
    connection: Connection, publication: int, kind: str, about: str, now: datetime
) -> None:
    """Note that something is over. The connection writes."""
    is_it = (_A.publication == publication, _A.kind == kind, _A.about == about)
    connection.execute(
        update(s.alert).where(*is_it, _A.cleared_at.is_(None)).values(cleared_at=now)
    )
