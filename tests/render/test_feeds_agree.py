"""The three formats of a feed say the same, to us, to feedparser and by the rules."""

from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any

import feedparser
import msgspec
import pytest
from lxml import html

from publisher.model.feed import Entry, Feed
from publisher.model.issue import Person
from publisher.render.atom import render_atom
from publisher.render.jsonfeed import render_json
from publisher.render.rss import render_rss
from tests.conftest import Golden
from tests.render.feed_documents import READERS, ReadEntry
from tests.render.feed_rules import RULES, check
from tests.render.feed_samples import ARCHIVE, FEEDS, HIGHLIGHTS, ISSUES

RENDERERS: dict[str, Callable[[Feed], bytes]] = {
    "atom": render_atom,
    "rss": render_rss,
    "json": render_json,
}
NAMES = sorted(FEEDS)


@pytest.mark.parametrize("kind", RENDERERS)
@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, kind: str, golden: Golden) -> None:
    golden(f"feeds/{name}.{kind}", RENDERERS[kind](FEEDS[name]))


@pytest.mark.parametrize("kind", RENDERERS)
@pytest.mark.parametrize("name", NAMES)
def test_feed_keeps_all_rules(name: str, kind: str) -> None:
    feed = FEEDS[name]
    assert check(kind, RENDERERS[kind](feed), f"{feed.stem}.{kind}") == []


@pytest.mark.parametrize("kind", RENDERERS)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_is_what_was_given(name: str, kind: str) -> None:
    feed = FEEDS[name]
    read = READERS[kind](RENDERERS[kind](feed))
    assert read.entries == tuple(_expected(entry, feed) for entry in feed.entries)
    assert (read.title, read.description, read.language) == (feed.title, feed.description, "en")
    assert (read.url, read.self_url) == (feed.url, f"{feed.stem}.{kind}")
    assert (read.hub, read.logo, read.authors) == (feed.hub, feed.logo, ("News Desk",))


def _expected(entry: Entry, feed: Feed) -> ReadEntry:
    return ReadEntry(
        id=entry.id,
        url=entry.url,
        title=entry.title,
        summary=entry.summary,
        content=entry.content,
        source_url=entry.source_url,
        authors=tuple(author.name for author in entry.authors),
        tags=tuple(tag.label for tag in entry.tags),
        language="" if entry.language == feed.language else entry.language,
        published=entry.published,
        updated=entry.updated,
    )


@pytest.mark.parametrize("name", NAMES)
def test_feedparser_reads_atom_and_rss_alike(name: str) -> None:
    feed = FEEDS[name]
    expected = [_of_model(entry) for entry in feed.entries]
    for kind, version in (("atom", "atom10"), ("rss", "rss20")):
        parsed = _parse(RENDERERS[kind](feed))
        assert (parsed.bozo, parsed.version) == (False, version)
        assert [_of_feedparser(each, kind) for each in parsed.entries] == expected
        assert parsed.feed.title == feed.title
        assert parsed.feed.link == feed.url
        assert {
            "href": f"{feed.stem}.{kind}",
            "rel": "self",
            "type": f"application/{kind}+xml",
        } in (parsed.feed.links)


def _parse(document: bytes) -> Any:
    # As it stands: what feedparser would make of dangerous content is not the question here.
    return feedparser.parse(document, sanitize_html=False, resolve_relative_uris=False)


def _of_model(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "link": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "content": entry.content,
        "authors": [author.name for author in entry.authors],
        "tags": [tag.label for tag in entry.tags],
        "published": entry.published.astimezone(UTC).replace(tzinfo=None),
        "updated": entry.updated.astimezone(UTC).replace(tzinfo=None),
        "via": entry.source_url,
    }


def _of_feedparser(entry: Any, kind: str) -> dict[str, Any]:
    return {
        "id": entry.id,
        "link": entry.link,
        "title": entry.title,
        # An RSS description is HTML, an Atom summary the text itself.
        "summary": unescape(entry.summary) if kind == "rss" else entry.summary,
        "content": entry.content[0].value if "content" in entry else "",
        "authors": [author.name for author in entry.authors],
        "tags": [tag.label or tag.term for tag in entry.get("tags", [])],
        "published": datetime(*entry.published_parsed[:6]),
        "updated": datetime(*entry.updated_parsed[:6]),
        "via": next((link.href for link in entry.links if link.rel == "via"), ""),
    }


