"""Feeds in every format, sound and damaged, and documents that are none or must not be read."""

from contextlib import suppress
from datetime import UTC, datetime

import feedparser
import pytest

from publisher.sources.feed import read_feed
from publisher.sources.model import Entry, Feed, UnreadableError

URL = "https://news.example/feeds/all.xml"
RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"><channel>
<title>The &amp;amp; Wire</title><link>https://news.example/</link><language>en-gb</language>
<atom:link rel="self" href="https://news.example/self"/>
%s</channel></rss>"""
ATOM = """<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de" xml:base="https://wire.example/de/">
<title type="html">Der &lt;b&gt;Draht&lt;/b&gt;</title>
%s</feed>"""


def rss(items: str) -> Feed:
    return read_feed((RSS % items).encode(), url=URL)


def atom(entries: str) -> Feed:
    return read_feed((ATOM % entries).encode(), url=URL)


def only(feed: Feed) -> Entry:
    (entry,) = feed.entries
    return entry


def test_rss() -> None:
    feed = rss(
        "<item><title>A ship</title><media:title>a photo</media:title>"
        "<link>https://news.example/ship</link><atom:link rel='self' href='/no'/>"
        "<guid isPermaLink='false'>7</guid><pubDate>Mon, 05 Jan 2026 07:00:00 +0100</pubDate>"
        "<description>It came in.</description><content:encoded>All of it.</content:encoded>"
        "<category>Sea</category><category>Ships</category>"
        "<source url='https://other.example/rss'>The Other</source></item>"
    )
    assert feed.title == "The & Wire"
    assert only(feed) == Entry(
        title="A ship",
        url="https://news.example/ship",
        content="It came in.",
        date=datetime(2026, 1, 5, 6, tzinfo=UTC),
        language="en-gb",
        source="The Other",
        categories=("Sea", "Ships"),
    )


def test_atom() -> None:
    feed = atom(
        "<entry xml:base='sea/'><title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
        "Ein <i>Schiff</i></div></title><id>urn:x</id>"
        "<link rel='enclosure' href='a.mp3'/><link href='schiff?a=1&amp;b=2'/>"
        "<updated>2026-01-06T07:00:00Z</updated><published>2026-01-05T07:00:00+01:00</published>"
        "<category term='see' label='See'/><summary type='html'>&lt;p&gt;Es kam.</summary>"
        "<source><title>Der Hafen</title></source></entry>"
    )
    assert feed.title == "Der Draht"
    assert only(feed) == Entry(
        title="Ein Schiff",
        url="https://wire.example/de/sea/schiff?a=1&b=2",
        content="<p>Es kam.",
        date=datetime(2026, 1, 5, 6, tzinfo=UTC),
        language="de",
        source="Der Hafen",
        categories=("See",),
    )


def test_rss_1_0_and_what_has_no_namespaces() -> None:
    rdf = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
      xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
      <channel><title>Old</title><dc:language>fr</dc:language></channel>
      <item><title>Un</title><link>https://a.example/1</link><dc:date>2026-01-05</dc:date></item>
      </rdf:RDF>"""
    entry = only(read_feed(rdf))
    assert (entry.title, entry.language, entry.date) == (
        "Un",
        "fr",
        datetime(2026, 1, 5, tzinfo=UTC),
    )
    bare = b"<rss><channel><item><title>A</title><link>https://a.example</link>"
    bare += b"<dc:date>2026-01-05T00:00:00Z</dc:date></item></channel></rss>"
    assert only(read_feed(bare)).date == datetime(2026, 1, 5, tzinfo=UTC)


def test_json_feed() -> None:
    document = b"""\xef\xbb\xbf{"version": "https://jsonfeed.org/version/1.1", "title": "J",
      "language": "ar", "items": [
      {"id": 1, "url": "/a", "title": "One", "content_html": "<p>Words", "tags": ["x", 7],
       "date_published": "2026-01-05T07:00:00+01:00"},
      {"id": "2", "external_url": "https://b.example/", "content_text": "No title. But words."},
      {"id": "3", "title": "No link"}, "nothing", {"url": ["x"]}]}"""
    feed = read_feed(document, url=URL)
    assert [(e.title, e.url, e.is_plain) for e in feed.entries] == [
        ("One", "https://news.example/a", False),
        ("No title. But words.", "https://b.example/", True),
    ]
    assert feed.entries[0].categories == ("x",)
    assert feed.entries[0].language == "ar"
    assert feed.unusable == 2


