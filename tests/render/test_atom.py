"""Atom: what feedgen gets wrong, what RFC 4287 and RFC 5005 want."""

from typing import Any

import msgspec
from feedgen.feed import FeedGenerator
from lxml import etree

from publisher.model.feed import Feed
from publisher.render.atom import render_atom
from tests.render.feed_documents import ATOM, HISTORY, XML, links
from tests.render.feed_samples import ARCHIVE, HIGHLIGHTS, SUMMARIES


def _read(feed: Feed) -> Any:
    return etree.fromstring(render_atom(feed))


def test_feedgen_alone_loses_what_a_link_is() -> None:
    """The fault that the extension mends; when this fails, feedgen has mended it."""
    generator = FeedGenerator()
    generator.id("tag:news.example,2025:daily")
    generator.title("Feed")
    entry = generator.add_entry()
    entry.id("tag:news.example,2025:daily/a")
    entry.title("Entry")
    entry.link(href="https://source.example/", rel="via", type="text/html")
    entry.content("<p>.</p>", type="html")
    element = etree.fromstring(generator.atom_str()).find(f"{ATOM}entry")
    assert list(links(element)) == [{"href": "https://source.example/"}]


def test_links_of_an_entry_say_what_they_are() -> None:
    entry = _read(HIGHLIGHTS).find(f"{ATOM}entry")
    assert list(links(entry)) == [
        {
            "href": "https://news.example/daily/highlights/harbour/",
            "rel": "alternate",
            "type": "text/html",
        },
        {
            "href": "https://source.example/a?b=1&c=2#d",
            "rel": "via",
            "title": "Harbour & Sons",
        },
    ]


def test_links_of_a_feed() -> None:
    feed = msgspec.structs.replace(HIGHLIGHTS, previous="https://news.example/archive/1.atom")
    assert list(links(_read(feed))) == [
        {
            "href": "https://news.example/daily/feed.atom",
            "rel": "self",
            "type": "application/atom+xml",
        },
        {"href": "https://hub.example/", "rel": "hub"},
        {
            "href": "https://news.example/archive/1.atom",
            "rel": "prev-archive",
            "type": "application/atom+xml",
        },
        {"href": "https://news.example/daily/", "rel": "alternate", "type": "text/html"},
    ]


def test_only_an_archive_document_is_marked_as_one() -> None:
    archive, live = _read(ARCHIVE), _read(HIGHLIGHTS)
    assert len(archive.findall(f"{HISTORY}archive")) == 1
    assert {link["rel"]: link["href"] for link in links(archive)} == {
        "self": "https://news.example/daily/archive/feed-2.atom",
        "current": "https://news.example/daily/feed.atom",
        "prev-archive": "https://news.example/daily/archive/feed-1.atom",
        "next-archive": "https://news.example/daily/archive/feed-3.atom",
        "alternate": "https://news.example/daily/",
    }
    # It is one feed in several documents: one id (RFC 5005, section 4).
    assert archive.findtext(f"{ATOM}id") == live.findtext(f"{ATOM}id")
    assert live.find(f"{HISTORY}archive") is None
    assert b"history" not in render_atom(HIGHLIGHTS)


def test_language_is_said_where_it_differs() -> None:
    feed = _read(HIGHLIGHTS)
    assert feed.get(f"{XML}lang") == "en"
    languages = [entry.get(f"{XML}lang") for entry in feed.iterfind(f"{ATOM}entry")]
    assert languages == [None, "zh-Hans", "ar", None, None, None, None]


def test_content_is_declared_as_html_and_title_as_text() -> None:
    entry = _read(HIGHLIGHTS).find(f"{ATOM}entry")
    assert entry.find(f"{ATOM}content").get("type") == "html"
    assert entry.find(f"{ATOM}title").get("type") is None
    assert entry.findtext(f"{ATOM}title") == HIGHLIGHTS.entries[0].title
    assert b"CDATA" not in render_atom(HIGHLIGHTS)


def test_feed_of_summaries_has_no_content() -> None:
    feed = _read(SUMMARIES)
    assert feed.find(f"{ATOM}entry/{ATOM}content") is None
    assert all(entry.findtext(f"{ATOM}summary") for entry in feed.iterfind(f"{ATOM}entry"))


def test_categories_have_term_scheme_and_label() -> None:
    categories = _read(HIGHLIGHTS).find(f"{ATOM}entry").iterfind(f"{ATOM}category")
    assert [dict(category.attrib) for category in categories] == [
        {"term": "trade", "scheme": "https://news.example/daily/tags/", "label": "Trade & <Ports>"},
        {"term": "dian-ying", "scheme": "https://news.example/daily/tags/", "label": "电影"},
    ]
    feed = _read(msgspec.structs.replace(HIGHLIGHTS, tags_url=""))
    assert feed.find(f"{ATOM}entry/{ATOM}category").get("scheme") is None


def test_no_address_is_published() -> None:
    assert b"@" not in render_atom(HIGHLIGHTS)
