"""Who holds an issue: who has it, or will have it by itself, in whatever message.

An issue comes to nobody twice: neither in its own mailing and a week's, nor after a `retry`.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, false, or_, select

from publisher.store import schema as s
from publisher.store.errors import StateError

_D, _M, _I, _L = s.delivery.c, s.mailing.c, s.mailing_issue.c, s.ledger.c
_F = s.mailing_fold.c
# What has not come to a reader, and does not by itself.
NOT_HELD = ("failed", "suppressed", "cancelled")


def is_in_week(connection: Connection, publication: int, issue: str) -> bool:
    """Tell whether an issue is in a week's message: before its own mailing, hardly ever."""
    chosen = select(_I.id).where(_I.publication == publication, _I.issue == issue)
    return connection.execute(chosen.limit(1)).first() is not None


def require_week_known(connection: Connection, publication: int, issue: str) -> None:
    """Raise StateError where an issue was in a week's message whose readers are not known any more.

    Who has it would get it again.
    """
    is_its = exists().where(_I.mailing == _M.id, _I.publication == publication, _I.issue == issue)
    _require_known(connection, publication, is_its)


def _require_known(connection: Connection, publication: int, which: ColumnElement[bool]) -> None:
    folded = select(_M.slug).join(s.mailing_fold, _F.mailing == _M.id)
    slug = connection.execute(folded.where(_M.publication == publication, which).limit(1)).scalar()
    if slug is not None:
        raise StateError(
            f"some have it by {slug} already, and nobody knows who they are any more: its"
            " deliveries were folded into totals (database.keep_deliveries)"
        )


def has_in_week(publication: int, issue: Any, subscriber: Any) -> ColumnElement[bool]:
    """The condition that a subscriber holds an issue by a week's message.

    It does not ask which of the week was chosen: what was left out was not wanted, or held.
    """
    d = s.delivery.alias().c
    return exists().where(
        *(_I.publication == publication, _I.issue == issue, _I.revision == 0),
        *(d.mailing == _I.mailing, d.subscriber == subscriber, d.status.not_in(NOT_HELD)),
    )


def of_issue(issue: str) -> ColumnElement[bool]:
    """The condition that a mailing brings an issue by itself: its own, or a welcome with it."""
    is_welcome = and_(_M.purpose == "welcome", _M.issue > f"{issue}:", _M.issue < f"{issue}:g")
    return or_(and_(_M.purpose == "issue", _M.issue == issue), is_welcome)


def came_otherwise(connection: Connection, publication: int, mailing: int) -> ColumnElement[bool]:
    """The condition that what a failed delivery of a mailing has came to its reader meanwhile.

    Raises StateError where nobody knows that any more.
    """
    chosen = select(_M.purpose, _M.issue, _M.created_at).where(_M.id == mailing)
    purpose, issue, started_at = connection.execute(chosen).one()
    if purpose == "issue" and is_in_week(connection, publication, issue):
        require_week_known(connection, publication, issue)
        return has_in_week(publication, issue, _D.subscriber)
    if purpose != "weekly":
        return false()
    issues = select(_I.issue).where(_I.mailing == mailing, _I.revision == 0)
    its = or_(false(), *(of_issue(each) for each in connection.execute(issues).scalars()))
    _require_known(connection, publication, its)
    d = s.delivery.alias().c
    was_retried = exists().where(_L.delivery == d.id, _L.event == "retried", _L.at >= started_at)
    return exists().where(
        *(_M.publication == publication, its, d.mailing == _M.id, d.subscriber == _D.subscriber),
        *(d.status.not_in(NOT_HELD), or_(d.id > _D.id, was_retried)),
    )
