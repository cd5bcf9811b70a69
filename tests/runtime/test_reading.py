"""Reading sources from a real server: politely, and none of them stops the others."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event

import pytest

from publisher.runtime.reading import Reading, open_reader
from publisher.runtime.shelf import Kept, Shelf
from publisher.sources.model import Source
from tests.runtime.feed_server import (
    FeedServer,
    answer,
    answer_unless_known,
    serving_feeds,
    write_rss,
)

NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)
HERE = ["127.0.0.1"]


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with serving_feeds() as feeds:
        yield feeds


def read(
    feeds: FeedServer,
    folder: Path,
    *paths: str,
    now: datetime = NOW,
    seconds: float = 30,
    private: list[str] = HERE,
) -> list[Reading]:
    sources = [Source(feeds.url(path), path[1:]) for path in paths]
    reader = open_reader(Shelf(folder), now, "test", private, seconds)
    return reader.read_all(sources, None)


def titles(reading: Reading) -> list[str]:
    return [each.title for each in reading.feed.entries] if reading.feed else []


def test_what_has_not_changed_is_not_sent_again_and_counts_all_the_same(
    feeds: FeedServer, tmp_path: Path
) -> None:
    feeds.paths["/a"] = answer_unless_known(write_rss("A ship"), '"1"')
    (first,) = read(feeds, tmp_path, "/a")
    (second,) = read(feeds, tmp_path, "/a")
    assert (first.status, second.status) == ("fetched", "not modified")
    assert titles(first) == titles(second) == ["A ship"]
    for path in (tmp_path / ".publisher" / "sources").iterdir():
        path.write_bytes(b"damaged")
    (third,) = read(feeds, tmp_path, "/a")
    assert (third.status, titles(third)) == ("fetched", ["A ship"])


def test_none_that_fails_stops_the_others(feeds: FeedServer, tmp_path: Path) -> None:
    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"<a>" * 20_000)

    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    bomb = gzip.compress(b" " * 50_000_000)
    entities = b"<!DOCTYPE r [<!ENTITY a 'aaaa'>]><rss><channel><title>&a;</title></channel></rss>"
    feeds.paths |= {
        "/fine": answer(write_rss("A ship")),
        "/error": answer(b"oh", 500),
        "/endless": pour,
        "/bomb": answer(bomb, Content_Encoding="gzip"),
        "/entities": answer(entities),
        "/page": answer(b"<!DOCTYPE html><html><p>Hello", kind="text/html"),
        "/image": answer(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", kind="image/png"),
        "/empty": answer(b""),
        "/nobody": hang_up,
        "/private": answer(status=302, Location=feeds.url("/fine", "127.0.0.2")),
        "/last": answer(write_rss("Two ships")),
    }
    paths = (*feeds.paths, "/missing")
    found = dict(zip(paths, read(feeds, tmp_path, *paths), strict=True))
    assert titles(found["/fine"]) == ["A ship"]
    assert titles(found["/last"]) == ["Two ships"]
    assert {path: each.reason for path, each in found.items() if each.status == "failed"} == {
        "/error": "it answered 500",
        "/endless": "its answer is longer than 5,000,000 bytes",
        "/bomb": "its answer is longer than 5,000,000 bytes when it is unpacked",
        "/entities": "it declares entities of its own, which are not read",
        "/page": "it is a web page, no feed",
        "/image": "it is no XML",
        "/empty": "it answered nothing",
        "/nobody": "no answer (RemoteDisconnected)",
        "/private": "its host is in a private network",
        "/missing": "it answered 404",
    }


def test_a_host_is_asked_once_at_a_time(feeds: FeedServer, tmp_path: Path) -> None:
    paths = [f"/{n}" for n in range(12)]
    for path in paths:
        feeds.paths[path] = answer(write_rss(f"Ship {path}"))
    feeds.paths["/moved"] = answer(status=302, Location="/0")
    found = read(feeds, tmp_path, *paths, "/moved")
    assert [each.status for each in found] == ["fetched"] * 13
    assert feeds.most_at_once == 1
    assert [each.source.name for each in found] == [*(path[1:] for path in paths), "moved"]


def test_one_that_drips_takes_no_more_than_there_is_for_all(
    feeds: FeedServer, tmp_path: Path
) -> None:
    stop = Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not stop.wait(0.05):
            handler.wfile.write(b"x")

    feeds.paths |= {"/fine": answer(write_rss("A ship")), "/drip": drip}
    fine, slow = read(feeds, tmp_path, "/fine", "/drip", seconds=0.5)
    stop.set()
    assert titles(fine) == ["A ship"]
    assert (slow.status, slow.feed) == ("failed", None)
    assert "the limit for all sources" in slow.reason


def test_a_server_that_wants_to_be_left_alone_is(feeds: FeedServer, tmp_path: Path) -> None:
    """Its other feeds too; what they sent last counts, and later they are asked again."""
    feeds.paths |= {"/a": answer(write_rss("A ship")), "/b": answer(write_rss("Two ships"))}
    read(feeds, tmp_path, "/a", "/b")
    feeds.paths["/a"] = answer(b"slow", 429, Retry_After="3600")
    feeds.asked.clear()
    first, second = read(feeds, tmp_path, "/a", "/b")
    assert feeds.asked == ["/a"]
    assert [first.status, second.status] == ["waiting", "waiting"]
    assert first.reason == "it answered 429, and is not asked before 2026-01-05 08:00 UTC"
    assert titles(first) + titles(second) == ["A ship", "Two ships"]
    read(feeds, tmp_path, "/a", now=NOW + timedelta(minutes=59))
    assert feeds.asked == ["/a"]
    feeds.paths["/a"] = answer(write_rss("Three ships"))
    (again,) = read(feeds, tmp_path, "/a", now=NOW + timedelta(minutes=61))
    assert (again.status, titles(again)) == ("fetched", ["Three ships"])


@pytest.mark.parametrize(
    ("status", "asked", "hours"),
    [(503, "7200", 2), (429, "", 0.25), (429, "99999999999", 24), (503, "a while", 0)],
)
def test_how_long_a_server_is_left_alone(
    feeds: FeedServer, tmp_path: Path, status: int, asked: str, hours: float
) -> None:
    feeds.paths["/a"] = answer(b"", status, Retry_After=asked)
    (reading,) = read(feeds, tmp_path, "/a")
    kept = Shelf(tmp_path).read(feeds.url("/a"))
    assert kept.wait_until == (NOW + timedelta(hours=hours) if hours else None)
    assert reading.status == ("waiting" if hours else "failed")


def test_what_is_gone_is_not_asked_again_for_long(feeds: FeedServer, tmp_path: Path) -> None:
    feeds.paths["/a"] = answer(b"gone", 410)
    for days in (0, 1, 29):
        (reading,) = read(feeds, tmp_path, "/a", now=NOW + timedelta(days=days))
        assert (reading.status, reading.feed) == ("gone", None)
        assert reading.reason == "it is gone for good (410): take it out of the list"
    assert feeds.asked == ["/a"]
    read(feeds, tmp_path, "/a", now=NOW + timedelta(days=31))
    assert feeds.asked == ["/a", "/a"]


def test_what_has_moved_for_good_is_asked_there(feeds: FeedServer, tmp_path: Path) -> None:
    feeds.paths |= {
        "/old": answer(status=301, Location="/new"),
        "/new": answer_unless_known(write_rss("A ship"), '"1"'),
    }
    (first,) = read(feeds, tmp_path, "/old")
    assert first.reason == f"it has moved for good to {feeds.url('/new')}"
    (second,) = read(feeds, tmp_path, "/old")
    assert feeds.asked == ["/old", "/new", "/new"]
    assert (second.status, second.reason, titles(second)) == (
        "not modified",
        first.reason,
        ["A ship"],
    )
    # It was a mistake of theirs: what the list says is asked again.
    del feeds.paths["/new"]
    feeds.paths["/old"] = answer(write_rss("Two ships"))
    (third,) = read(feeds, tmp_path, "/old")
    assert third.reason == "it answered 404"
    (fourth,) = read(feeds, tmp_path, "/old")
    assert (fourth.status, fourth.reason, titles(fourth)) == ("fetched", "", ["Two ships"])


def test_a_move_to_what_is_no_feed_is_not_remembered(feeds: FeedServer, tmp_path: Path) -> None:
    """A hotel's network sends everybody on to its own page, for good."""
    feeds.paths |= {
        "/a": answer(status=301, Location="/hotel"),
        "/hotel": answer(b"<html><p>Log in", kind="text/html"),
    }
    read(feeds, tmp_path, "/a")
    assert Shelf(tmp_path).read(feeds.url("/a")) == Kept()


