"""What became of the last issues, in figures: of each mailing, and how long it took."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, func, select

from publisher.model.delivery import Counts, Mailing
from publisher.store import schema as s
from publisher.store.bounces import count_returned
from publisher.store.growth import count_left
from publisher.store.mailings import count_deliveries, list_issue_mailings
from publisher.store.totals import find_fold

_D, _L = s.delivery.c, s.ledger.c
# Several connections work at once, so that the last reader's turn is not the last one exactly.
_LAST_TURNS = 20


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mailing; `left` are those who left before the next issue was sent.

    `turned` is how long it took until the last reader's turn had come for the first time, and
    `took` until nothing of it waited any more; None where that is not over.
    """

    mailing: Mailing
    counts: Counts
    bounced: int
    complained: int
    left: int
    turned: timedelta | None
    took: timedelta | None


def list_results(
    connection: Connection, publication: int, now: datetime, limit: int
) -> list[Result]:
    """What became of the newest mailings of issues, the newest first."""
    mailings = list_issue_mailings(connection, publication, limit)
    returned = count_returned(connection, [each.id for each in mailings])
    ends = [now, *(each.created_at for each in mailings)]
    return [
        Result(
            mailing=each,
            counts=count_deliveries(connection, each),
            bounced=returned.get((each.id, "bounced"), 0),
            complained=returned.get((each.id, "complained"), 0),
            left=count_left(connection, publication, each.created_at, end),
            turned=find_turned(connection, each),
            took=_took(each),
        )
        for each, end in zip(mailings, ends, strict=False)
    ]


def _took(mailing: Mailing) -> timedelta | None:
    is_over = mailing.status == "finished" and mailing.finished_at
    return mailing.finished_at - mailing.created_at if is_over and mailing.finished_at else None


def find_turned(connection: Connection, mailing: Mailing) -> timedelta | None:
    """How long it took until a first line stood in the ledger for each of the last readers."""
    if mailing.folded_at is not None:
        fold = find_fold(connection, mailing.id)
        return fold.turned if fold else None
    # Deliveries were made in the order of subscribers, in which they are taken too.
    chosen = select(_D.id).where(_D.mailing == mailing.id, _D.subscriber.is_not(None))
    last = list(
        connection.execute(chosen.order_by(_D.subscriber.desc()).limit(_LAST_TURNS)).scalars()
    )
    firsts = _find_firsts(connection, last)
    if not firsts or len(firsts) < len(last):
        return None
    return max(max(firsts) - mailing.created_at, timedelta())


def _find_firsts(connection: Connection, deliveries: Sequence[int]) -> list[datetime]:
    lines = select(func.min(_L.at)).where(_L.delivery.in_(deliveries)).group_by(_L.delivery)
    return list(connection.execute(lines).scalars())
