"""Each kind of page, a publication's own templates, the style, and hostile content."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from babel.dates import format_date
from jinja2 import Environment
from lxml import html as lxml_html
from playwright.sync_api import Browser

from publisher.model.issue import Image, Issue, Person, Tag
from publisher.render.frame import TRAP_FIELD, PageContext
from publisher.render.page import render_home_page, render_tombstone
from publisher.render.templates import make_templates
from publisher.render.views import Setting, find_locale

from ..conftest import ROOT
from .page_samples import Pages, meta, only, parse, text

CSS = (ROOT / "templates/pages/site.css").read_text("utf-8")
HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(1)>\"' style='x' {{ 7*7 }}"


@pytest.fixture
def pages(
    setting: Setting, templates: Environment, english: Issue, chinese: Issue, arabic: Issue
) -> Pages:
    return Pages(setting, templates, english, chinese, arabic)


@pytest.fixture
def trees(pages: Pages) -> dict[str, lxml_html.HtmlElement]:
    return {name: parse(page) for name, page in pages.all().items()}


# An issue's page


def test_an_issue_lists_its_highlights_and_has_each_at_its_id(trees: dict[str, Any]) -> None:
    tree = trees["issue-english"]
    contents = tree.xpath("//nav[@aria-labelledby='contents_title']//a/@href")
    assert contents == [
        "#ferry-cinema",
        "#river-seal",
        "#duan-ju",
        "#openings",
        "#lantern-archive",
    ]
    ferry = only(tree, "//article[@id='ferry-cinema']")
    assert ferry.xpath(".//h2/a/@href") == ["https://daily.example/highlights/ferry-cinema/"]
    source = only(ferry, ".//p[@class='kicker']/a")
    assert text(source) == "Source: Harbour Post"
    assert source.get("href") == "https://harbour-post.example/2025/ferry-cinema"
    assert ferry.xpath(".//a[@rel='tag']/@href") == [
        "https://daily.example/tags/film/",
        "https://daily.example/tags/dian-ying/",
    ]
    permalink = only(ferry, ".//a[@rel='bookmark']")
    assert text(permalink).endswith("A ferry across the strait becomes a cinema for one winter")
    assert tree.xpath("//a[@href='https://daily.example/issues/2025-12-15/email.html']")


def test_an_issue_says_when_it_was_published_and_how_to_share_it(trees: dict[str, Any]) -> None:
    tree = trees["issue-english"]
    assert meta(tree, "og:type") == "article"
    assert meta(tree, "article:published_time") == "2025-12-15T07:00:00+08:00"
    assert meta(tree, "og:title") == "Lanterns over the harbour, Monday, December 15, 2025"
    assert meta(tree, "og:url") == "https://daily.example/issues/2025-12-15/"
    assert meta(tree, "og:image") == "https://daily.example/media/harbour.jpg"
    assert (meta(tree, "og:image:width"), meta(tree, "og:image:height")) == ("1200", "800")
    assert only(tree, "//link[@rel='canonical']/@href") == meta(tree, "og:url")
    assert meta(tree, "description").startswith("A ferry across the strait")


def test_an_issue_names_its_neighbours(trees: dict[str, Any]) -> None:
    tree = trees["issue-chinese"]
    assert only(tree, "//link[@rel='prev']/@href") == "https://daily.example/issues/2025-12-15/"
    assert only(tree, "//link[@rel='next']/@href") == "https://daily.example/issues/2025-12-17/"
    older, newer = tree.xpath("//nav[@class='neighbours']//a")
    assert (older.get("hreflang"), newer.get("hreflang")) == ("en", "ar")
    assert text(older).startswith("上一期 Lanterns over the harbour")
    assert only(newer, "./span[@class='title']").get("dir") == "rtl"


def test_an_untitled_issue_is_known_by_its_day(trees: dict[str, Any]) -> None:
    tree = trees["issue-untitled"]
    assert text(only(tree, "//h1")) == "Monday, December 15, 2025"
    assert text(only(tree, "//title")) == "The Lantern Daily, Monday, December 15, 2025"
    row = trees["home"].xpath("//ul[@class='rows']/li[3]/a")[0]
    assert text(row) == "Mon, Dec 15, 2025"


def test_only_the_first_image_is_fetched_at_once(pages: Pages, english: Issue) -> None:
    image = Image("media/harbour.jpg", "A pier")
    highlights = tuple(msgspec.structs.replace(h, image=image) for h in english.highlights)
    issue = msgspec.structs.replace(english, highlights=highlights)
    for page in (pages.issue(issue), pages.home(issue)):
        lazy = [image.get("loading") for image in parse(page).xpath("//img")]
        assert lazy == [None, *["lazy"] * (len(lazy) - 1)]
        assert len(lazy) >= 5


def test_the_interface_speaks_english_around_a_language_it_does_not_know(
    pages: Pages, english: Issue
) -> None:
    issue = msgspec.structs.replace(english, language="he", title="פנסים מעל הנמל")
    tree = parse(pages.issue(issue))
    assert (tree.get("lang"), tree.get("dir")) == ("he", "rtl")
    assert only(tree, "//h1").get("lang") is None
    for path in ("//a[@class='skip']", "//header/div/nav", "//footer/div/ul", "//h2[1]"):
        element = tree.xpath(path)[0]
        assert (element.get("lang"), element.get("dir")) == ("en", "ltr"), path


# The other pages


def test_a_highlight_has_a_page_of_its_own(trees: dict[str, Any]) -> None:
    tree = trees["highlight"]
    assert text(only(tree, "//h1")) == "A ferry across the strait becomes a cinema for one winter"
    assert only(tree, "//link[@rel='canonical']/@href").endswith("/highlights/ferry-cinema/")
    assert meta(tree, "description").startswith("From Friday the Morning Star will make")
    assert meta(tree, "og:image:alt").startswith("The ferry Morning Star")
    assert tree.xpath("//a[@href='https://daily.example/issues/2025-12-15/#ferry-cinema']")
    assert only(tree, "//link[@rel='next']/@href").endswith("/highlights/river-seal/")
    assert not tree.xpath("//link[@rel='prev']")
    assert text(only(tree, "//nav[@class='neighbours']")).startswith("Next highlight The seal")


def test_the_home_page_shows_the_newest_issue_and_leads_on(trees: dict[str, Any]) -> None:
    tree = trees["home"]
    assert text(only(tree, "//h1")) == "The Lantern Daily"
    assert text(only(tree, "//h2[@id='newest_title']")) == "Lanterns over the harbour"
    assert len(tree.xpath("//ol[@class='headlines']/li")) == 5
    assert tree.xpath("//ul[@class='years']//a/@href") == ["https://daily.example/archive/2025/"]
    assert len(tree.xpath("//section[@id='archive']//ul[@class='rows']/li")) == 3
    feeds = tree.xpath("//section[@id='feeds']//a/@href")
    assert feeds == [
        *(feed.get("href") for feed in tree.xpath("//link[@rel='alternate']")),
        "https://daily.example/feeds.opml",
        "https://daily.example/feeds/",
    ]
    assert "every message" in text(only(tree, "//section[@id='leave']")).lower()


@pytest.mark.parametrize("name", ["home", "home-foreign", "home-empty"])
def test_the_subscribe_form_works_without_scripts(name: str, trees: dict[str, Any]) -> None:
    form = only(trees[name], "//form")
    assert (form.get("method"), form.get("action")) == (
        "post",
        "https://mail.daily.example/subscribe",
    )
    language, email, name_, trap = form.xpath(".//input")
    assert (language.get("name"), language.get("type")) == ("language", "hidden")
    assert language.get("value") == trees[name].get("lang")
    assert (email.get("name"), email.get("type")) == ("email", "email")
    assert email.get("autocomplete") == "email"
    assert "required" in email.attrib
    assert (name_.get("name"), "required" in name_.attrib) == ("name", False)
    assert trap.get("name") == TRAP_FIELD
    assert trap.get("value") is None
    assert (trap.get("tabindex"), trap.get("autocomplete")) == ("-1", "off")
    assert trap.getparent().get("aria-hidden") == "true"
    for field in (email, name_, trap):
        assert text(only(form, f".//label[@for='{field.get('id')}']"))
        assert "placeholder" not in field.attrib


def test_a_year_page_is_ordered_by_month_and_marks_the_year(trees: dict[str, Any]) -> None:
    tree = trees["year"]
    assert [text(h) for h in tree.xpath("//h2")] == ["December", "November", "Subscribe"]
    assert text(only(tree, "//ul[@class='years']//a[@aria-current='page']")) == "2025"
    # A count of 0 is one that nobody wants to see.
    assert [text(li) for li in tree.xpath("//ul[@class='years']/li")] == ["2025", "2024 12"]
    assert text(only(tree, "//nav[@class='site-links']//a[@aria-current]")) == "Archive"


def test_a_tag_page_announces_its_own_feeds_first(trees: dict[str, Any]) -> None:
    newest, older = trees["tag"], trees["tag-older"]
    feeds = newest.xpath("//link[@rel='alternate']/@href")
    base = "https://daily.example/tags/dian-ying/"
    assert feeds[:3] == [f"{base}feed.{format_}" for format_ in ("atom", "rss", "json")]
    assert len(feeds) == 9
    assert only(newest, "//link[@rel='canonical']/@href") == base
    assert only(older, "//link[@rel='canonical']/@href") == f"{base}1/"
    assert only(newest, "//link[@rel='next']/@href") == f"{base}1/"
    assert only(older, "//link[@rel='prev']/@href") == base
    assert "Page 1" in text(only(older, "//title"))
    assert text(only(newest, "//h1")) == "Tagged “电影”"


def test_a_tombstone_says_what_when_and_why(pages: Pages) -> None:
    tree = parse(pages.tombstone())
    assert meta(tree, "robots") == "noindex"
    assert not tree.xpath("//link[@rel='canonical']")
    assert text(only(tree, "//h1")) == "This highlight was withdrawn"
    # The day in the publication's zone, where it is one later.
    assert "Sunday, December 21, 2025" in text(only(tree, "//main"))
    assert "Reason: The figures were wrong." in text(only(tree, "//main"))
    assert "Reason" not in text(only(parse(pages.tombstone("")), "//main"))


def test_a_logo_stands_beside_the_name(setting: Setting, pages: Pages) -> None:
    publication = msgspec.structs.replace(setting.publication, logo="media/seal.png")
    logo = msgspec.structs.replace(setting, publication=publication)
    context = msgspec.structs.replace(pages.context, setting=logo)
    for page in (render_home_page(context, None, (), (), ()), _tombstone(context)):
        tree = parse(page)
        image = only(tree, "//header//img")
        assert (image.get("src"), image.get("alt")) == ("https://daily.example/media/seal.png", "")
        assert (image.get("width"), image.get("height")) == ("24", "24")
        assert only(tree, "//link[@rel='icon']/@href") == image.get("src")


def _tombstone(context: PageContext) -> bytes:
    moment = datetime(2025, 12, 20, tzinfo=UTC)
    return render_tombstone(context, "issue", moment, "", "en")


# A publication's own templates; the style; hostile content


def test_one_file_is_replaced_by_itself(pages: Pages) -> None:
    folder = ROOT / "templates"
    sources = {
        file.relative_to(folder).as_posix(): file.read_text("utf-8")
        for file in sorted((folder / "pages").iterdir())
    }
    sources["pages/footer.html"] = "<footer>{{ publication.title }}, ours</footer>"
    context = msgspec.structs.replace(pages.context, templates=make_templates(sources))
    assert text(only(parse(_tombstone(context)), "//footer")) == "The Lantern Daily, ours"


def _hostile_issue(issue: Issue) -> Issue:
    highlight = msgspec.structs.replace(
        issue.highlights[0],
        title=HOSTILE,
        source=HOSTILE,
        url="javascript:alert(1)",
        language='en"><script>',
        image=Image("media/harbour.jpg", HOSTILE),
        tags=(Tag("film", HOSTILE),),
    )
    return msgspec.structs.replace(
        issue,
        title=HOSTILE,
        summary=HOSTILE,
        authors=(Person(HOSTILE, "a@b.example"),),
        tags=(Tag("film", HOSTILE),),
        highlights=(highlight, *issue.highlights[1:]),
    )


def test_hostile_words_are_shown_as_words(
    setting: Setting, templates: Environment, english: Issue, chinese: Issue, arabic: Issue
) -> None:
    publication = msgspec.structs.replace(
        setting.publication, title=HOSTILE, description=HOSTILE, rights=HOSTILE
    )
    setting = msgspec.structs.replace(setting, publication=publication)
    pages = Pages(setting, templates, _hostile_issue(english), chinese, arabic)
    rendered = {**pages.all(), "tombstone": pages.tombstone(HOSTILE)}
    for name, page in rendered.items():
        tree = parse(page)
        assert not tree.xpath("//script[not(@type='application/ld+json')]"), name
        assert not tree.xpath("//@onerror | //@style | //img[@src='x']"), name
        assert not tree.xpath("//@href[starts-with(., 'javascript:')]"), name
        assert b"49" not in re.sub(rb"349", b"", page), name
        assert b"a@b.example" not in page
        assert HOSTILE in " ".join(tree.itertext()), name


def test_every_demand_on_colour_is_met_in_light_and_in_dark() -> None:
    light, dark = (dict(re.findall(r"--(\w+): (#\w{6})", part)) for part in _schemes())
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        for front in ("ink", "faint", "accent"):
            for back in ("paper", "sheet"):
                assert _contrast(colours[front], colours[back]) >= 4.5, (front, back)


def _schemes() -> tuple[str, str]:
    before, after = CSS.split("@media (prefers-color-scheme: dark)", 1)
    return before, after[: after.index("}\n}")]


def _contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_the_style_knows_no_left_and_right() -> None:
    # Save where a text's own direction is meant: code, columns of figures, foreign passages.
    allowed = r"text-align: (left|right);|\[align=\"right\"\]|under right"
    rules = re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL)
    assert not re.search(r"\b(left|right)\b", re.sub(allowed, "", rules))
    assert not re.search(r"^ *(width|height|margin-top|padding-top|border-top)\b", rules, re.M)


def test_a_day_is_written_alike_whatever_language_came_before() -> None:
    moment = datetime(2025, 12, 5, tzinfo=UTC)
    for language in ("zh", "apc", "ar", "fr"):
        format_date(moment, "LLLL", locale=find_locale(language))
    months = {x: format_date(moment, "LLLL", locale=find_locale(x)) for x in ("ar", "fr", "en")}
    assert months == {"ar": "ديسمبر", "fr": "décembre", "en": "December"}


@pytest.mark.browser
def test_nothing_widens_a_small_phone(
    pages: Pages, english: Issue, tmp_path: Path, browser: Browser
) -> None:
    long = msgspec.structs.replace(
        english,
        title="W" * 150,
        summary="https://example.org/" + "a" * 300,
        highlights=tuple(
            msgspec.structs.replace(h, title="Z" * 150, source="S" * 99, tags=(Tag("t", "T" * 99),))
            for h in english.highlights
        ),
    )
    (tmp_path / "site.css").write_text(CSS, "utf-8")
    rendered = {
        **pages.all(),
        "long": pages.issue(long, older=long),
        "long-home": pages.home(long, long),
    }
    del rendered["moved"]  # which goes on to where the page is now
    view = browser.new_page(viewport={"width": 320, "height": 600})
    view.route("https://**", lambda route: route.abort())
    for name, page in rendered.items():
        local = page.decode().replace("https://daily.example/assets/", "")
        (tmp_path / "page.html").write_text(local, "utf-8")
        view.goto((tmp_path / "page.html").as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") == 320, name
        assert view.evaluate("getComputedStyle(document.body).margin") == "0px", name
    view.close()