def test_when_an_entry_without_a_date_was_first_seen_is_kept(
    feeds: FeedServer, tmp_path: Path
) -> None:
    item = b"<item><title>%s</title><link>https://a.example/%s</link></item>"
    one, two = item % (b"One", b"1"), item % (b"Two", b"2")
    feeds.paths["/a"] = answer(b"<rss><channel>%s</channel></rss>" % one)
    read(feeds, tmp_path, "/a")
    feeds.paths["/a"] = answer(b"<rss><channel>%s%s</channel></rss>" % (two, one))
    later = NOW + timedelta(days=3)
    (reading,) = read(feeds, tmp_path, "/a", now=later)
    assert reading.feed is not None
    assert [(e.title, e.date) for e in reading.feed.entries] == [("Two", later), ("One", NOW)]


def test_nothing_in_a_private_network_is_asked_unless_it_is_allowed(
    feeds: FeedServer, tmp_path: Path
) -> None:
    feeds.paths["/a"] = answer(write_rss("A ship"))
    (reading,) = read(feeds, tmp_path, "/a", private=[])
    assert reading.reason == "its host is in a private network"
    assert feeds.asked == []


def test_what_was_in_a_list_long_ago_is_forgotten(feeds: FeedServer, tmp_path: Path) -> None:
    import os

    shelf = Shelf(tmp_path)
    for name in ("old", "new"):
        shelf.write(name, Kept(why=name))
    old = shelf._path("old")
    os.utime(old, (0, 0))
    shelf.tidy()
    assert (shelf.read("old"), shelf.read("new")) == (Kept(), Kept(why="new"))
