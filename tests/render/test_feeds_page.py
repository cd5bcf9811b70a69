"""About the feeds: every feed can be followed from it, in plain words and without a script."""

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from jinja2 import Environment
from lxml import html as lxml_html

from publisher.model.issue import Issue
from publisher.render.feeds_page import render_feeds_page
from publisher.render.overview import group_tags
from publisher.render.views import Setting, TagView

from .page_samples import Pages, only, parse, text

FEED = "https://daily.example/feed.atom"


@pytest.fixture
def pages(
    setting: Setting, templates: Environment, english: Issue, chinese: Issue, arabic: Issue
) -> Pages:
    return Pages(setting, templates, english, chinese, arabic)


@pytest.fixture
def tree(pages: Pages) -> lxml_html.HtmlElement:
    return parse(pages.all()["about-feeds"])


def links(tree: lxml_html.HtmlElement) -> list[str]:
    return [str(href) for href in tree.xpath("//main//a/@href")]


def test_every_feed_of_the_site_and_of_each_tag_is_linked(tree: lxml_html.HtmlElement) -> None:
    stems = ("feed", "issues", "tags/film/feed", "tags/dian-ying/feed")
    expected = {f"https://daily.example/{s}.{f}" for s in stems for f in ("atom", "rss", "json")}
    assert expected <= set(links(tree))
    assert "https://daily.example/feeds.opml" in links(tree)


def test_the_addresses_can_be_selected_without_a_script(tree: lxml_html.HtmlElement) -> None:
    fields = tree.xpath("//main//input[@readonly]")
    assert [field.get("value") for field in fields] == [FEED, "https://daily.example/issues.atom"]
    for field in fields:
        assert "readonly" in field.attrib
        assert text(only(tree, f"//label[@for='{field.get('id')}']"))


def test_each_service_is_handed_the_feeds_whole_address(tree: lxml_html.HtmlElement) -> None:
    services = tree.xpath("(//ul[@class='services'])[1]//a/@href")
    assert services[0] == f"feed:{FEED}"
    assert services[1] == f"https://feedly.com/i/subscription/feed%2F{quote(FEED, safe='')}"
    queries: dict[str, Any] = {
        urlsplit(url).hostname or "": parse_qs(urlsplit(url).query) for url in services[2:]
    }
    assert queries == {
        "www.inoreader.com": {"add_feed": [FEED]},
        "www.newsblur.com": {"url": [FEED]},
        "theoldreader.com": {"url": [FEED]},
        "feedbin.com": {"subscribe": [FEED]},
    }


def test_links_of_the_same_words_say_what_they_lead_to(tree: lxml_html.HtmlElement) -> None:
    by_name: dict[str, set[str]] = {}
    for link in tree.xpath("//main//a"):
        by_name.setdefault(text(link), set()).add(link.get("href"))
    assert {name: urls for name, urls in by_name.items() if len(urls) > 1} == {}


def test_without_tags_there_is_no_word_of_theirs(pages: Pages) -> None:
    tree = parse(render_feeds_page(pages.context, []))
    assert "single tags" not in text(tree)


def test_many_tags_stand_below_their_letters() -> None:
    tags = [TagView(f"{a}{b}", f"{a}{b}", "") for a in "zab1" for b in "abcdefghijkl"]
    groups = group_tags(tags)
    assert [letter for letter, _ in groups] == ["0–9", "A", "B", "Z"]
    assert [tag.slug for tag in groups[1][1]][:2] == ["aa", "ab"]
    assert group_tags(tags[:40]) == [("", sorted(tags[:40], key=lambda tag: tag.slug))]
    assert group_tags([]) == []


def test_tags_of_every_script_are_where_they_are_looked_for() -> None:
    labels = [
        "电影",
        "Éclair",
        "eel",
        "مسرح",
        "кино",
        "#1",
        "2026",
        "映画",
        "ф",
        *"abcdefghijklmnopqrstuvwxyz",
    ]
    tags = [TagView(f"t{n}", label, "") for n, label in enumerate([*labels, *map(str, range(10))])]
    groups = {letter: [tag.label for tag in group] for letter, group in group_tags(tags)}
    assert groups[""] == ["映画", "电影"]
    assert groups["E"] == ["e", "eel", "Éclair"]
    assert groups["م"] == ["مسرح"]
    assert groups["К"] == ["кино"]
    assert groups["#"] == ["#1"]
    assert "2026" in groups["0–9"]
