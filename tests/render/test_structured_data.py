"""schema.org's data in pages: complete, true to the page, and without a way out of its element."""

import json
from typing import Any

import msgspec
import pytest
from jinja2 import Environment
from lxml import html as lxml_html

from publisher.model.issue import Issue, Person
from publisher.render.structured_data import Profile, breadcrumbs, data_block
from publisher.render.views import Setting

from .page_samples import NAMES, Pages, meta, only, parse, text

HOSTILE = "</script><script>alert(1)</script><!--<script> & \u2028\u2029 \"'\\"
ISSUES = ("issue-english", "issue-chinese", "issue-arabic", "issue-untitled")
HIGHLIGHTS = ("highlight", "highlight-arabic")
WITHOUT = ("tombstone", "moved")


@pytest.fixture
def pages(
    setting: Setting, templates: Environment, english: Issue, chinese: Issue, arabic: Issue
) -> Pages:
    return Pages(setting, templates, english, chinese, arabic)


@pytest.fixture
def trees(pages: Pages) -> dict[str, lxml_html.HtmlElement]:
    return {name: parse(page) for name, page in pages.all().items()}


def read(tree: lxml_html.HtmlElement) -> list[dict[str, Any]]:
    """The nodes of a page's one block."""
    block = json.loads(only(tree, "//script[@type='application/ld+json']").text)
    assert block["@context"] == "https://schema.org"
    return list(block["@graph"])


def one(nodes: list[dict[str, Any]], type_: str) -> dict[str, Any]:
    (found,) = (node for node in nodes if node["@type"] == type_)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_page_that_is_indexed_has_a_block(name: str, trees: dict[str, Any]) -> None:
    blocks = trees[name].xpath("//script")
    assert len(blocks) == (0 if name in WITHOUT else 1)


@pytest.mark.parametrize("name", [*ISSUES, *HIGHLIGHTS])
def test_what_google_asks_of_an_article_is_there_and_agrees_with_the_page(
    name: str, trees: dict[str, Any]
) -> None:
    tree = trees[name]
    node = one(read(tree), "PublicationIssue" if name in ISSUES else "NewsArticle")
    assert node["headline"] == meta(tree, "og:title")
    assert node["url"] == only(tree, "//link[@rel='canonical']/@href") == node["@id"]
    assert node["datePublished"] == tree.xpath("//main//time/@datetime")[0]
    assert node["datePublished"] == meta(tree, "article:published_time")
    assert node["dateModified"] == meta(tree, "article:modified_time") >= node["datePublished"]
    assert node["image"]["url"] == meta(tree, "og:image")
    assert node["inLanguage"] == tree.get("lang")
    assert all(author["@type"] and author["name"] for author in node["author"])
    assert node["publisher"]["name"] == "The Lantern Daily"
    assert node["publisher"]["url"] == "https://daily.example/"
    assert node["license"] == only(tree, "//link[@rel='license']/@href")
    shown = [text(tag) for tag in tree.xpath("//main//header//a[@rel='tag']")]
    assert name in HIGHLIGHTS or node.get("keywords", []) == shown


@pytest.mark.parametrize("name", HIGHLIGHTS)
def test_a_highlight_says_where_it_stands_and_what_it_is_about(
    name: str, trees: dict[str, Any]
) -> None:
    tree = trees[name]
    node = one(read(tree), "NewsArticle")
    assert node["headline"] == text(only(tree, "//h1"))
    assert node["isPartOf"]["url"] == only(tree, "//p[@class='kicker']//a/@href").partition("#")[0]
    assert node["isPartOf"]["isPartOf"]["@id"] == "https://daily.example/#periodical"
    sources = tree.xpath("//p[@class='dateline']//a/@href")
    assert [node["isBasedOn"]["url"]] == sources
    assert {text(tag) for tag in tree.xpath("//footer[@class='facts']//a")} <= set(node["keywords"])


