"""What is left of mailings whose deliveries were folded: totals, which are added to other counts.

While a mailing is being folded each of its deliveries is in one of the two: a row, or in a total.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, exists, func, or_, select

from publisher.model.delivery import DELIVERY_STATUSES
from publisher.store import schema as s
from publisher.store.holding import of_issue

_F, _T, _M = s.mailing_fold.c, s.mailing_total.c, s.mailing.c
_C, _I = s.mailing_content.c, s.mailing_issue.c
# What a reader has, or may have.
_ARRIVED = ("sent", "in_doubt")
# SQLite takes 32,766 values in a statement.
_AT_ONCE = 20_000


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of when the folded deliveries of a mailing were tried."""

    first_at: datetime | None
    last_at: datetime | None
    tried: int
    deferred: int
    turned: timedelta | None


def find_fold(connection: Connection, mailing: int) -> Fold | None:
    """What is left of a mailing's folded deliveries; None where none was."""
    chosen = select(_F.first_at, _F.last_at, _F.tried, _F.deferred, _F.turned)
    row = connection.execute(chosen.where(_F.mailing == mailing)).first()
    if row is None:
        return None
    turned = None if row.turned is None else timedelta(milliseconds=row.turned)
    return Fold(**{**row._mapping, "turned": turned})


def count_folded(connection: Connection, mailings: Iterable[int]) -> dict[int, Counter[str]]:
    """How many folded deliveries of mailings had each status, and how often what came back."""
    ids = [*mailings]
    found: dict[int, Counter[str]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        among = _T.mailing.in_(ids[start : start + _AT_ONCE])
        counted = select(_T.mailing, _T.word, func.sum(_T.number)).where(among)
        for mailing, word, number in connection.execute(counted.group_by(_T.mailing, _T.word)):
            found.setdefault(mailing, Counter())[word] = int(number)
    return found


def count_statuses(connection: Connection, mailing: int) -> dict[str, int]:
    """How many folded deliveries of a mailing had each status."""
    words = count_folded(connection, [mailing]).get(mailing, Counter())
    return {status: words[status] for status in DELIVERY_STATUSES if status in words}


def count_revisions(connection: Connection, mailing: int) -> dict[int, int]:
    """How many folded deliveries of a mailing were sent, or were in doubt, by their revision."""
    counted = select(_T.revision, func.sum(_T.number)).where(
        _T.mailing == mailing, _T.word.in_(_ARRIVED)
    )
    return {row[0]: int(row[1]) for row in connection.execute(counted.group_by(_T.revision))}


def count_unknown(connection: Connection, publication: int, issue: str, version: str) -> int:
    """How often an issue was sent in another version to readers whom nobody knows any more."""
    revised = select(_C.version).where(
        *(_C.mailing == _T.mailing, _C.revision == _T.revision, _C.variant == 0)
    )
    its = func.coalesce(revised.correlate(s.mailing_total).scalar_subquery(), _M.version)
    in_week = exists().where(
        *(_I.publication == publication, _I.issue == issue, _I.version != version),
        *(_I.mailing == _T.mailing, _I.revision == _T.revision),
    )
    counted = (
        select(func.sum(_T.number))
        .join(s.mailing, _M.id == _T.mailing)
        .where(
            *(_M.publication == publication, _T.word.in_(_ARRIVED)),
            or_(of_issue(issue) & (its != version), (_M.purpose == "weekly") & in_week),
        )
    )
    return int(connection.execute(counted).scalar() or 0)
