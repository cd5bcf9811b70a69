"""The list of feeds, the sitemaps, robots.txt."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from publisher.render.opml import render_opml
from publisher.render.sitemap import (
    URLS_LIMIT,
    render_robots,
    render_sitemap,
    render_sitemap_index,
)
from tests.conftest import Golden

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
FEEDS = [
    ("Highlights & <more>", "https://news.example/feed.atom?a=1&b=2", "https://news.example/"),
    ("标签“电影”", "https://news.example/tags/film/feed.rss", "https://news.example/tags/film/"),
]
PLACES = [
    ("https://news.example/?a=1&b=2", datetime(2025, 12, 15, 7, 0, 0, 999, UTC)),
    ("https://news.example/about/", None),
]


def test_opml(golden: Golden) -> None:
    document = render_opml('The "Daily" & Co', FEEDS)
    golden("feeds/feeds.opml", document)
    root = etree.fromstring(document)
    assert root.get("version") == "2.0"
    assert root.findtext("head/title") == 'The "Daily" & Co'
    for outline, (title, xml_url, html_url) in zip(root.find("body"), FEEDS, strict=True):
        assert dict(outline.attrib) == {
            "type": "rss",
            "text": title,
            "title": title,
            "xmlUrl": xml_url,
            "htmlUrl": html_url,
        }


def test_sitemap(golden: Golden) -> None:
    document = render_sitemap(PLACES)
    golden("feeds/sitemap.xml", document)
    root = etree.fromstring(document)
    assert root.tag == f"{SITEMAP}urlset"
    assert [[(e.tag, e.text) for e in url] for url in root.iterfind(f"{SITEMAP}url")] == [
        [
            (f"{SITEMAP}loc", "https://news.example/?a=1&b=2"),
            (f"{SITEMAP}lastmod", "2025-12-15T07:00:00+00:00"),
        ],
        [(f"{SITEMAP}loc", "https://news.example/about/")],
    ]


def test_sitemap_index(golden: Golden) -> None:
    document = render_sitemap_index([("https://news.example/sitemap-1.xml", PLACES[0][1])])
    golden("feeds/sitemap-index.xml", document)
    root = etree.fromstring(document)
    assert root.tag == f"{SITEMAP}sitemapindex"
    assert root.findtext(f"{SITEMAP}sitemap/{SITEMAP}loc") == "https://news.example/sitemap-1.xml"


def test_sitemap_above_the_limit_is_refused() -> None:
    places = [("https://news.example/", None)] * (URLS_LIMIT + 1)
    with pytest.raises(ValueError, match="50001 URLs"):
        render_sitemap(places)
    assert render_sitemap(places[1:]).count(b"<loc>") == URLS_LIMIT


def test_robots_stay_off_the_pages_of_single_readers(golden: Golden) -> None:
    document = render_robots("https://news.example/daily/sitemap.xml")
    golden("feeds/robots.txt", document)
    assert document.decode().splitlines() == [
        "User-agent: *",
        "Disallow: /daily/confirm/",
        "Disallow: /daily/unsubscribe/",
        "Disallow: /daily/preferences/",
        "Disallow: /daily/address/",
        "",
        "Sitemap: https://news.example/daily/sitemap.xml",
    ]
