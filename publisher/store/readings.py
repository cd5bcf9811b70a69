"""How many read each feed: what aggregators report, and clients that are counted for a day.

A client is known for the day only, by a keyed hash whose key, the day's salt, is forgotten with it:
what is left is a number. Days are the publication's own, as `2026-03-01`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from publisher.store import schema as s
from publisher.store.functions import larger

# An aggregator that did not come for so long has nobody any more who reads this feed by it; and
# so many whole days are averaged, since people read on different ones.
WINDOW = timedelta(days=7)
_KEPT = timedelta(days=400)
_SALT_BYTES = 32
# Rows for strangers: names that anybody can invent, and ids of one feed at one aggregator, which
# has one for each spelling of a feed's URL.
MOST_UNKNOWN = 100
MOST_IDS = 20

_D, _C, _N, _R = s.reading_day.c, s.reading_client.c, s.reading_count.c, s.reading_report.c
# In `reading_count`: clients of any feed.
_WHOLE = ""


class Reported(NamedTuple):
    """How many read a feed by an aggregator, which has its own id for it, or none."""

    feed: str
    aggregator: str
    feed_id: str
    subscribers: int
    is_known: bool
    seen_on: date


class Aggregator(msgspec.Struct, frozen=True, kw_only=True):
    """An aggregator's readers. One that `is_known` has a name that people use, and no proof."""

    name: str
    subscribers: int
    is_known: bool
    seen_on: date


class FeedReadings(msgspec.Struct, frozen=True, kw_only=True):
    """Who reads a feed. `direct` is the clients of a day on average, `today` those until now.

    `claimed` is what aggregators say that are not known; it is in no sum.
    """

    feed: str
    subscribers: int
    claimed: int
    direct: float
    today: int
    aggregators: tuple[Aggregator, ...]

    @property
    def readers(self) -> int:
        return self.subscribers + round(self.direct)


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """Who reads the feeds. `days` is how many whole days were averaged; with none, it is today."""

    days: int
    whole: FeedReadings
    feeds: tuple[FeedReadings, ...]


def close_days(connection: Connection, publication: int, today: date) -> bool:
    """Make numbers of the days that are over; False where there are none. The connection writes."""
    is_over = (_D.publication == publication, _D.day < today.isoformat())
    days = list(connection.execute(select(_D.day).where(*is_over)).scalars())
    for day in days:
        _close(connection, publication, day)
    for table, column, kept in (
        (s.reading_report, _R.seen_on, WINDOW),
        (s.reading_count, _N.day, _KEPT),
    ):
        old = (today - kept).isoformat()
        connection.execute(delete(table).where(table.c.publication == publication, column < old))
    return bool(days)


def close_all_days(connection: Connection, publication: int) -> None:
    """Make numbers of the present day too, as for a copy that is kept. The connection writes."""
    days = select(_D.day).where(_D.publication == publication)
    for day in list(connection.execute(days).scalars()):
        _close(connection, publication, day)


def _close(connection: Connection, publication: int, day: str) -> None:
    """Count a day's clients, and forget them, and the salt with which they could be recognised."""
    is_that = (_C.publication == publication, _C.day == day)
    by_feed = select(_C.feed, func.count()).where(*is_that).group_by(_C.feed)
    whole = select(literal(_WHOLE), func.count(_C.hash.distinct())).where(*is_that)
    for chosen in (by_feed, whole):
        for feed, clients in connection.execute(chosen).all():
            row = {"publication": publication, "day": day, "feed": feed, "clients": clients}
            # Closed before, where the clock was put back or a backup was restored.
            most = larger(_N.clients, clients)
            made = insert(s.reading_count).values(row)
            key = ["publication", "day", "feed"]
            connection.execute(
                made.on_conflict_do_update(index_elements=key, set_={"clients": most})
            )
    connection.execute(delete(s.reading_client).where(*is_that))
    connection.execute(delete(s.reading_day).where(_D.publication == publication, _D.day == day))


def find_salt(connection: Connection, publication: int, day: date) -> bytes | None:
    """A day's salt; None where the day has not begun, or is over."""
    is_that = (_D.publication == publication, _D.day == day.isoformat())
    return connection.execute(select(_D.salt).where(*is_that)).scalar()


def require_salt(
    connection: Connection, publication: int, day: date, chance: Callable[[int], bytes]
) -> bytes:
    """A day's salt, made of chance where there is none. The connection writes."""
    if (salt := find_salt(connection, publication, day)) is not None:
        return salt
    salt = chance(_SALT_BYTES)
    row = {"publication": publication, "day": day.isoformat(), "salt": salt}
    connection.execute(insert(s.reading_day).values(row))
    return salt


def note_clients(
    connection: Connection, publication: int, day: date, clients: Iterable[tuple[str, bytes]]
) -> None:
    """Note feeds and the hashes of those who fetched them. The connection writes."""
    rows = [
        {"publication": publication, "day": day.isoformat(), "feed": feed, "hash": hash}
        for feed, hash in clients
    ]
    if rows:
        connection.execute(insert(s.reading_client).on_conflict_do_nothing(), rows)


def count_clients(connection: Connection, publication: int, day: date) -> int:
    """How many rows a day has already."""
    is_that = (_C.publication == publication, _C.day == day.isoformat())
    return int(connection.execute(select(func.count()).where(*is_that)).scalar_one())