@pytest.mark.parametrize("name", ["highlights", "issues"])
def test_feedparser_takes_nothing_out(name: str) -> None:
    """What a careful reader throws away (scripts, styles, strange elements) is not there.

    It also reads a quotation mark in an attribute only when that is written `&quot;`.
    """
    for kind in ("atom", "rss"):
        document = RENDERERS[kind](FEEDS[name])
        kept = [_elements(entry.content[0].value) for entry in feedparser.parse(document).entries]
        assert kept == [_elements(entry.content) for entry in FEEDS[name].entries]


def _elements(content: str) -> list[tuple[str, dict[str, str], str]]:
    # With a root, since a content is many elements; sanitising may rewrite their spelling only.
    root = html.fromstring(f"<section>{content}</section>")
    return [(e.tag, dict(e.attrib), e.text or "") for e in root.iter()]


@pytest.mark.parametrize("kind", RENDERERS)
def test_same_feed_gives_same_bytes(kind: str) -> None:
    first = RENDERERS[kind](HIGHLIGHTS)
    again = RENDERERS[kind](msgspec.convert(msgspec.to_builtins(HIGHLIGHTS), Feed))
    assert first == again


@pytest.mark.parametrize("kind", RENDERERS)
def test_no_time_but_those_given(kind: str) -> None:
    """feedgen's defaults are the present time: it must show up nowhere."""
    long_ago = datetime(1999, 12, 31, 23, 59, 58, tzinfo=UTC)
    entries = tuple(
        msgspec.structs.replace(entry, published=long_ago, updated=long_ago, content="<p>.</p>")
        for entry in ISSUES.entries
    )
    feed = msgspec.structs.replace(ISSUES, entries=entries, updated=long_ago, rights="")
    document = RENDERERS[kind](feed).decode()
    assert "1999" in document
    assert str(datetime.now().year) not in document


@pytest.mark.parametrize("kind", RENDERERS)
def test_forbidden_characters_are_dropped(kind: str) -> None:
    entry = msgspec.structs.replace(
        HIGHLIGHTS.entries[0],
        title="bell\x07 null\x00 back\x08 form\x0c \\b half\ud800 none\ufffe\uffff tab\t",
        content="<p>es\x1bcape</p>",
    )
    feed = msgspec.structs.replace(HIGHLIGHTS, title="F\x01eed", entries=(entry,))
    read = READERS[kind](RENDERERS[kind](feed))
    assert read.title == "Feed"
    assert read.entries[0].title == "bell null back form \\b half none tab\t"
    assert read.entries[0].content == "<p>escape</p>"
    assert read.entries[0].updated == entry.updated


@pytest.mark.parametrize("kind", RENDERERS)
def test_address_given_for_a_name_is_not_published(kind: str) -> None:
    author = Person("desk@news.example", "desk@news.example")
    document = RENDERERS[kind](msgspec.structs.replace(HIGHLIGHTS, authors=(author,)))
    assert b"@" not in document
    assert READERS[kind](document).authors == (HIGHLIGHTS.title,)


@pytest.mark.parametrize("kind", RENDERERS)
def test_feed_without_entries_and_extras(kind: str) -> None:
    feed = Feed(
        id="tag:news.example,2025:daily/feed",
        title="Bare",
        description="",
        url="https://news.example/",
        stem="https://news.example/feed",
        language="en",
        updated=datetime(2025, 1, 1, tzinfo=UTC),
        entries=(),
    )
    read = READERS[kind](RENDERERS[kind](feed))
    # Atom needs an author, RSS a description: both are the title where there is no other.
    assert read.authors == ("Bare",)
    assert read.description == ("Bare" if kind == "rss" else "")
    assert (read.hub, read.logo, read.entries) == ("", "", ())


