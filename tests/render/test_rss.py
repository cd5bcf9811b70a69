"""RSS 2.0: what feedgen drops or takes from the clock, and what readers stumble over."""

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from feedgen.feed import FeedGenerator
from lxml import etree

from publisher.model.feed import Feed
from publisher.render.rss import render_rss
from tests.render.feed_documents import ATOM, CONTENT, DC, HISTORY, links
from tests.render.feed_samples import ARCHIVE, HIGHLIGHTS, SUMMARIES


def _read(feed: Feed) -> Any:
    return etree.fromstring(render_rss(feed)).find("channel")


def test_feedgen_alone_keeps_one_link_and_takes_the_last_for_the_page() -> None:
    """The faults that the extension and the order of links are for."""
    generator = FeedGenerator()
    generator.title("Feed")
    generator.description("Feed")
    generator.link(
        [
            {"href": "https://news.example/", "rel": "alternate"},
            {"href": "https://news.example/feed.rss", "rel": "self"},
            {"href": "https://hub.example/", "rel": "hub"},
        ]
    )
    channel = etree.fromstring(generator.rss_str()).find("channel")
    assert channel.findtext("link") == "https://hub.example/"
    assert [link["rel"] for link in links(channel)] == ["self"]


def test_links_of_a_channel() -> None:
    channel = _read(HIGHLIGHTS)
    assert channel.findtext("link") == "https://news.example/daily/"
    assert list(links(channel)) == [
        {
            "href": "https://news.example/daily/feed.rss",
            "rel": "self",
            "type": "application/rss+xml",
        },
        {"href": "https://hub.example/", "rel": "hub"},
    ]


def test_archive_document_is_marked() -> None:
    channel = _read(ARCHIVE)
    assert len(channel.findall(f"{HISTORY}archive")) == 1
    assert [link["rel"] for link in links(channel)] == [
        "self",
        "current",
        "prev-archive",
        "next-archive",
    ]
    assert _read(HIGHLIGHTS).find(f"{HISTORY}archive") is None


def test_title_that_looks_like_html_is_spelt_with_numeric_references() -> None:
    """Readers that take a title for HTML, unescape it once more or look at the raw bytes."""
    document = render_rss(HIGHLIGHTS).decode()
    assert (
        "<title>Why &#x3C;b&gt; &#x26; “AT&#x26;amp;T” met in &#x3C;i&gt;the harbour&#x3C;/i&gt; "
        "&#x26;#8212; twice</title>"
    ) in document
    assert "<copyright>© 2025 News &#x26; Co</copyright>" in document
    assert ">Trade &#x26; &#x3C;Ports&gt;</category>" in document
    assert document.count("<title>The Daily “Digest” &#x26; Co</title>") == 2
    assert "".join(_read(HIGHLIGHTS).find("item/title").itertext()) == HIGHLIGHTS.entries[0].title


def test_description_is_html_and_stands_before_the_content() -> None:
    item = _read(HIGHLIGHTS).find("item")
    names = [child.tag for child in item]
    assert names.index("description") < names.index(f"{CONTENT}encoded")
    assert item.findtext("description") == (
        "The harbour opened at dawn &amp; closed at noon; "
        "&lt;script&gt;alert('1')&lt;/script&gt; is text."
    )


def test_feed_of_summaries_has_descriptions_only() -> None:
    item = _read(SUMMARIES).find("item")
    assert item.find(f"{CONTENT}encoded") is None
    assert item.findtext("description").startswith("The harbour opened")


def test_item_is_identified_but_not_linked_by_its_guid() -> None:
    guids = [item.find("guid") for item in _read(HIGHLIGHTS).iterfind("item")]
    assert {guid.get("isPermaLink") for guid in guids} == {"false"}
    assert guids[0].text == "tag:news.example,2025:daily/harbour"
    assert guids[3].text == "https://old.example/?p=42"


def test_authors_are_names_without_addresses() -> None:
    channel = _read(HIGHLIGHTS)
    assert [each.text for each in channel.find("item").iterfind(f"{DC}creator")] == [
        "Li Wei 李伟",
        "A. <Editor>",
    ]
    assert channel.find("item/author") is None
    assert b"@" not in render_rss(HIGHLIGHTS)


def test_source_page_is_a_link_and_not_an_rss_source() -> None:
    item = _read(HIGHLIGHTS).find("item")
    assert item.find("source") is None
    assert [link["rel"] for link in links(item)] == ["via"]


def test_last_change_of_the_channel_and_of_an_item() -> None:
    channel = _read(HIGHLIGHTS)
    assert channel.findtext("lastBuildDate") == "Tue, 16 Dec 2025 09:00:00 +0800"
    item = channel.find("item")
    assert item.findtext("pubDate") == "Mon, 15 Dec 2025 07:00:01 +0800"
    assert item.findtext(f"{ATOM}updated") == "2025-12-16T09:00:00+08:00"


@pytest.mark.parametrize(
    ("offset", "written"),
    [
        (timedelta(hours=-5), "Mon, 15 Dec 2025 12:00:00 -0500"),
        (timedelta(hours=5, minutes=30), "Mon, 15 Dec 2025 12:00:00 +0530"),
        # Kathmandu's offset, which readers do not know, and Shanghai's local mean time.
        (timedelta(hours=5, minutes=45), "Mon, 15 Dec 2025 06:15:00 +0000"),
        (timedelta(hours=8, minutes=5, seconds=43), "Mon, 15 Dec 2025 03:54:17 +0000"),
    ],
)
def test_offset_is_one_that_readers_know(offset: timedelta, written: str) -> None:
    moment = datetime(2025, 12, 15, 12, 0, 0, 250_000, timezone(offset))
    entry = msgspec.structs.replace(HIGHLIGHTS.entries[0], published=moment)
    channel = _read(msgspec.structs.replace(HIGHLIGHTS, entries=(entry,)))
    assert channel.findtext("item/pubDate") == written


@pytest.mark.parametrize(("logo", "count"), [("a.PNG", 1), ("a.svg", 0), ("", 0)])
def test_only_pictures_that_rss_knows_are_its_image(logo: str, count: int) -> None:
    url = f"https://news.example/{logo}" if logo else ""
    channel = _read(msgspec.structs.replace(HIGHLIGHTS, logo=url))
    assert [image.findtext("url") for image in channel.iterfind("image")] == [url] * count
