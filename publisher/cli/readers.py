"""status --readers: how many read the publication, by feed and by mail."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from publisher.cli.output import print_json, say, show
from publisher.cli.store import open_store
from publisher.settings import Settings
from publisher.store.readings import WINDOW, FeedReadings, Readings, find_readings
from publisher.store.subscribers import count_by_status

_NAMES = {"feed": "highlights", "issues": "issues"}
# Of the aggregators of a feed, those that fit a line; --json has all.
_SHOWN = 4


def show_readers(folder: Path, settings: Settings, json: bool) -> None:
    """Show who reads the feeds, and how many have the issues mailed."""
    today = datetime.now(ZoneInfo(settings.publication.time_zone)).date()
    with open_store(folder, settings) as database, database.read() as connection:
        readings = find_readings(connection, database.publication, today)
        mailed = count_by_status(connection, database.publication)["confirmed"]
    if json:
        print_json(_describe(readings, mailed))
        return
    _show_table(readings, mailed)
    if not readings.feeds:
        say("Nobody fetched a feed yet from `publisher run` or `publisher serve`.")
    elif not readings.days:
        say("No whole day was counted yet: clients are those of today so far.")


def _describe(readings: Readings, mailed: int) -> dict[str, Any]:
    return {
        "days": readings.days,
        "feeds": [_describe_feed(each) for each in readings.feeds],
        "all": _describe_sums(readings.whole),
        "mail": mailed,
    }


def _describe_feed(feed: FeedReadings) -> dict[str, Any]:
    name, format_ = _split(feed.feed)
    return {"feed": name, "format": format_, "path": feed.feed, **_describe_sums(feed)}


def _describe_sums(feed: FeedReadings) -> dict[str, Any]:
    return {
        "readers": feed.readers,
        "subscribers": feed.subscribers,
        "direct": round(feed.direct, 1),
        "today": feed.today,
        "claimed": feed.claimed,
        "aggregators": [
            {
                "name": each.name,
                "subscribers": each.subscribers,
                "known": each.is_known,
                "seen": each.seen_on.isoformat(),
            }
            for each in feed.aggregators
        ],
    }


def _split(path: str) -> tuple[str, str]:
    """A feed's name as people say it, and its format."""
    stem, _, format_ = path.rpartition(".")
    return _NAMES.get(stem, stem.removesuffix("/feed")), format_


def _show_table(readings: Readings, mailed: int) -> None:
    rows = [("feed", "format", "readers", "of these direct", "by aggregators")]
    rows += [(*_split(each.feed), *_cells(each)) for each in readings.feeds]
    rows.append(("all feeds", "", *_cells(readings.whole)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, format_, readers, direct, aggregators in rows:
        show(
            f"{name:<{widths[0]}}  {format_:<{widths[1]}}  {readers:>{widths[2]}}"
            f"  {direct:>{widths[3]}}  {aggregators}".rstrip()
        )
    show(f"by mail: {mailed:,}")
    if readings.whole.claimed:
        say(
            f"{readings.whole.claimed:,} more are claimed by aggregators that are not known, which"
            " anybody can make up; they are in no sum."
        )
    if readings.days:
        say(f"Direct is a day's clients, on average of {readings.days} in {WINDOW.days} days.")


def _cells(feed: FeedReadings) -> tuple[str, str, str]:
    names = [
        f"{each.name} {each.subscribers:,}{'' if each.is_known else '?'}"
        for each in feed.aggregators
    ]
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return f"{feed.readers:,}", f"{round(feed.direct):,}", ", ".join(names[:_SHOWN] + more)