# A feed made wrong, for each rule: format, what is replaced, by what. Each stands in a golden feed.
WRONG: dict[str, list[tuple[str, str, str]]] = {
    "unreadable": [("atom", "</feed>", ""), ("rss", "</item>", ""), ("json", "]", "")],
    "root-wrong": [
        ("atom", "2005/Atom", "2005/Atem"),
        ("rss", 'version="2.0"', 'version="0.91"'),
        ("json", "version/1.1", "version/1"),
    ],
    "element-missing": [
        ("atom", "<title>Rain</title>", ""),
        ("rss", '<guid isPermaLink="false">tag:news.example,2025:daily/rain</guid>', ""),
        ("json", '"language": "en",', ""),
        ("json", '"content_html": "<p>There', '"content_txt": "<p>There'),
    ],
    "author-missing": [
        ("atom", "<name>News Desk</name>", "<name/>"),
        ("rss", "<dc:creator>News Desk</dc:creator>", ""),
        ("json", '"name": "News Desk"', '"title": "News Desk"'),
    ],
    "element-repeated": [
        ("atom", "<title>Rain</title>", "<title>Rain</title><title>Rain</title>"),
        ("rss", "<language>en</language>", "<language>en</language><language>en</language>"),
    ],
    "metadata-after-entries": [
        ("atom", "</feed>", "<rights>late</rights></feed>"),
        ("rss", "</channel>", "<copyright>late</copyright></channel>"),
    ],
    "date-invalid": [
        ("atom", "2025-12-15T07:00:02+08:00", "2025-12-15T07:00:02"),
        ("atom", "2025-12-15T07:00:02+08:00", "2025-13-15T07:00:02+08:00"),
        ("json", "2025-12-15T07:00:02+08:00", "2025-12-15 07:00:02+08:00"),
        ("rss", "Sun, 14 Dec 2025 07:30:01 +0800", "Sun, 14 Dec 2025 07:30:01 +0845"),
        ("rss", "Sun, 14 Dec 2025 07:30:01 +0800", "Mon, 14 Dec 2025 07:30:01 +0800"),
        ("rss", "<lastBuildDate>Tue, ", "<lastBuildDate>Dienstag, "),
    ],
    "id-repeated": [(kind, "daily/tea", "daily/rain") for kind in ("atom", "rss", "json")],
    "updated-repeated": [
        (kind, "2025-12-15T07:00:03+08:00", "2025-12-15T07:00:02+08:00")
        for kind in ("atom", "rss", "json")
    ],
    "entries-out-of-order": [
        ("atom", "2025-12-14T07:30:02", "2025-12-16T07:30:02"),
        ("rss", "Sun, 14 Dec 2025 07:30:02", "Tue, 16 Dec 2025 07:30:02"),
        ("json", "2025-12-14T07:30:02", "2025-12-16T07:30:02"),
    ],
    "feed-older-than-entries": [
        ("atom", "09:00:00+08:00</updated>\n  <author>", "08:00:00+08:00</updated>\n  <author>"),
        ("rss", "Tue, 16 Dec 2025 09:00:00", "Tue, 16 Dec 2025 08:00:00"),
    ],
    "url-invalid": [
        ("atom", "%5B1%5D", "[1]"),
        ("atom", 'href="https://hub.example/"', 'href="//hub.example/"'),
        ("atom", "tag:news.example,2025:daily/tea", "tag:news.example:daily/tea"),
        ("rss", "<link>https://news.example/daily/highlights/tea/", "<link>highlights/tea/"),
        ("rss", 'domain="https://news.example/daily/tags/"', 'domain="tags/"'),
        ("json", '"url": "https://news.example/daily/highlights/tea/"', '"url": "/tea/"'),
    ],
    "self-link-wrong": [
        ("atom", "daily/feed.atom", "daily/other.atom"),
        ("atom", 'type="application/atom+xml"', 'type="text/xml"'),
        ("rss", 'rel="self"', 'rel="related"'),
        ("json", "daily/feed.json", "daily/other.json"),
    ],
    "link-relation-unknown": [("atom", 'rel="via"', 'rel="source"')],
    "alternate-link-wrong": [
        ("atom", ' rel="via" title="Harbour &amp; Sons"', ""),
        ("atom", 'tea/" rel="alternate" type="text/html"', 'tea/"'),
    ],
    "archive-incomplete": [
        ("archive.atom", 'rel="current"', 'rel="related"'),
        ("archive.rss", "<fh:archive/>", ""),
    ],
    "archive-link-in-entry": [("atom", 'rel="via"', 'rel="current"')],
    "text-type-wrong": [
        ("atom", "<title>Rain", '<title type="html">Rain'),
        ("atom", '<content type="html">', "<content>"),
        ("atom", "<title>Rain", "<title>Rain <b/>"),
    ],
    "cdata-used": [("rss", "<title>Rain</title>", "<title><![CDATA[Rain]]></title>")],
    "reference-named": [
        ("rss", "<title>Why &#x3C;b", "<title>Why &lt;b"),
        ("rss", "Trade &#x26;", "Trade &amp;"),
    ],
    "character-bad": [(kind, "There was tea", "There was \x93tea") for kind in ("atom", "json")],
    "language-invalid": [
        ("atom", 'xml:lang="ar"', 'xml:lang="arabic"'),
        ("atom", 'xml:lang="ar"', 'xml:lang=""'),
        ("rss", "<dc:language>ar", "<dc:language>xx"),
        ("rss", "<language>en", "<language>en_US"),
        ("json", '"language": "zh-Hans"', '"language": "zh_Hans"'),
    ],
    "guid-taken-for-link": [("rss", ' isPermaLink="false"', "")],
    "address-published": [
        ("rss", "<dc:creator>News Desk</dc:creator>", "<author>desk@news.example</author>"),
        ("atom", "<name>News Desk</name>", "<name>News Desk</name><email>d@n.example</email>"),
    ],
    "source-not-a-feed": [
        ("rss", "</item>", '<source url="https://source.example/a">Harbour</source></item>'),
    ],
    "description-after-content": [
        (
            "rss",
            "<description>There was tea.</description>",
            "<content:encoded>.</content:encoded><description>.</description>",
        )
    ],
    "category-wrong": [
        ("atom", 'term="trade"', 'term=""'),
        ("rss", ">电影</category>", "></category>"),
    ],
    "image-differs": [
        ("rss", "<url>https://news.example/daily/media/logo.png", "<url>https://news.example/l.svg"),
        ("rss", "<image>", "<image><title>Other</title>"),
    ],
    "html-wrong": [
        ("atom", "&lt;p&gt;There was tea.", '&lt;p style="x"&gt;There was tea.'),
        ("atom", "&lt;p&gt;There was tea.", '&lt;p onclick="x"&gt;There was tea.'),
        ("rss", "&lt;p&gt;There was tea.", "&lt;script&gt;&lt;/script&gt;&lt;p&gt;There was tea."),
        ("rss", "&lt;p&gt;There was tea.", "&lt;p&gt;&lt;p&gt;There was tea."),
        ("json", "<p>There was tea.</p>", "<p>There was tea."),
        ("json", "<p>There was tea.", "<p><div>There was tea.</div>"),
        ("json", ' alt=\\"\\"', ""),
        ("json", "<p>There was tea.", "</em><p>There was tea."),
    ],
    "html-relative-url": [
        ("atom", "href=\"https://source.example", "href=\""),
        ("rss", "src=\"https://news.example", "src=\""),
        ("json", "href=\\\"https://source.example", "href=\\\""),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "kind", "right", "wrong"),
    [(rule, *change) for rule, changes in WRONG.items() for change in changes],
)
def test_rule_finds_a_feed_made_wrong(rule: str, kind: str, right: str, wrong: str) -> None:
    feed, kind = (ARCHIVE, kind[8:]) if kind.startswith("archive.") else (HIGHLIGHTS, kind)
    document = RENDERERS[kind](feed).decode()
    assert right in document
    faults = check(kind, document.replace(right, wrong).encode(), f"{feed.stem}.{kind}")
    assert rule in {fault.rule for fault in faults}


def test_every_rule_is_provoked() -> None:
    assert set(WRONG) == set(RULES)