def note_report(connection: Connection, publication: int, reported: Reported) -> bool:
    """Note what an aggregator reports, in place of what it did before; False where it is too many.

    The connection writes.
    """
    key = {
        "publication": publication,
        "feed": reported.feed,
        "aggregator": reported.aggregator,
        "feed_id": reported.feed_id,
    }
    is_that = [s.reading_report.c[name] == value for name, value in key.items()]
    is_there = connection.execute(select(_R.id).where(*is_that)).first()
    if not is_there and _is_full(connection, publication, reported):
        return False
    values = {
        "subscribers": reported.subscribers,
        "is_known": reported.is_known,
        "seen_on": reported.seen_on.isoformat(),
    }
    made = insert(s.reading_report).values(key | values)
    connection.execute(made.on_conflict_do_update(index_elements=list(key), set_=values))
    return True


def _is_full(connection: Connection, publication: int, reported: Reported) -> bool:
    if reported.is_known:
        is_like = [_R.feed == reported.feed, _R.aggregator == reported.aggregator]
    else:
        is_like = [_R.is_known == 0]
    chosen = select(func.count()).where(_R.publication == publication, *is_like)
    most = MOST_IDS if reported.is_known else MOST_UNKNOWN
    return int(connection.execute(chosen).scalar_one()) >= most


def find_readings(connection: Connection, publication: int, today: date) -> Readings:
    """Who reads each feed, and all of them."""
    days, counts = _find_counts(connection, publication, today)
    now = _find_clients(connection, publication, today)
    reports = _find_reports(connection, publication, today - WINDOW)
    by_feed: defaultdict[str, list[Reported]] = defaultdict(list)
    for each in reports:
        by_feed[each.feed].append(each)

    def describe(feed: str, reported: list[Reported]) -> FeedReadings:
        aggregators = _by_aggregator(reported)
        return FeedReadings(
            feed=feed,
            subscribers=sum(each.subscribers for each in aggregators if each.is_known),
            claimed=sum(each.subscribers for each in aggregators if not each.is_known),
            direct=counts.get(feed, 0) / days if days else now.get(feed, 0),
            today=now.get(feed, 0),
            aggregators=aggregators,
        )

    feeds = sorted({*counts, *now, *by_feed} - {_WHOLE})
    return Readings(
        days=days,
        whole=describe(_WHOLE, reports),
        feeds=tuple(describe(feed, by_feed[feed]) for feed in feeds),
    )


def _by_aggregator(reported: list[Reported]) -> tuple[Aggregator, ...]:
    """Sum up, those with the most readers first.

    An id of the aggregator's own means one feed there, by however many of ours it is fetched.
    """
    newest: dict[tuple[str, str], Reported] = {}
    for each in sorted(reported, key=lambda each: (each.seen_on, each.subscribers)):
        newest[each.aggregator, each.feed_id or each.feed] = each
    sums: defaultdict[str, list[Reported]] = defaultdict(list)
    for each in newest.values():
        sums[each.aggregator].append(each)
    made = [
        Aggregator(
            name=name,
            subscribers=sum(each.subscribers for each in rows),
            is_known=rows[0].is_known,
            seen_on=max(each.seen_on for each in rows),
        )
        for name, rows in sums.items()
    ]
    return tuple(sorted(made, key=lambda each: (not each.is_known, -each.subscribers, each.name)))


def _find_counts(
    connection: Connection, publication: int, today: date
) -> tuple[int, dict[str, int]]:
    """How many whole days of the window were counted, and the sum of each feed's clients."""
    is_in = (
        _N.publication == publication,
        _N.day >= (today - WINDOW).isoformat(),
        _N.day < today.isoformat(),
    )
    chosen = select(_N.feed, func.sum(_N.clients), func.count()).where(*is_in).group_by(_N.feed)
    rows = connection.execute(chosen).all()
    days = next((number for feed, _, number in rows if feed == _WHOLE), 0)
    counts = Counter({feed: int(clients) for feed, clients, _ in rows})
    for day in _find_unclosed(connection, publication, today):
        counts.update(_find_clients(connection, publication, day))
        days += 1
    return days, counts


def _find_unclosed(connection: Connection, publication: int, today: date) -> list[date]:
    """The days that are over, and that nobody has closed: the server was stopped before."""
    is_in = (
        _D.publication == publication,
        _D.day >= (today - WINDOW).isoformat(),
        _D.day < today.isoformat(),
    )
    return [
        date.fromisoformat(day)
        for day in connection.execute(select(_D.day).where(*is_in)).scalars()
    ]


def _find_clients(connection: Connection, publication: int, day: date) -> dict[str, int]:
    is_that = (_C.publication == publication, _C.day == day.isoformat())
    by_feed = select(_C.feed, func.count()).where(*is_that).group_by(_C.feed)
    found = {feed: int(number) for feed, number in connection.execute(by_feed)}
    whole = select(func.count(_C.hash.distinct())).where(*is_that)
    return found | {_WHOLE: int(connection.execute(whole).scalar_one())}


def _find_reports(connection: Connection, publication: int, since: date) -> list[Reported]:
    columns = (_R.feed, _R.aggregator, _R.feed_id, _R.subscribers, _R.is_known, _R.seen_on)
    is_in = (_R.publication == publication, _R.seen_on >= since.isoformat())
    return [
        Reported(*row[:4], bool(row[4]), date.fromisoformat(row[5]))
        for row in connection.execute(select(*columns).where(*is_in))
    ]
