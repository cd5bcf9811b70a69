"""Whoever follows a feed's archive loses nothing, and what left a feed does not come back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from publisher.preflight.feed_readers.miniflux import Miniflux
from publisher.preflight.feed_readers.reader import Reader
from publisher.preflight.feed_readers.thunderbird import Thunderbird
from publisher.site.withdraw import withdraw
from tests.readers.archive_following import ArchiveFollowing
from tests.site.world import SETTINGS, World
from tests.web.public.site import run_site

URL = "https://daily.example/"


def publish(world: World, day: datetime) -> None:
    world.now = day + timedelta(hours=1)
    world.issue(f"{day:%Y-%m-%d}", date=day.isoformat())
    world.build()


def read(world: World, reader: Reader, path: str = "feed.atom") -> list[str]:
    """The titles that are new to a reader, oldest first."""
    body = (world.public / path).read_bytes()
    return [shown.link for shown in reader.read(body, URL + path, world.now).new][::-1]


def following(world: World) -> ArchiveFollowing:
    def fetch(url: str) -> bytes:
        return (world.public / url.removeprefix(URL).partition("?")[0]).read_bytes()

    return ArchiveFollowing(fetch)


@pytest.mark.parametrize(
    ("suffix", "window", "away"),
    [
        *(("atom", "14d", 9), ("rss", "14d", 16), ("atom", "14d", 23), ("rss", "14d", 44)),
        *(("rss", "1s", 1), ("atom", "1s", 5), ("rss", "1s", 20)),
    ],
)
def test_whoever_follows_the_archive_may_be_away_for_long(
    world: World, suffix: str, window: str, away: int
) -> None:
    """Also when it was last here in a month that was not over, nor its document whole."""
    world.write("publisher.toml", f'{SETTINGS}\n[feeds]\nwindow = "{window}"\nmin_issues = 1\n')
    reader, plain, path = following(world), Miniflux(), f"feed.{suffix}"
    begin = datetime(2025, 3, 18, 6, tzinfo=UTC)
    days = [begin + timedelta(days=day) for day in range(-17, away + 1)]
    for day in days:
        world.issue(f"{day:%Y-%m-%d}", date=day.isoformat())
    found, seen = [], []
    for now in (begin, days[-1]):
        world.now = now + timedelta(hours=1)
        world.build()
        found += read(world, reader, path)
        seen += read(world, plain, path)
    everything = [f"{URL}highlights/h{day:%Y-%m-%d}/" for day in days]
    assert sorted(found) == everything
    # Others have what the live feed held when they asked.
    has_missed = not set(everything[18:]) <= set(seen)
    assert has_missed == (away > (15 if window == "14d" else 1))


def test_taking_back_the_newest_issue_brings_no_old_entry_back(world: World) -> None:
    """Thunderbird would show it again as new: it forgets what left a feed, a day later."""
    reader = Thunderbird()
    begin = datetime(2025, 3, 1, 6, tzinfo=UTC)
    for day in range(20):
        publish(world, begin + timedelta(days=day))
        for path in ("feed.atom", "issues.rss"):
            read(world, reader, path)
    withdraw(world.folder, world.settings, "i2025-03-20", "", world.now)
    world.now += timedelta(hours=3)
    world.build()
    assert read(world, reader, "feed.atom") == []
    assert read(world, reader, "issues.rss") == []


def test_an_archive_document_is_served_at_the_address_that_says_how_far_it_goes(
    tmp_path: Path,
) -> None:
    with run_site(tmp_path) as site:
        site.write("archive/2025-03/feed.atom", b"<feed/>")
        answer = site.get("/archive/2025-03/feed.atom?until=2025-03-18")
    assert (answer.status, answer.body) == (200, b"<feed/>")