@pytest.mark.parametrize(
    ("item", "url"),
    [
        ("<link>/a b</link>", "https://news.example/a%20b"),
        ("<link><![CDATA[https://a.example/?a=1&b=2&copy=3]]></link>", "?a=1&b=2&copy=3"),
        ("<link>https://a.example/?a=1&b=2</link>", "https://a.example/?a=1&b=2"),
        ("<guid>https://a.example/g</guid>", "https://a.example/g"),
        ("<link></link><guid>https://a.example/g</guid>", "https://a.example/g"),
        ("<link href='https://a.example/h'/>", "https://a.example/h"),
        ("<atom:link href='https://a.example/h'/>", "https://a.example/h"),
        (
            "<link>https://feeds.example/~r/1</link>"
            "<feedburner:origLink>https://a.example/o</feedburner:origLink>",
            "https://a.example/o",
        ),
        ("<link>https://北京.example/新</link>", "https://xn--1lq90i.example/%E6%96%B0"),
    ],
)
def test_where_an_item_leads(item: str, url: str) -> None:
    assert only(rss(f"<item><title>A</title>{item}</item>")).url.endswith(url)


@pytest.mark.parametrize(
    "link",
    [
        *("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://", ""),
        *(
            "https://bank.example@evil.example/",
            "https://a.example:99999/",
            f"https://a.example/{'a' * 3000}",
        ),
    ],
)
def test_what_leads_nowhere_safe_is_unusable(link: str) -> None:
    feed = rss(f"<item><title>A</title><link>{link}</link></item>")
    assert (feed.entries, feed.unusable) == ((), 1)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Q&amp;A: 1 &lt; 2", "Q&A: 1 < 2"),
        ("Q&A &nbsp; here", "Q&A here"),
        ("A &lt;b&gt;bold&lt;/b&gt; word", "A bold word"),
        ("<![CDATA[A <em>bold</em> &quot;word&quot;]]>", 'A bold "word"'),
        ("A <b>bold</b> word", "A bold word"),
        ("Caf&eacute; &amp;eacute; &#233; &#8217;", "Café é é ’"),
        ("a&#10;  b\n\tc", "a b c"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;Fine", "Fine"),
        ("&unknown; stays", "&unknown; stays"),
        ("", "It came in at dawn."),
    ],
)
def test_titles_are_plain(written: str, title: str) -> None:
    item = f"<item><title>{written}</title><link>/a</link><description>It came in at dawn."
    assert only(rss(f"{item}</description></item>")).title == title


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("Mon, 05 Jan 2026 07:00:00 GMT", "2026-01-05T07:00"),
        ("5 Jan 26 07:00 EST", "2026-01-05T12:00"),
        ("Mon, 5 Jan 2026 07:00:00 CET", "2026-01-05T06:00"),
        ("2026-01-05T07:00:00.123Z", "2026-01-05T07:00"),
        ("2026-01-05 07:00:00 +0800", "2026-01-04T23:00"),
        ("2026-01-05", "2026-01-05T00:00"),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("yesterday", None),
        ("", None),
        ("2026-13-45T99:00:00Z", None),
        ("9" * 70, None),
        ("Mon, 05 Jan 99999999999 07:00:00 GMT", None),
    ],
)
def test_dates(written: str, date: str | None) -> None:
    found = only(
        rss(f"<item><title>A</title><link>/a</link><pubDate>{written}</pubDate></item>")
    ).date
    assert (found.isoformat()[:16] if found else None) == date


@pytest.mark.parametrize(
    ("charset", "declared", "content_type"),
    [
        ("utf-8", "iso-8859-1", "text/xml; charset=iso-8859-1"),
        ("utf-8", "utf-16", "text/xml; charset=us-ascii"),
        ("gb18030", "gb2312", "text/xml"),
        ("gb18030", "utf-8", 'text/xml; charset="GBK"'),
        ("utf-16", "utf-16", "application/xml"),
        ("utf-8-sig", "gbk", "text/xml"),
        ("big5", "big5", ""),
    ],
)
def test_a_feed_is_read_in_the_charset_that_it_is_in(
    charset: str, declared: str, content_type: str
) -> None:
    text = (
        RSS.replace('"utf-8"', f'"{declared}"')
        % "<item><title>新年到海港</title><link>/a</link></item>"
    )
    assert only(read_feed(text.encode(charset), content_type, URL)).title == "新年到海港"


def test_one_wrong_byte_does_not_spoil_the_others() -> None:
    text = (
        (RSS % "<item><title>é X 新</title><link>/a</link></item>").encode().replace(b"X", b"\xff")
    )
    assert only(read_feed(text, "text/xml", URL)).title == "é \ufffd 新"


