"""Which entries a draft is made of, and what became of all the others."""

from datetime import UTC, datetime, timedelta

import pytest

from publisher.sources.addresses import absolute_url, page_key, without_tracking
from publisher.sources.choose import Also, Tally, Wanted, choose, date_entries, name_source
from publisher.sources.model import Entry, Feed, Source, UnreadableError
from publisher.sources.opml import is_opml, read_opml

NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)
WANTED = Wanted(since=NOW - timedelta(days=1), most=0)


def entry(title: str, url: str = "", *, hours: float = 1, source: str = "") -> Entry:
    url = url or f"https://a.example/{abs(hash(title))}"
    return Entry(title=title, url=url, date=NOW - timedelta(hours=hours), source=source)


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example/ship",
        "http://www.news.example/ship/",
        "https://news.example:443/ship?utm_source=rss&utm_medium=x#top",
        "https://NEWS.example/ship?fbclid=abc&at_medium=RSS",
        "https://amp.news.example/ship",
        "https://m.news.example/ship/amp/",
        "https://news.example/amp/ship",
        "https://news.example/ship?amp=1",
        "https://news.example/ship?outputType=amp",
        "https://www.google.com/amp/s/news.example/ship/",
        "https://news-example.cdn.ampproject.org/c/s/www.news.example/ship?amp",
        "https://news.example/%73hip",
    ],
)
def test_one_page_is_known_whatever_its_url_is(url: str) -> None:
    assert page_key(url) == "news.example/ship"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://news.example/?id=1", "https://news.example/?id=2"),
        ("https://news.example/a", "https://news.example/A"),
        ("https://news.example/a", "https://other.example/a"),
        ("https://news.example/camp", "https://news.example/c"),
        ("https://news.example/#!/a", "https://news.example/#!/b"),
        ("https://m.example/a", "https://example/a"),
        ("https://news.example/ampere", "https://news.example/ere"),
    ],
)
def test_other_pages_are_others(one: str, other: str) -> None:
    assert page_key(one) != page_key(other)


def test_the_order_of_parameters_makes_no_other_page() -> None:
    assert page_key("https://a.example/?b=2&a=1") == page_key("https://a.example/?a=1&b=2")
    assert (
        without_tracking("https://a.example/?b=2&utm_x=3&a=1#c") == "https://a.example/?b=2&a=1#c"
    )
    assert absolute_url("https://a.example/x/", "../y z?q=é#ü").endswith("/y%20z?q=%C3%A9#%C3%BC")


def test_a_story_of_several_sources_is_one_that_names_them_all() -> None:
    first = Feed(entries=(entry("Court blocks the merger of two chains", "https://a.example/1"),))
    second = Feed(
        entries=(
            entry("The court blocks merger of two chains today", "https://b.example/2", hours=3),
            entry("Court allows the merger of two chains", "https://b.example/3", hours=2),
        )
    )
    third = Feed(entries=(entry("A ship", "http://www.a.example/1/?utm_source=c", hours=4),))
    choice = choose([("A", first), ("B", second), ("C", third)], WANTED)
    assert [(c.entry.url, c.source) for c in choice.chosen] == [
        ("https://a.example/1", "A"),
        ("https://b.example/3", "B"),
    ]
    assert choice.chosen[0].also == (
        Also("B", "https://b.example/2"),
        Also("C", "http://www.a.example/1/"),
    )
    assert choice.tallies == (
        Tally(entries=1, taken=1),
        Tally(entries=2, taken=1, folded=1),
        Tally(entries=1, folded=1),
    )


def test_a_source_that_repeats_itself_is_named_once() -> None:
    """Ids do not count: in damaged feeds all entries have the same one. Pages tell."""
    feed = Feed(
        entries=(entry("A ship", "https://a.example/1"), entry("B", "https://a.example/1/"))
    )
    (chosen,) = choose([("A", feed)], WANTED).chosen
    assert chosen.also == ()


