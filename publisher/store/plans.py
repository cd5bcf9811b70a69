"""Planned sends: one at most waits for each issue, and each comes to one end.

All functions but those that only ask need a connection that writes.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, literal, select, update

from publisher.model.plan import GRACE, Plan, PlanStatus
from publisher.store import schema as s

_P = s.planned_send.c
_OWN = tuple(_P[name] for name in Plan.__struct_fields__ if name != "mailing")
# A literal, or the partial index is not used.
_WAITS = _P.status == literal("waiting", literal_execute=True)


def add_plan(
    connection: Connection,
    publication: int,
    *,
    issue: str,
    slug: str,
    digest: str,
    who: str,
    client: str,
    now: datetime,
) -> Plan:
    """Plan a send. None may wait for the issue: the database holds that."""
    row = {"publication": publication, "issue": issue, "slug": slug, "digest": digest}
    row |= {"who": who, "client": client, "status": "waiting"}
    moments = {"planned_at": now, "due_at": now + GRACE}
    made = connection.execute(insert(s.planned_send).values(**row, **moments).returning(_P.id))
    plan = find_plan(connection, publication, int(made.scalar_one()))
    assert plan is not None  # noqa: S101 - it was made in this transaction
    return plan


def find_plan(connection: Connection, publication: int, plan: int) -> Plan | None:
    """A plan by its row's id."""
    return _first(connection, _plans(publication).where(_P.id == plan))


def find_last_plan(connection: Connection, publication: int, issue: str) -> Plan | None:
    """The newest plan for an issue's id, whatever came of it."""
    chosen = _plans(publication).where(_P.issue == issue).order_by(_P.id.desc()).limit(1)
    return _first(connection, chosen)


def is_waiting(connection: Connection, publication: int, plan: int) -> bool:
    chosen = select(_P.id).where(_P.publication == publication, _P.id == plan, _WAITS)
    return connection.execute(chosen).first() is not None


def list_waiting(connection: Connection, publication: int) -> list[Plan]:
    """What waits, the first due first."""
    chosen = _plans(publication).where(_WAITS).order_by(_P.due_at, _P.id)
    return [Plan(**row._mapping) for row in connection.execute(chosen)]


def close_plan(
    connection: Connection,
    publication: int,
    plan: int,
    status: PlanStatus,
    now: datetime,
    *,
    reason: str = "",
    by: str = "",
    mailing: int | None = None,
) -> bool:
    """Let a waiting plan come to an end; False where it has come to one already."""
    values = {"status": status, "reason": reason, "closed_by": by, "mailing": mailing}
    chosen = update(s.planned_send).where(_P.publication == publication, _P.id == plan, _WAITS)
    return connection.execute(chosen.values(**values, closed_at=now)).rowcount > 0


def note_reason(connection: Connection, publication: int, plan: int, reason: str) -> bool:
    """Note why a plan still waits; False where it does not, or that was known."""
    chosen = update(s.planned_send).where(_P.publication == publication, _P.id == plan, _WAITS)
    changed = connection.execute(chosen.where(_P.reason != reason).values(reason=reason))
    return changed.rowcount > 0


def refuse_waiting(connection: Connection, publication: int, reason: str, now: datetime) -> None:
    """Let nothing that waits start."""
    for plan in list_waiting(connection, publication):
        close_plan(connection, publication, plan.id, "refused", now, reason=reason)


def _plans(publication: int) -> Select[Any]:
    joined = s.planned_send.outerjoin(s.mailing, s.mailing.c.id == _P.mailing)
    chosen = select(*_OWN, s.mailing.c.ref.label("mailing")).select_from(joined)
    return chosen.where(_P.publication == publication)


def _first(connection: Connection, chosen: Select[Any]) -> Plan | None:
    row = connection.execute(chosen).first()
    return Plan(**row._mapping) if row else None
