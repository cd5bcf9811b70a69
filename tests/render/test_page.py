"""What holds for every public page: structure, languages, what machines read."""

import re
from itertools import pairwise
from typing import Any

import pytest
from jinja2 import Environment
from lxml import html as lxml_html

from publisher.model.issue import Issue
from publisher.model.language import direction
from publisher.render.views import Setting

from ..conftest import ROOT, Golden
from .page_samples import NAMES, Pages, meta, only, parse, text

CSS = (ROOT / "templates/pages/site.css").read_text("utf-8")


@pytest.fixture
def pages(
    setting: Setting, templates: Environment, english: Issue, chinese: Issue, arabic: Issue
) -> Pages:
    return Pages(setting, templates, english, chinese, arabic)


@pytest.fixture
def trees(pages: Pages) -> dict[str, lxml_html.HtmlElement]:
    return {name: parse(page) for name, page in pages.all().items()}


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, pages: Pages, golden: Golden) -> None:
    golden(f"pages/{name}.html", pages.all()[name])


def test_names_are_all_pages(pages: Pages) -> None:
    assert tuple(pages.all()) == NAMES
    assert pages.all() == pages.all()


@pytest.mark.parametrize("name", NAMES)
def test_headings_begin_with_one_h1_and_skip_no_level(name: str, trees: dict[str, Any]) -> None:
    headings = trees[name].xpath("//*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5]")
    levels = [int(heading.tag[1]) for heading in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(text(heading) for heading in headings)


@pytest.mark.parametrize("name", NAMES)
def test_landmarks_stand_once_and_have_names_of_their_own(name: str, trees: dict[str, Any]) -> None:
    tree = trees[name]
    for path in ("/html/body/header", "/html/body/main", "/html/body/footer"):
        only(tree, path)
    names = [
        nav.get("aria-label") or text(only(tree, f"//*[@id='{nav.get('aria-labelledby')}']"))
        for nav in tree.xpath("//nav")
    ]
    assert len(names) == len(set(names)) >= 1
    assert all(names)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_link_leads_to_the_content(name: str, trees: dict[str, Any]) -> None:
    skip = trees[name].xpath("//body//a")[0]
    assert skip.get("href") == "#main_content"
    assert only(trees[name], "//*[@id='main_content']").tag == "main"
    assert text(skip)


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_unique_and_references_lead_somewhere(name: str, trees: dict[str, Any]) -> None:
    tree = trees[name]
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    references = tree.xpath("//@for | //@aria-labelledby | //@aria-describedby")
    fragments = [href[1:] for href in tree.xpath("//a/@href") if href.startswith("#")]
    assert set(references) | set(fragments) <= set(ids)


@pytest.mark.parametrize("name", NAMES)
def test_a_strict_content_security_policy_breaks_nothing(name: str, trees: dict[str, Any]) -> None:
    tree = trees[name]
    assert not tree.xpath("//script[@type!='application/ld+json' or not(@type) or @src]")
    assert not tree.xpath("//style | //@style | //iframe | //object | //base")
    assert not [key for element in tree.iter() for key in element.attrib if key.startswith("on")]
    assert only(tree, "//link[@rel='stylesheet']/@href").endswith("/assets/site.css")
    assert "@import" not in CSS
    assert "url(" not in CSS


@pytest.mark.parametrize("name", NAMES)
def test_urls_are_absolute(name: str, trees: dict[str, Any]) -> None:
    urls = trees[name].xpath("//@href | //@src | //@action")
    assert all(re.match(r"(feed:)?https://|mailto:|#", url) for url in urls)


@pytest.mark.parametrize("name", NAMES)
def test_the_head_says_what_browsers_need(name: str, trees: dict[str, Any]) -> None:
    tree = trees[name]
    assert tree.get("lang")
    assert tree.get("dir") == direction(tree.get("lang"))
    assert meta(tree, "color-scheme") == "light dark"
    assert meta(tree, "viewport") == "width=device-width, initial-scale=1"
    colours = tree.xpath("//meta[@name='theme-color']/@media")
    assert colours == ["(prefers-color-scheme: light)", "(prefers-color-scheme: dark)"]
    assert text(only(tree, "//title")).count("The Lantern Daily") == 1
    if name not in ("home", "home-foreign", "home-empty"):  # this publication has no description
        assert 0 < len(meta(tree, "description")) <= 200


@pytest.mark.parametrize("name", NAMES)
def test_images_have_an_alternative_and_a_size(name: str, trees: dict[str, Any]) -> None:
    for image in trees[name].xpath("//img"):
        assert image.get("alt") is not None
        assert int(image.get("width")) > 0
        assert int(image.get("height")) > 0


@pytest.mark.parametrize("name", NAMES)
def test_passages_in_another_language_are_marked(name: str, trees: dict[str, Any]) -> None:
    tree = trees[name]
    for element in tree.xpath("//*[@lang]"):
        assert element.get("dir") == direction(element.get("lang"))
    for element in tree.xpath("//h1 | //h2 | //h3 | //p | //a | //span"):
        if element.xpath("ancestor-or-self::p[@class='kicker' or @class='dateline']"):
            continue  # a source's name, whatever its language
        language = element.xpath("ancestor-or-self::*[@lang][1]/@lang")[0]
        words = "".join(element.xpath("text()"))
        if re.search("[\u0600-\u06ff]", words):
            assert language == "ar", words
        if re.search("[\u4e00-\u9fff]{3}", words):
            assert language.startswith("zh"), words


@pytest.mark.parametrize("name", NAMES)
def test_six_feeds_are_announced(name: str, trees: dict[str, Any]) -> None:
    links = trees[name].xpath("//link[@rel='alternate']")
    assert [link.get("href") for link in links][-6:] == [
        f"https://daily.example/{stem}.{format_}"
        for stem in ("feed", "issues")
        for format_ in ("atom", "rss", "json")
    ]
    assert [link.get("type") for link in links][-3:] == [
        "application/atom+xml",
        "application/rss+xml",
        "application/feed+json",
    ]
    titles = [link.get("title") for link in links]
    assert len(titles) == len(set(titles))
