"""Deliveries of old mailings, folded into totals page by page; mailings stay, with all they say.

What is in doubt stays a row, with its ledger, until somebody settles it; so do the ledger's lines
about mailings as a whole. Each page is whole in itself: who goes on later goes on behind it. All
functions but `find_foldable` need a connection that writes.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, exists, func, literal, not_, select, update
from sqlalchemy.dialects.postgresql import insert  # in the words of SQLite too

from publisher.model.delivery import Mailing
from publisher.store import schema as s
from publisher.store.bounces import BOUNCE_EVENTS
from publisher.store.driver import Statement, driver_of
from publisher.store.holding import of_issue
from publisher.store.mailings import get_mailing
from publisher.store.results import find_turned
from publisher.store.welcomes import find_newest_issue

_D, _M, _F, _T = s.delivery.c, s.mailing.c, s.mailing_fold.c, s.mailing_total.c
_L = s.ledger.c
# A transaction of some tens of milliseconds, for which whoever sends may have to wait.
_PAGE = 1_000
_OVER = ("sent", "failed", "suppressed", "cancelled")
_FORGET_LINES = Statement("DELETE FROM ledger WHERE delivery {among}")
_FORGET = Statement("DELETE FROM delivery WHERE id {among}")
_MILLISECOND = timedelta(milliseconds=1)


def find_foldable(connection: Connection, publication: int, before: datetime) -> Mailing | None:
    """The mailing that ended first, before a moment, and whose deliveries were not folded since.

    None while a correction is being sent, which answers messages by their deliveries. New readers
    are welcomed with the newest issue, unless they have it: whose it is stays known.
    """
    correcting = select(_M.id).where(
        *(_M.publication == publication, _M.purpose == "correction"),
        _M.status.in_([literal(each, literal_execute=True) for each in ("sending", "paused")]),
    )
    if connection.execute(correcting.limit(1)).first():
        return None
    is_done = exists().where(_F.mailing == _M.id, _F.ended_at >= _M.finished_at)
    chosen = select(_M.id).where(
        *(_M.publication == publication, _M.finished_at < before, ~is_done),
        _M.status.in_(("finished", "cancelled")),
    )
    if newest := find_newest_issue(connection, publication):
        chosen = chosen.where(not_(of_issue(newest.issue)))
    found = connection.execute(chosen.order_by(_M.finished_at).limit(1)).scalar()
    return None if found is None else get_mailing(connection, found)


def fold_page(
    connection: Connection, publication: int, mailing: Mailing, now: datetime, limit: int = _PAGE
) -> int:
    """Fold so many of a mailing's deliveries; gives how many, 0 where there were none any more."""
    _begin(connection, publication, mailing, now)
    rows = _find_page(connection, mailing.id, limit)
    if not rows:
        ended = update(s.mailing_fold).where(_F.mailing == mailing.id)
        connection.execute(ended.values(ended_at=now))
        return 0
    ids = [row.id for row in rows]
    counts = Counter((row.status, row.revision, row.variant) for row in rows)
    for event, number in _count_returned(connection, ids):
        counts[event, 0, 0] += number
    _add(connection, publication, mailing.id, counts)
    _add_times(connection, mailing.id, [row for row in rows if row.first_attempt_at])
    driver = driver_of(connection)
    driver.change(_FORGET_LINES, driver.ids(ids))
    driver.change(_FORGET, driver.ids(ids))
    return len(rows)


def _begin(connection: Connection, publication: int, mailing: Mailing, now: datetime) -> None:
    """Note that it is begun, and what can be told from all of the rows only."""
    if connection.execute(select(_F.id).where(_F.mailing == mailing.id)).first():
        return
    turned = find_turned(connection, mailing)
    row = {"publication": publication, "mailing": mailing.id, "begun_at": now}
    row |= {"turned": None if turned is None else turned // _MILLISECOND}
    connection.execute(insert(s.mailing_fold).values(row))


def _find_page(connection: Connection, mailing: int, limit: int) -> Sequence[Any]:
    """Some deliveries of which nothing is open: as an index has them, those to readers first."""
    columns = (_D.id, _D.status, _D.revision, _D.variant, _D.attempts, _D.first_attempt_at)
    chosen = select(*columns).where(_D.mailing == mailing, _D.status.in_(_OVER)).limit(limit)
    to_readers = chosen.where(_D.subscriber > 0).order_by(_D.subscriber)
    nameless = chosen.where(_D.subscriber.is_(None))
    return connection.execute(to_readers).all() or connection.execute(nameless).all()


def _count_returned(connection: Connection, ids: Sequence[int]) -> list[tuple[str, int]]:
    counted = select(_L.event, func.count()).where(
        and_(_L.delivery.in_(ids), _L.event.in_(BOUNCE_EVENTS))
    )
    return [(event, number) for event, number in connection.execute(counted.group_by(_L.event))]


def _add(
    connection: Connection, publication: int, mailing: int, counts: Counter[tuple[str, int, int]]
) -> None:
    key = ("mailing", "word", "revision", "variant")
    rows = [
        {"publication": publication, "mailing": mailing, "number": number}
        | {"word": word, "revision": revision, "variant": variant}
        for (word, revision, variant), number in sorted(counts.items())
    ]
    added = insert(s.mailing_total)
    total = {"number": _T.number + added.excluded.number}
    connection.execute(added.on_conflict_do_update(index_elements=key, set_=total), rows)


def _add_times(connection: Connection, mailing: int, tried: Sequence[Any]) -> None:
    if not tried:
        return
    first, last = (each(row.first_attempt_at for row in tried) for each in (min, max))
    known = connection.execute(select(_F.first_at, _F.last_at).where(_F.mailing == mailing)).one()
    values = {
        "first_at": min(first, known.first_at or first),
        "last_at": max(last, known.last_at or last),
        "tried": _F.tried + len(tried),
        "deferred": _F.deferred + sum(row.attempts > 1 for row in tried),
    }
    connection.execute(update(s.mailing_fold).where(_F.mailing == mailing).values(values))
