"""Approvals: a second operator's word for one content of an issue, which any change leaves behind.

All functions but `approve` only ask.
"""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from publisher.model.operators import Operator
from publisher.store import schema as s

_A, _D = s.approval.c, s.audit.c
# What the audit log says of who wrote an issue, or changed it.
_WRITING = (
    *("issue created", "issue imported", "issue replaced", "issue saved"),
    *("issue marked ready", "issue made draft"),
)


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """An operator's approval of a content, by its digest."""

    digest: str
    who: str
    at: datetime


def approve(
    connection: Connection,
    publication: int,
    operator: Operator,
    now: datetime,
    *,
    issue: str,
    slug: str,
    digest: str,
) -> bool:
    """Approve a content of an issue; False where this operator had done so. The connection writes.

    `issue` is its id, `slug` its NAME.
    """
    row = {"publication": publication, "issue": issue, "slug": slug, "digest": digest}
    row |= {"operator": operator.id, "who": operator.email, "at": now}
    made = connection.execute(insert(s.approval).values(row).on_conflict_do_nothing())
    return made.rowcount > 0


def list_approvals(connection: Connection, publication: int, issue: str) -> list[Approval]:
    """The approvals of an issue, of any of its contents, the newest first."""
    columns = (_A.digest, _A.who, _A.at)
    chosen = select(*columns).where(_A.publication == publication, _A.issue == issue)
    rows = connection.execute(chosen.order_by(_A.id.desc()))
    return [Approval(**row._mapping) for row in rows]


def find_writer(connection: Connection, publication: int, slug: str) -> str:
    """Who was the last to change an issue by the console; empty where nobody was."""
    chosen = select(_D.who).where(
        _D.publication == publication, _D.action.in_(_WRITING), _D.about == slug
    )
    return str(connection.execute(chosen.order_by(_D.id.desc()).limit(1)).scalar() or "")


def find_lack(
    connection: Connection, publication: int, *, issue: str, slug: str, digest: str, by: str
) -> str:
    """Why a content may not be sent yet; empty where a second operator has approved it.

    `by` is who sends it; where that is no operator, but a schedule or a command, whoever changed
    the issue last is the first one, who does not approve their own work.
    """
    first = by or find_writer(connection, publication, slug)
    approvals = list_approvals(connection, publication, issue)
    same = [each for each in approvals if each.digest == digest]
    if any(each.who != first for each in same):
        return ""
    if same:
        return f"it was approved by {first} alone, and needs a second operator's approval"
    if approvals:
        return "it was changed after it was approved, and needs an approval of what it is now"
    return "it needs the approval of a second operator"