def test_all_that_was_left_out_is_counted() -> None:
    feed = Feed(
        entries=(
            entry("Old", hours=25),
            entry("Told already", "https://www.a.example/told?utm_source=x"),
            *(entry(f"Ship {n}", hours=n) for n in (3, 1, 2)),
        ),
        unusable=2,
    )
    known = {"a.example/told": "2026-01-04"}
    wanted = Wanted(since=WANTED.since, most=2, known=known)
    choice = choose([("A", feed)], wanted)
    assert [each.entry.title for each in choice.chosen] == ["Ship 1", "Ship 2"]
    tally = Tally(entries=7, taken=2, known=1, too_old=1, left_over=1, unusable=2)
    assert choice.tallies == (tally,)
    assert sum(getattr(tally, name) for name in tally.__struct_fields__[1:]) == tally.entries
    assert [(each.title, each.issue) for each in choice.known] == [("Told already", "2026-01-04")]


def test_the_order_is_by_time_or_by_source() -> None:
    feeds = [
        ("A", Feed(entries=(entry("One", hours=3), entry("Two", hours=1)))),
        ("B", Feed(entries=(entry("Three", hours=2),))),
    ]
    newest = choose(feeds, WANTED).chosen
    assert [each.entry.title for each in newest] == ["Two", "Three", "One"]
    by_source = choose(feeds, Wanted(since=WANTED.since, most=0, order="source")).chosen
    assert [each.entry.title for each in by_source] == ["Two", "One", "Three"]


def test_a_title_goes_without_the_name_that_stands_beside_it() -> None:
    feed = Feed(
        title="The Wire",
        entries=(
            entry("A ship - The Wire"),
            entry("Two ships | The Harbour", source="The Harbour"),
            entry("Three ships - at last"),
        ),
    )
    chosen = choose([("Wire", feed)], WANTED).chosen
    assert {(each.entry.title, each.source) for each in chosen} == {
        ("A ship", "Wire"),
        ("Two ships", "The Harbour"),
        ("Three ships - at last", "Wire"),
    }


def test_what_has_no_date_or_one_to_come_counts_as_of_when_it_was_seen() -> None:
    entries = (
        Entry(title="None", url="https://a.example/1"),
        entry("Ahead", "https://a.example/2", hours=-100),
        entry("Fine", "https://a.example/3"),
    )
    feed, seen = date_entries(Feed(entries=entries), {}, NOW)
    assert [each.date for each in feed.entries] == [NOW, NOW, entries[2].date]
    assert seen == {"a.example/1": NOW, "a.example/2": NOW}
    later = NOW + timedelta(days=2)
    again, seen_again = date_entries(Feed(entries=entries), seen, later)
    assert (again, seen_again) == (feed, seen)


def test_names() -> None:
    assert name_source(Source("https://a.example/f", "Mine"), Feed(title="Its")) == "Mine"
    assert name_source(Source("https://a.example/f"), Feed(title="Its")) == "Its"
    assert name_source(Source("https://a.example/f"), None) == "a.example"


OPML = """<?xml version="1.0"?><opml version="2.0"><head><title>Mine</title></head><body>
<outline text="Ships"><outline text="The &amp; Wire" type="rss" xmlUrl="https://wire.example/feed"/>
<outline title="Harbour" xmlurl="http://harbour.example/rss?a=1&b=2"/></outline>
<outline text="Twice" xmlUrl="http://wire.example/feed/"/>
<outline text="Wrong" xmlUrl="ftp://a.example/"/><outline text="Empty" xmlUrl=""/>
</body></opml>"""


def test_a_list() -> None:
    assert is_opml(OPML.encode())
    sources, wrong = read_opml(OPML.encode())
    assert sources == [
        Source("https://wire.example/feed", "The & Wire"),
        Source("http://harbour.example/rss?a=1&b=2", "Harbour"),
    ]
    assert wrong == [
        "line 5: ftp://a.example/ is no http(s) URL",
        "line 5: an empty one is no http(s) URL",
    ]


MANY = "".join(f"<outline xmlUrl='https://a{n}.example'/>" for n in range(501))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<rss/>", "no OPML"),
        ("nothing", "no XML"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><opml>&a;</opml>", "entities of its own"),
        (
            f"<opml>{MANY}</opml>",
            "501 feeds; 500 are the most",
        ),
    ],
)
def test_what_is_no_list(text: str, said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        read_opml(text.encode())
