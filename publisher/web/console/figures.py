"""The figures of the home page, as charts: readers over time, the last issues, mail and feeds."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from publisher.model.audience import SubscriptionStatus
from publisher.store.database import Database
from publisher.store.growth import Change, find_changes
from publisher.store.readings import FeedReadings, Readings, find_readings
from publisher.store.results import Result, list_results
from publisher.store.subscribers import count_by_status
from publisher.web.console.charts import (
    Bars,
    Day,
    Line,
    Table,
    make_bars,
    make_line,
    say_span,
)

_DAYS = 90
_ISSUES = 12
_FEEDS = 8
_FRESH = timedelta(minutes=1)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown; a chart is None where there is nothing to draw."""

    at: datetime
    readers: dict[SubscriptionStatus, int]
    growth: Line | None
    sent: Bars | None
    lost: Bars | None
    spread: Bars | None
    times: Bars | None
    results: list[Result]
    readings: Readings


class Kept:
    """The figures of a moment ago: many may look at once, and a million readers take seconds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._figures: Figures | None = None

    def read(self, database: Database, zone: ZoneInfo, now: datetime) -> Figures:
        """The figures, not older than a minute."""
        with self._lock:
            figures = self._figures
            if figures is None or not timedelta() <= now - figures.at < _FRESH:
                with database.read() as connection:
                    figures = read_figures(connection, database.publication, zone, now)
                self._figures = figures
            return figures


def read_figures(
    connection: Connection, publication: int, zone: ZoneInfo, now: datetime
) -> Figures:
    """Read what the charts are made of, and make them."""
    today = now.astimezone(zone).date()
    readers = count_by_status(connection, publication)
    since = datetime.combine(today - timedelta(days=_DAYS - 1), time(), zone)
    changes = find_changes(connection, publication, since)
    results = list_results(connection, publication, now, _ISSUES)
    readings = find_readings(connection, publication, today)
    days = make_days(changes, readers["confirmed"], today, zone)
    return Figures(
        at=now,
        readers=readers,
        growth=make_line("growth", "Readers by mail, day by day", days) if days else None,
        sent=_chart_sent(results) if results else None,
        lost=_chart_lost(results) if results else None,
        spread=_chart_spread(readers["confirmed"], readings),
        times=_chart_times(results),
        results=results,
        readings=readings,
    )


def make_days(changes: Sequence[Change], readers: int, today: date, zone: ZoneInfo) -> list[Day]:
    """The days until today: from how many there are now, back by what came and went on each.

    It begins with the day before the first on which there was anybody, so that the line rises from
    nothing; none where there never was.
    """
    came, went = Counter[date](), Counter[date]()
    for change in changes:
        day = change.at.astimezone(zone).date()
        came[day] += change.joined
        went[day] += change.left
    days, value = [], readers
    for back in range(_DAYS):
        day = today - timedelta(days=back)
        # Who was erased is in no record: of them there may be fewer than left.
        days.append(Day(day, max(value, 0), came[day], went[day]))
        value += went[day] - came[day]
    while days and all(map(_is_empty, days[-2:])):
        days.pop()
    return days[::-1]


def _is_empty(day: Day) -> bool:
    return not (day.value or day.came or day.went)


def _chart_sent(results: Sequence[Result]) -> Bars:
    rows = [
        (each.mailing.slug, (("main", each.counts.sent),), f"{each.counts.sent:,}")
        for each in results
    ]
    head = ("Issue", "Recipients", "Sent", "Waiting", "Suppressed", "Cancelled")
    cells = [
        (
            *(each.mailing.slug, each.mailing.recipients, each.counts.sent, each.counts.open),
            *(each.counts.suppressed, each.counts.cancelled),
        )
        for each in results
    ]
    return make_bars(
        "sent", "To how many the last issues were sent", rows, Table(head, tuple(cells))
    )


_LOSSES = (("failed", "failed"), ("bounced", "bounced"), ("left", "left"))


def _chart_lost(results: Sequence[Result]) -> Bars:
    rows = []
    for each in results:
        values = (each.counts.failed, each.bounced, each.left)
        parts = [(kind, value) for (kind, _), value in zip(_LOSSES, values, strict=True)]
        said = [f"{v:,} {word}" for (_, word), v in zip(_LOSSES, values, strict=True) if v]
        rows.append((each.mailing.slug, parts, ", ".join(said) or "none"))
    head = ("Issue", "Failed", "Bounced", "Complained", "Left after it", "In doubt")
    cells = [
        (
            *(each.mailing.slug, each.counts.failed, each.bounced, each.complained),
            *(each.left, each.counts.in_doubt),
        )
        for each in results
    ]
    title = "Whom the last issues did not reach, or lost"
    legend = (
        ("failed", "Failed: no server took it"),
        ("bounced", "Bounced: it came back later"),
        ("left", "Left before the next issue"),
    )
    return make_bars("lost", title, rows, Table(head, tuple(cells)), legend)


def _chart_spread(mailed: int, readings: Readings) -> Bars | None:
    feeds = sorted(readings.feeds, key=lambda each: (-each.readers, each.feed))
    if not mailed and not feeds:
        return None
    rows = [("Mail", (("main", mailed),), f"{mailed:,}")]
    rows += [(each.feed, (("left", each.readers),), f"{each.readers:,}") for each in feeds[:_FEEDS]]
    head = ("By", "Readers", "By aggregators", "Direct", "Today")
    cells = [("Mail", mailed, "–", "–", "–"), *(_feed_cells(each) for each in feeds)]
    return make_bars("spread", "How they read", rows, Table(head, tuple(cells)))


def _feed_cells(each: FeedReadings) -> tuple[str | int, ...]:
    return (each.feed, each.readers, each.subscribers, round(each.direct), each.today)


def _chart_times(results: Sequence[Result]) -> Bars | None:
    timed = [(each, each.turned) for each in results if each.turned is not None]
    if not timed:
        return None
    rows = [
        (each.mailing.slug, (("main", round(turned.total_seconds() * 1_000)),), say_span(turned))
        for each, turned in timed
    ]
    head = ("Issue", "Until everyone’s turn had come", "Until nothing waited", "Recipients")
    cells = [
        (each.mailing.slug, say_span(turned), say_span(each.took), each.mailing.recipients)
        for each, turned in timed
    ]
    title = "How long sending took until everyone’s turn had come"
    return make_bars("times", title, rows, Table(head, tuple(cells)))