def test_a_charset_is_no_way_to_run_anything() -> None:
    for name in ("unicode_escape", "idna", "punycode", "zlib_codec", "../x", "rot13"):
        text = (
            RSS.replace('"utf-8"', f'"{name}"')
            % "<item><title>a\\u0041</title><link>/a</link></item>"
        )
        assert only(read_feed(text.encode(), f"text/xml; charset={name}", URL)).title == "a\\u0041"


def test_what_is_damaged_is_read_as_far_as_it_goes() -> None:
    item = "<item><title>A</title><link>/a</link></item>"
    cut = (RSS % f"{item}<item><title>B</title><link>/b</link><description>x").encode()
    assert read_feed(cut.replace(b"</channel></rss>", b""), url=URL).entries[0].title == "A"
    assert only(rss(f"\x00\x08{item}&#0;&#x1F;")).title == "A"
    assert only(read_feed(b"\n\n  Warning: mysql\n" + (RSS % item).encode(), url=URL)).title == "A"


BOMB = "<!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {name} '{f'&{before};' * 10}'>"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (f"{BOMB}]><rss><channel><title>&i;</title></channel></rss>", "entities of its own"),
        (
            "<!DOCTYPE r [<!entity x SYSTEM 'file:///etc/passwd'>]><rss><title>&x;</title></rss>",
            "entities",
        ),
        (
            "<!DOCTYPE r [<!ENTITY % p SYSTEM 'https://a.example/'> %p;]><rss/>",
            "entities of its own",
        ),
        (f"<rss>{'<a/>' * 300_000}</rss>", "more elements than any feed"),
        (
            "<!DOCTYPE html><html><head><title>Hi</title></head><body><p>x</html>",
            "it is a web page",
        ),
        (
            "<html><head><link rel=alternate type=application/rss+xml href=/rss></head></html>",
            "it says that its feed is https://news.example/rss",
        ),
        ("<opml version='2.0'><body/></opml>", "list of feeds"),
        ("<svg/>", "it is no feed: it begins with <svg>"),
        ("", "it is empty"),
        ("no markup at all", "it is no XML"),
        ('{"items": 7}', "without a list of items"),
        ('{"items": ', "no JSON"),
        (f'{{"items": {"[" * 100_000}', "no JSON"),
    ],
)
def test_what_is_no_feed_or_must_not_be_read(document: str, said: str) -> None:
    with pytest.raises(UnreadableError, match=said.replace("?", r"\?")):
        read_feed(document.encode(), "text/html", URL)


def test_what_a_doctype_of_old_says_is_not_asked_for() -> None:
    doctype = '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://127.0.0.1:1/rss.dtd">'
    item = "<item><title>A</title><link>/a</link></item>"
    text = (RSS % item).replace("<rss", f"{doctype}<rss", 1)
    assert only(read_feed(text.encode(), url=URL)).title == "A"


def test_markup_that_is_made_to_be_slow_is_not() -> None:
    """Each would take minutes where a pattern went over it again and again."""
    for text in ("<![CDATA[" * 200_000, "<!DOCTYPE " * 200_000, "&" * 1_000_000, "<" * 200_000):
        with suppress(UnreadableError):
            assert read_feed(f"<rss>{text}".encode(), url=URL).entries == ()


def test_a_feed_with_very_many_entries_gives_the_first() -> None:
    feed = rss("<item><title>A</title><link>/a</link></item>" * 2_000)
    assert len(feed.entries) == 300


def test_sound_feeds_are_read_as_feedparser_reads_them() -> None:
    items = "".join(
        f"<item><title>Ship {n} &amp; crew</title><link>https://news.example/{n}</link>"
        f"<pubDate>Mon, 05 Jan 2026 0{n}:00:00 +0100</pubDate></item>"
        for n in range(9)
    )
    entries = "".join(
        f"<entry><title>Schiff {n}</title><link href='{n}'/><id>urn:{n}</id>"
        f"<updated>2026-01-05T0{n}:00:00+01:00</updated></entry>"
        for n in range(9)
    )
    for document in (RSS % items, ATOM % entries):
        ours, theirs = read_feed(document.encode(), url=URL), feedparser.parse(document.encode())
        dates = [each.get("published_parsed") or each.updated_parsed for each in theirs.entries]
        assert [(e.title, e.url) for e in ours.entries] == [
            (e.title, e.link) for e in theirs.entries
        ]
        assert [e.date for e in ours.entries] == [
            datetime(*d[:6]).replace(tzinfo=UTC) for d in dates
        ]
