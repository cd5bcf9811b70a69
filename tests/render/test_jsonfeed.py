"""JSON Feed 1.1."""

import json

import msgspec

from publisher.render.jsonfeed import render_json
from tests.render.feed_samples import ARCHIVE, HIGHLIGHTS, SUMMARIES


def test_top_level() -> None:
    feed = json.loads(render_json(HIGHLIGHTS))
    assert feed | {"items": []} == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "The Daily “Digest” & Co",
        "home_page_url": "https://news.example/daily/",
        "feed_url": "https://news.example/daily/feed.json",
        "description": "News <in brief> & views, every morning",
        "icon": "https://news.example/daily/media/logo.png",
        "authors": [{"name": "News Desk"}],
        "language": "en",
        "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
        "items": [],
    }


def test_item() -> None:
    items = json.loads(render_json(HIGHLIGHTS))["items"]
    assert items[0] | {"content_html": ""} == {
        "id": "tag:news.example,2025:daily/harbour",
        "url": "https://news.example/daily/highlights/harbour/",
        "external_url": "https://source.example/a?b=1&c=2#d",
        "title": "Why <b> & “AT&amp;T” met in <i>the harbour</i> &#8212; twice",
        "summary": (
            "The harbour opened at dawn & closed at noon; <script>alert('1')</script> is text."
        ),
        "image": "https://news.example/daily/media/harbour.jpg",
        "date_published": "2025-12-15T07:00:01+08:00",
        "date_modified": "2025-12-16T09:00:00+08:00",
        "authors": [{"name": "Li Wei 李伟"}, {"name": "A. <Editor>"}],
        "tags": ["Trade & <Ports>", "电影"],
        "content_html": "",
    }
    assert items[0]["content_html"] == HIGHLIGHTS.entries[0].content


def test_language_is_said_where_it_differs() -> None:
    items = json.loads(render_json(HIGHLIGHTS))["items"]
    assert [item.get("language") for item in items[:4]] == [None, "zh-Hans", "ar", None]


def test_summaries_stand_as_text_where_there_is_no_content() -> None:
    """One of content_html and content_text must be there."""
    for item in json.loads(render_json(SUMMARIES))["items"]:
        assert "content_html" not in item
        assert item["content_text"] == item["summary"]


def test_text_is_utf8_and_not_escaped() -> None:
    document = render_json(HIGHLIGHTS).decode()
    assert "“电影节”在上海开幕 🎬" in document
    assert "\\u" not in document
    assert document.endswith("}\n")


def test_archive_has_no_pages() -> None:
    assert "next_url" not in json.loads(render_json(ARCHIVE))


def test_tag_without_a_label_is_named_by_its_slug() -> None:
    entry = HIGHLIGHTS.entries[0]
    tags = tuple(msgspec.structs.replace(tag, label="") for tag in entry.tags)
    feed = msgspec.structs.replace(HIGHLIGHTS, entries=(msgspec.structs.replace(entry, tags=tags),))
    assert json.loads(render_json(feed))["items"][0]["tags"] == ["trade", "dian-ying"]
