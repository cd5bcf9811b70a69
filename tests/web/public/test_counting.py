"""Readers are counted without being watched: through days and restarts, and against strangers."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from publisher.settings import Settings, parse_settings
from publisher.store.backup import back_up
from publisher.store.database import Database
from publisher.store.readings import MOST_IDS, MOST_UNKNOWN, FeedReadings, Readings, find_readings
from publisher.web.public import counting
from publisher.web.public.counting import Counting
from tests.audience.readers import URI, Readers

# In Oslo it is 18:00, and winter.
NOW = datetime(2026, 2, 3, 17, tzinfo=UTC)
FEEDLY = "Feedly/1.0 (+http://www.feedly.com/fetcher.html; {} subscribers; like FeedFetcher-Google)"
FEEDBIN = "Feedbin feed-id:{} - {} subscribers"


def _settings() -> Settings:
    publication = {"id": URI, "title": "The Daily", "url": "https://daily.example"}
    return parse_settings({"publication": publication | {"time_zone": "Europe/Oslo"}})


class Desk:
    """A database whose readers are counted, with a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.readers = Readers(folder)
        self.database: Database = self.readers.database
        self.now = NOW
        self.said: list[str] = []
        self.counting = self.open()

    def open(self) -> Counting:
        """As another process, or after a restart."""
        return Counting(self.database, _settings(), self.said.append, lambda: self.now)

    def fetch(self, *clients: str, feed: str = "feed.atom", agent: str = "Reeder/5") -> None:
        for client in clients:
            self.counting.note(feed, client, agent)
        self.counting.work_off()

    @property
    def today(self) -> date:
        return (self.now + timedelta(hours=1)).date()

    def readings(self) -> Readings:
        with self.database.read() as connection:
            return find_readings(connection, self.database.publication, self.today)

    def feed(self, name: str = "feed.atom") -> FeedReadings:
        return next(each for each in self.readings().feeds if each.feed == name)

    def rows(self, table: str) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.exec_driver_sql(f"SELECT * FROM {table}"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.database.close()


def _addresses(number: int) -> list[str]:
    return [f"203.0.113.{each}" for each in range(number)]


def test_a_client_is_counted_once_a_day_whatever_it_does(desk: Desk) -> None:
    desk.fetch("203.0.113.7", "203.0.113.7")
    desk.fetch("203.0.113.7")
    desk.fetch("203.0.113.7", feed="feed.rss")
    desk.fetch("203.0.113.8", "203.0.113.7", agent="NetNewsWire")
    assert desk.feed().today == 3
    assert desk.feed("feed.rss").today == 1
    assert desk.readings().whole.today == 3


def test_the_changing_addresses_of_one_connection_are_one(desk: Desk) -> None:
    desk.fetch("2001:db8:1:2:aaaa::1", "2001:db8:1:2:bbbb::1", "2001:db8:1:3::1")
    assert desk.feed().today == 2


def test_a_restart_in_the_middle_of_a_day_and_another_process_count_nobody_twice(
    desk: Desk,
) -> None:
    other = desk.open()
    desk.fetch(*_addresses(3))
    for each in _addresses(5):
        other.note("feed.atom", each, "Reeder/5")
    other.work_off()
    desk.counting = desk.open()
    desk.fetch(*_addresses(5))
    assert desk.feed().today == 5
    assert len(desk.rows("reading_day")) == 1


def test_a_day_that_is_over_is_a_number(desk: Desk, tmp_path: Path) -> None:
    desk.fetch(*_addresses(3))
    desk.fetch(*_addresses(2), feed="feed.rss", agent="NetNewsWire")
    salt = desk.rows("reading_day")[0].salt
    hashes = {row.hash for row in desk.rows("reading_client")}
    assert salt in desk.readers.bytes_on_disk()
    assert len(hashes) == 5
    desk.now += timedelta(hours=6)  # it is midnight in Oslo, and 23:00 in UTC
    desk.counting.work_off()
    assert desk.rows("reading_client") == []
    assert [row.day for row in desk.rows("reading_day")] == ["2026-02-04"]
    assert desk.rows("reading_day")[0].salt != salt
    left = desk.readers.bytes_on_disk()
    assert salt not in left
    assert not any(each in left for each in hashes)
    assert desk.readings().days == 1
    assert (desk.feed().direct, desk.feed("feed.rss").direct) == (3, 2)
    assert (desk.feed().today, desk.readings().whole.direct) == (0, 5)


def test_a_day_begins_at_midnight_where_the_publication_is(desk: Desk) -> None:
    desk.fetch("203.0.113.7")
    desk.now = datetime(2026, 2, 3, 22, 59, 59, tzinfo=UTC)
    desk.fetch("203.0.113.7")
    assert desk.feed().today == 1
    assert desk.readings().days == 0
    desk.now += timedelta(seconds=1)
    desk.fetch("203.0.113.7")
    assert (desk.readings().days, desk.feed().direct, desk.feed().today) == (1, 1, 1)


def test_a_process_that_missed_midnight_does_not_bring_the_day_back(desk: Desk) -> None:
    late = desk.open()
    late.work_off()
    desk.now += timedelta(hours=6)
    desk.fetch("203.0.113.7")
    desk.now -= timedelta(hours=6)  # its look at the clock was just before
    late.note("feed.atom", "203.0.113.9", "Reeder/5")
    late.work_off()
    desk.now += timedelta(hours=6)
    assert [row.day for row in desk.rows("reading_client")] == ["2026-02-04"]


def test_direct_is_the_average_of_the_last_seven_whole_days(desk: Desk) -> None:
    for number in (70, 1, 2, 3, 4, 5, 6, 7):
        desk.fetch(*_addresses(number))
        desk.now += timedelta(days=1)
    desk.fetch(*_addresses(50))
    assert desk.readings().days == 7
    assert desk.feed().direct == 4
    assert desk.feed().readers == 4
    assert desk.feed().today == 50
    desk.now += timedelta(days=1)
    desk.fetch(*_addresses(9))
    desk.now += timedelta(days=5)  # the machine was off
    assert desk.readings().days == 3  # of which nobody has closed the last
    assert desk.feed().direct == pytest.approx((7 + 50 + 9) / 3)


def test_the_newest_number_counts_for_each_id_of_an_aggregator(desk: Desk) -> None:
    for agent in (FEEDLY.format(10), FEEDLY.format(12), FEEDBIN.format(1, 5), FEEDBIN.format(2, 7)):
        desk.fetch("203.0.113.7", agent=agent)
    desk.fetch("203.0.113.7", agent=FEEDBIN.format(2, 8))
    desk.fetch("203.0.113.7", agent=FEEDLY.format(3), feed="feed.rss")
    assert {each.name: each.subscribers for each in desk.feed().aggregators} == {
        "Feedly": 12,
        "Feedbin": 13,
    }
    assert (desk.feed().readers, desk.feed().today) == (25, 0)
    # The same id of Feedbin's is the same people, by whatever address they are fetched for.
    desk.fetch("203.0.113.7", agent=FEEDBIN.format(2, 8), feed="feed.json")
    assert desk.readings().whole.subscribers == 12 + 3 + 5 + 8


def test_an_aggregator_that_comes_no_more_has_no_readers_after_a_week(desk: Desk) -> None:
    desk.fetch("203.0.113.7", agent=FEEDLY.format(10))
    desk.now += timedelta(days=7)
    desk.counting.work_off()
    assert desk.feed().readers == 10
    desk.now += timedelta(days=1)
    assert desk.readings().whole.readers == 0
    desk.counting.work_off()
    assert desk.rows("reading_report") == []


def test_what_strangers_make_up_is_bounded_and_in_no_sum(desk: Desk) -> None:
    for each in range(MOST_UNKNOWN + 50):
        desk.counting.note("feed.atom", "203.0.113.7", f"Made-up-{each}/1.0 (9999 subscribers)")
    for each in range(MOST_IDS + 50):
        desk.counting.note("feed.rss", "203.0.113.7", FEEDBIN.format(each, 1))
    for each in range(counting.MOST_AGENTS + 50):
        desk.counting.note("feed.json", "203.0.113.7", f"Reader-{each}")
    desk.fetch("203.0.113.8", feed="feed.json")
    assert len(desk.feed().aggregators) == MOST_UNKNOWN
    assert (desk.feed().readers, desk.feed().claimed) == (0, 9999 * MOST_UNKNOWN)
    assert desk.feed("feed.rss").readers == MOST_IDS
    assert desk.feed("feed.json").today == counting.MOST_AGENTS + 1
    # Who was there before still is heard.
    desk.fetch("203.0.113.7", feed="feed.rss", agent=FEEDBIN.format(0, 100))
    assert desk.feed("feed.rss").readers == MOST_IDS + 99


def test_a_flood_costs_no_more_than_it_may(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_WAITING", 100)
    monkeypatch.setattr(counting, "MOST_CLIENTS", 150)
    for each in range(300):
        desk.counting.note("feed.atom", f"198.51.{each // 200}.{each % 200}", "Reeder/5")
    desk.counting.work_off()
    assert desk.feed().today == 100
    for third in (7, 8, 9):
        desk.fetch(*(f"198.51.{third}.{each}" for each in range(60)))
    assert desk.feed().today <= 150 + 60
    assert len([line for line in desk.said if "clients today" in line]) == 1


def test_a_backup_has_numbers_only(desk: Desk, tmp_path: Path) -> None:
    desk.fetch(*_addresses(3))
    salt, hashes = desk.rows("reading_day")[0].salt, desk.rows("reading_client")
    back_up(desk.database, tmp_path / "copy.db", desk.now)
    data = (tmp_path / "copy.db").read_bytes()
    assert salt not in data
    assert not any(row.hash in data for row in hashes)
    raw = sqlite3.connect(tmp_path / "copy.db")
    kept = raw.execute("SELECT feed, clients FROM reading_count ORDER BY feed").fetchall()
    raw.close()
    assert kept == [("", 3), ("feed.atom", 3)]
    assert desk.rows("reading_day")[0].salt == salt


def test_the_last_days_salt_leaves_the_log_when_its_reader_does(desk: Desk) -> None:
    desk.fetch("203.0.113.7")
    salt = desk.rows("reading_day")[0].salt
    with desk.database.read() as looking:
        looking.exec_driver_sql("SELECT * FROM reading_day").all()
        desk.now += timedelta(hours=6)
        desk.counting.work_off()
        assert salt in desk.readers.bytes_on_disk()
    desk.now += timedelta(minutes=2)
    desk.counting.work_off()
    assert salt not in desk.readers.bytes_on_disk()


def test_a_database_that_cannot_be_written_is_said_once(desk: Desk) -> None:
    desk.fetch("203.0.113.7")
    raw = sqlite3.connect(desk.readers.folder / "publisher.db")
    raw.execute("ALTER TABLE reading_client RENAME TO hidden")
    raw.commit()
    desk.fetch("203.0.113.8")
    desk.fetch("203.0.113.9")
    assert len(desk.said) == 1
    assert "not counted" in desk.said[0]
    assert "203.0.113" not in desk.said[0]
    raw.execute("ALTER TABLE hidden RENAME TO reading_client")
    raw.commit()
    raw.close()
    desk.fetch("203.0.113.9")
    assert desk.feed().today == 2