@pytest.mark.parametrize("name", ISSUES)
def test_an_issue_names_its_highlights_in_their_order(name: str, trees: dict[str, Any]) -> None:
    node = one(read(trees[name]), "PublicationIssue")
    headings = trees[name].xpath("//article//h2/a")
    assert [(part["headline"], part["url"]) for part in node["hasPart"]] == [
        (text(heading), heading.get("href")) for heading in headings
    ]


@pytest.mark.parametrize("name", [n for n in NAMES if n not in WITHOUT and "home" not in n])
def test_breadcrumbs_lead_from_home_to_the_page(name: str, trees: dict[str, Any]) -> None:
    steps = one(read(trees[name]), "BreadcrumbList")["itemListElement"]
    assert [step["position"] for step in steps] == list(range(1, len(steps) + 1))
    assert steps[0]["item"] == "https://daily.example/"
    assert only(trees[name], "//link[@rel='canonical']/@href").startswith(steps[-1]["item"])
    assert all(step["name"].strip() for step in steps)


def test_home_is_a_site_with_a_search_and_a_periodical(trees: dict[str, Any]) -> None:
    nodes = read(trees["home"])
    action = one(nodes, "WebSite")["potentialAction"]
    target = action["target"]["urlTemplate"]
    assert target == "https://daily.example/search/?q={search_term_string}"
    assert action["query-input"] == "required name=search_term_string"
    periodical = one(nodes, "Periodical")
    assert periodical["name"] == "The Lantern Daily"
    assert periodical["sameAs"] == trees["home"].xpath("//link[@rel='me']/@href")


def test_nothing_in_a_block_ends_it(
    setting: Setting, templates: Environment, english: Issue, chinese: Issue, arabic: Issue
) -> None:
    publication = msgspec.structs.replace(setting.publication, title=HOSTILE, description=HOSTILE)
    first = msgspec.structs.replace(english.highlights[0], title=HOSTILE, source=HOSTILE)
    issue = msgspec.structs.replace(
        english,
        title=HOSTILE,
        summary=HOSTILE,
        authors=(Person(HOSTILE),),
        highlights=(first, *english.highlights[1:]),
    )
    hostile = msgspec.structs.replace(setting, publication=publication)
    for name, page in Pages(hostile, templates, issue, chinese, arabic).all().items():
        tree = parse(page)
        assert len(tree.xpath("//script")) == (0 if name in WITHOUT else 1), name
        if name in ("issue-english", "highlight"):
            article = read(tree)[0]
            assert HOSTILE in article["headline"]
            assert article["author"] == [{"@type": "Organization", "name": HOSTILE}]
            assert article["publisher"]["name"] == HOSTILE


def test_a_block_holds_no_character_that_markup_or_javascript_reads_otherwise() -> None:
    block = data_block([breadcrumbs((HOSTILE, "https://daily.example/?a=1&b=<2>"))])
    assert not {"<", ">", "&", "\u2028", "\u2029"} & set(block)
    step = json.loads(block)["@graph"][0]["itemListElement"][0]
    assert step["name"] == HOSTILE
    assert step["item"] == "https://daily.example/?a=1&b=<2>"


def test_what_is_not_set_is_not_said(
    setting: Setting, templates: Environment, english: Issue, chinese: Issue, arabic: Issue
) -> None:
    bare = msgspec.structs.replace(
        setting, publication=msgspec.structs.replace(setting.publication, author=None)
    )
    pages = Pages(bare, templates, english, chinese, arabic)
    pages.context = msgspec.structs.replace(pages.context, profile=Profile())
    first = msgspec.structs.replace(english.highlights[0], url="", source="")
    plain = msgspec.structs.replace(english, authors=(), highlights=(first,))
    tree = parse(pages.highlight(plain, 0))
    node = one(read(tree), "NewsArticle")
    assert node["author"][0]["@type"] == "Organization"
    assert not {"license", "isBasedOn"} & node.keys()
    assert not tree.xpath("//link[@rel='license' or @rel='me']")
