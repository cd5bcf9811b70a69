"""Each model by itself: what is new, changed, gone and shown again to it, as in its source."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import feedparser
import pytest

from publisher.preflight.feed_readers import READERS
from publisher.preflight.feed_readers.documents import NotAFeed, read_document
from publisher.preflight.feed_readers.feedly import Feedly
from publisher.preflight.feed_readers.feedmail import FeedMail
from publisher.preflight.feed_readers.feedparser_based import LemonReader, Rss2Email
from publisher.preflight.feed_readers.freshrss import FreshRSS
from publisher.preflight.feed_readers.miniflux import Miniflux
from publisher.preflight.feed_readers.netnewswire import NetNewsWire
from publisher.preflight.feed_readers.newsboat import Newsboat
from publisher.preflight.feed_readers.reader import Answer, Reader
from publisher.preflight.feed_readers.thunderbird import Thunderbird
from tests.readers.following import Server
from tests.readers.scenes import Scene
from tests.readers.test_a_year_of_publishing import habits
from tests.site.world import World

URL = "https://daily.example/feed.rss"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def item(name: str = "a", **changes: str) -> str:
    """An RSS item; `changes` are elements, `mark` is isPermaLink."""
    parts = {
        "guid": f"urn:{name}",
        "mark": "false",
        "link": f"https://daily.example/{name}",
        "title": f"Title {name}",
        "description": f"Text {name}",
        "pubDate": format_datetime(NOW - timedelta(hours=1)),
    } | changes
    mark = f' isPermaLink="{parts.pop("mark")}"'
    written = "".join(f"<{tag}>{text}</{tag}>" for tag, text in parts.items() if text)
    return f"<item>{written.replace('<guid>', f'<guid{mark}>')}</item>"


def rss(*items: str) -> bytes:
    return f'<rss version="2.0"><channel><title>T</title>{"".join(items)}</channel></rss>'.encode()


def read(reader: Reader, *items: str, days: float = 0, url: str = URL) -> tuple[int, int]:
    """How many entries are new, and how many updated."""
    reading = reader.read(rss(*items), url, NOW + timedelta(days=days))
    return len(reading.new), len(reading.updated)


@pytest.mark.parametrize("kind", READERS)
def test_what_is_known_is_not_new(kind: type[Reader]) -> None:
    reader = kind()
    assert read(reader, item("a"), item("b")) == (2, 0)
    assert read(reader, item("b"), item("a")) == (0, 0)
    assert read(reader, item("c"), item("b")) == (1, 0)


@pytest.mark.parametrize(
    ("kind", "title", "text", "link"),
    [
        *((Miniflux, 1, 1, 1), (FreshRSS, 1, 1, 1), (NetNewsWire, 1, 1, 1), (Newsboat, 1, 1, 1)),
        *((LemonReader, 1, 1, 1), (Feedly, 1, 1, 1), (Rss2Email, 0, 1, 0)),
        *((Thunderbird, 0, 0, 0), (FeedMail, 0, 0, 0)),
    ],
)
def test_what_makes_an_entry_updated(kind: type[Reader], title: int, text: int, link: int) -> None:
    for changes, expected in (
        ({"title": "Other"}, title),
        ({"description": "Other"}, text),
        ({"link": "https://other.example/a"}, link),
    ):
        reader = kind()
        read(reader, item())
        assert read(reader, item(**changes)) == (0, expected), changes


def test_of_the_time_of_a_change_alone() -> None:
    """lemon24/reader takes it for a change; in RSS it stands in `atom:updated`."""
    atom = 'xmlns="http://www.w3.org/2005/Atom"'
    one, other = (f"{item()[:-7]}<updated {atom}>{day}</updated></item>" for day in _DAYS)
    for kind, expected in ((LemonReader, 1), (NetNewsWire, 0), (Miniflux, 0), (FreshRSS, 0)):
        reader = kind()
        read(reader, one)
        assert read(reader, other) == (0, expected)


_DAYS = ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z")


@pytest.mark.parametrize("kind", READERS)
def test_without_a_guid_the_link_is_the_identity(kind: type[Reader]) -> None:
    reader = kind()
    assert read(reader, item(guid="")) == (1, 0)
    assert read(reader, item(guid=""))[0] == 0
    is_link = kind not in (Rss2Email,)  # which hashes the content
    assert read(reader, item(guid="", link="https://moved.example/a"))[0] == int(is_link)


def test_repeated_guids() -> None:
    twice = (item("a", guid="urn:x"), item("b", guid="urn:x"))
    assert read(Miniflux(), *twice) == (2, 0), "told apart by their links"
    assert read(FreshRSS(), *twice) == (2, 0), "no longer known by their guids"
    assert read(Newsboat(), *twice) == (1, 0)


@pytest.mark.parametrize(
    ("kind", "days", "again"),
    [
        *((Miniflux, 400, 0), (Rss2Email, 400, 0), (LemonReader, 400, 0), (Newsboat, 400, 0)),
        *((NetNewsWire, 29, 0), (NetNewsWire, 31, 1), (Thunderbird, 0.9, 0), (Thunderbird, 1, 1)),
    ],
)
def test_what_left_the_feed_and_comes_back(kind: type[Reader], days: float, again: int) -> None:
    reader = kind()
    read(reader, item("a"), item("b"))
    read(reader, item("b"), days=days)
    assert read(reader, item("a"), item("b"), days=days + 0.01) == (again, 0)


def test_freshrss_forgets_only_beyond_fifty() -> None:
    many = [item(f"n{number}") for number in range(60)]
    for count, again in ((40, 0), (60, 1)):
        reader = FreshRSS()
        read(reader, item("a"))
        read(reader, *many[:count], days=1)
        read(reader, *many[:count], item("z"), days=100)
        assert read(reader, item("a"), days=101) == (again, 0)


def test_thunderbird_and_newsboat_know_an_entry_in_all_feeds() -> None:
    other = "https://daily.example/tags/film/feed.rss"
    for kind, new in ((Thunderbird, 0), (Newsboat, 0), (Feedly, 0), (Miniflux, 1), (FreshRSS, 1)):
        reader = kind()
        read(reader, item())
        assert read(reader, item(), url=other)[0] == new


@pytest.mark.parametrize("kind", [NetNewsWire, Thunderbird])
def test_a_guid_that_claims_to_be_a_link(kind: type[Reader]) -> None:
    for guid, link in (
        ("https://old.example/?p=1", "https://old.example/?p=1"),
        ("tag:daily.example,2025:a", "https://daily.example/a"),
    ):
        reading = kind().read(rss(item(guid=guid, mark="true")), URL, NOW)
        assert reading.new[0].link == link
        reading = kind().read(rss(item(guid=guid)), URL, NOW)
        assert reading.new[0].link == "https://daily.example/a"


def test_feedmail_doubts_what_is_dated_long_ago() -> None:
    def dated(name: str, days: float) -> str:
        return item(name, pubDate=format_datetime(NOW - timedelta(days=days)))

    reader = FeedMail()
    assert read(reader, dated("a", 0), dated("b", 6), dated("c", 8)) == (2, 0)
    assert read(reader, dated("c", 8)) == (0, 0), "what was passed over is known"
    many = [dated(f"n{number}", number / 24) for number in range(12)]
    assert read(FeedMail(), *many) == (10, 0)


def test_of_one_issue_the_last_highlight_comes_first_where_dates_decide() -> None:
    first, second = (
        item(name, pubDate=format_datetime(NOW + timedelta(seconds=place)))
        for place, name in enumerate("ab", 1)
    )
    assert [s.title for s in Miniflux().read(rss(first, second), URL, NOW).new] == [
        *("Title b", "Title a"),
    ]
    assert [s.title for s in Rss2Email().read(rss(first, second), URL, NOW).new] == [
        *("Title a", "Title b"),
    ]


def test_validators() -> None:
    answer = Answer(status=200, body=rss(item()), etag='"1"', last_modified="then")
    for kind in READERS:
        reader = kind()
        assert reader.request(URL, NOW) == {}
        reader.receive(answer, URL, NOW)
        expected = {"If-Modified-Since": "then"}
        if kind is not Thunderbird:
            expected["If-None-Match"] = '"1"'
        assert reader.request(URL, NOW + timedelta(days=7)) == expected
        late = reader.request(URL, NOW + timedelta(days=9))
        assert late == ({} if kind is NetNewsWire else expected)
        assert reader.receive(Answer(status=304), URL, NOW).new == ()


@pytest.mark.parametrize(
    "body", [b"", b"<html></html>", b"{}", b'{"version": "2"}', b"<rss/>", b"<rss"]
)
def test_what_is_no_feed(body: bytes) -> None:
    with pytest.raises(NotAFeed):
        read_document(body)


def test_a_habit_polls_at_its_hours_and_not_when_it_is_away() -> None:
    habit = habits(60, random.Random(1))[-1]
    left, back = habit.away[0]
    assert habit.first_poll(left, left + timedelta(days=40)) == back
    assert habit.first_poll(left, back) is None
    hourly = habits(60, random.Random(1))[1]
    start = hourly.begins + timedelta(minutes=61)
    assert hourly.first_poll(start, start + timedelta(days=1)) == hourly.begins + timedelta(hours=2)


def test_what_is_read_is_what_feedparser_reads(world: World) -> None:
    """The models of readers that stand on it take its words for ids, links, titles and times."""
    body = (
        "## Fish & <chips> {#a .film}\n\nText *of* A.\n\n"
        '## B {#b guid="https://old.example/?p=1"}\n\nText.\n'
    )
    world.issue("2026-02-27", body)
    world.build()
    for path in ("feed.atom", "feed.rss", "issues.atom", "issues.rss"):
        data = (world.public / path).read_bytes()
        theirs = feedparser.parse(data, sanitize_html=False, resolve_relative_uris=False).entries
        ours = read_document(data).items
        assert len(theirs) == len(ours) > 0
        for entry, read_item in zip(theirs, ours, strict=True):
            assert entry.id == read_item.id
            assert entry.link == read_item.link
            assert entry.content[0].value.strip() == read_item.content
            for part in ("published", "updated"):
                moment = getattr(read_item, part)
                assert entry[f"{part}_parsed"][:6] == moment.astimezone(UTC).timetuple()[:6]


def test_the_server_here_prefers_etags() -> None:
    """RFC 9110, section 13.2.2: If-Modified-Since counts where there is no If-None-Match."""
    server = Server()
    server.scene = Scene(
        now=NOW,
        did="",
        base="",
        bodies={"a": b"x"},
        changed={"a": NOW},
        live={},
        whole={},
        withdrawn=frozenset(),
    )
    answer = server.answer("a", {})
    since = {"If-Modified-Since": answer.last_modified}
    assert answer.status == 200
    assert server.answer("a", since).status == 304
    assert server.answer("a", since | {"If-None-Match": '"other"'}).status == 200
    assert server.answer("a", {"If-None-Match": answer.etag}).status == 304
    assert server.answer("b", {}).status == 404
