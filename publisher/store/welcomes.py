"""Which issue a new reader is welcomed with: the newest, unless it comes to them anyway."""

from sqlalchemy import Connection, or_, select

from publisher.model.delivery import Mailing
from publisher.store import schema as s
from publisher.store.holding import has_in_week
from publisher.store.mailings import get_mailing

_D, _M = s.delivery.c, s.mailing.c


def find_newest_issue(connection: Connection, publication: int) -> Mailing | None:
    """The issue whose mailing was started last, unless it was cancelled."""
    chosen = select(_M.id).where(
        _M.publication == publication, _M.purpose == "issue", _M.status != "cancelled"
    )
    found = connection.execute(chosen.order_by(_M.id.desc()).limit(1)).scalar()
    return None if found is None else get_mailing(connection, found)


def has_issue(connection: Connection, publication: int, subscriber: int, issue: str) -> bool:
    """Tell whether an issue was or may yet be sent to a subscriber, or welcomed them before."""
    is_its = (_M.purpose == "issue") & (_M.issue == issue)
    is_welcome = (_M.purpose == "welcome") & _M.issue.startswith(f"{issue}:", autoescape=True)
    found = (
        select(_D.id)
        .join(s.mailing, _M.id == _D.mailing)
        .where(
            _D.publication == publication,
            _D.subscriber == subscriber,
            _D.status.not_in(("suppressed", "cancelled")),
            or_(is_its, is_welcome),
        )
    )
    in_week = select(s.subscriber.c.id).where(
        s.subscriber.c.id == subscriber, has_in_week(publication, issue, s.subscriber.c.id)
    )
    return any(connection.execute(each.limit(1)).first() for each in (found, in_week))
