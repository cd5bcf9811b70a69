"""Searching in a browser where no server searches: the page's own script, on plain files."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from publisher.render.query import MOST_CHARACTERS, parse_query
from publisher.render.terms import find_terms, make_terms
from tests.browser.conftest import Axe, Open
from tests.browser.publications import Site
from tests.browser.test_axe import MODES, ROOM_AND_USE, WIDTHS
from tests.site.searching import found
from tests.site.world import SETTINGS, World

pytestmark = pytest.mark.browser

HOSTILE_TITLE = '<img src=x onerror="document.title=1"> lantern </script><script>alert(1)</script>'
ISSUES = {
    "2026-02-01": (
        "en",
        "## A ferry across the Straße {#ferry .film source='Harbour & Post'}\n\n"
        "The *Morning Star* has a screen on deck.\n\n## The café by the pier {#cafe .sea}"
        "\n\nOpen sea.\n",
    ),
    "2026-02-02": (
        "zh-Hans",
        "## 短剧《渡口》在海口开机 {#dukou .film source='影视周刊'}\n\n"
        "该剧讲述一家三代摆渡人与一条河的故事。GPT4模型也参加了。\n",
    ),
    "2026-02-03": ("ar", "## المُدَرِّسَة والاقتصاد {#madrasa}\n\nتقوم العبّارة برحلتها المسائية.\n"),
    "2025-02-03": ("en", f"## `{HOSTILE_TITLE}` {{#hostile}}\n\nThe `<b>text</b>` too.\n"),
    "2025-02-04": ("en", "".join(f"## Rain {n} {{#rain-{n}}}\n\nText.\n\n" for n in range(12))),
    "2024-02-04": ("en", "".join(f"## Rain {n} {{#old-{n}}}\n\nText.\n\n" for n in range(14))),
}


class Archive:
    """A publication that is served as plain files."""

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.url = url

    def search(self, text: str) -> str:
        return f"{self.url}/search/?" + urlencode({"q": text})


@pytest.fixture(scope="module")
def archive(serve: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("archive")
    (folder / "public").mkdir()
    (folder / "public" / "favicon.ico").touch()  # which browsers ask for
    url = serve(folder / "public")
    world = World(folder, SETTINGS.replace("https://daily.example", url))
    for name, (language, body) in ISSUES.items():
        world.issue(name, body, language=language, title=f"No. {name}")
    assert not world.build().is_refused
    return Archive(world, url)


def ids(page: Page) -> list[str]:
    links = page.locator("#search_results h2 a").evaluate_all("all => all.map(a => a.href)")
    return [link.rstrip("/").rpartition("/")[2] for link in links]


def wait(page: Page) -> str:
    """Wait until nothing is being looked for any more, and give what is said then."""
    expect(page.locator("#search_status")).not_to_have_text("")
    expect(page.locator("#search_status")).not_to_have_text("Searching…")
    return page.locator("#search_status").inner_text()


QUERIES = [
    *("ferry", "STRASSE morn", "cafe", '"open sea"', '"sea open"', "film", "film -ferry", "harb"),
    *(
        "渡口",
        "海口 故事",
        "口海",
        "gpt4",
        "影视周刊",
        "مدرسة",
        "اقتصاد",
        "العباره",
        "lantern",
        "-film",
    ),
    *("nothing", "no 2026", "rain 1", "2025", '"', "AND OR NOT", "a*", "title:ferry", "<img>"),
]


@pytest.mark.parametrize("text", QUERIES)
def test_the_page_finds_what_the_server_finds(archive: Archive, open_page: Open, text: str) -> None:
    visit = open_page(archive.search(text))
    wait(visit.page)
    while visit.page.locator("#search_more").is_visible():
        visit.page.locator("#search_more").click()
        wait(visit.page)
    names = [each.rstrip("/") for each in found(archive.world, text)]
    assert sorted(ids(visit.page)) == sorted(names)
    assert visit.complaints == []


def test_what_is_found_is_shown_in_its_own_language(archive: Archive, open_page: Open) -> None:
    page = open_page(archive.search("film")).page
    assert wait(page) == "Results: 2"
    assert page.locator("#search_text").input_value() == "film"
    assert page.title().startswith("film · Search")
    chinese, english = page.locator("#search_results > li").all()
    assert (chinese.get_attribute("lang"), chinese.get_attribute("dir")) == ("zh-Hans", "ltr")
    assert chinese.locator(".facts").get_attribute("lang") == "en"
    assert chinese.locator("time").get_attribute("datetime") == "2026-02-02"
    assert english.get_attribute("lang") is None
    page = open_page(archive.search("مدرسة")).page
    wait(page)
    assert page.locator("#search_results > li").get_attribute("dir") == "rtl"
    assert page.locator("mark").all_inner_texts() == ["المُدَرِّسَة"]


def test_a_result_leads_to_its_page(archive: Archive, open_page: Open) -> None:
    page = open_page(archive.search("ferry")).page
    wait(page)
    page.locator("#search_results a").first.click()
    expect(page).to_have_url(f"{archive.url}/highlights/ferry/")
    page.go_back()
    wait(page)
    assert ids(page) == ["ferry"]


def test_a_query_is_typed_and_sent_by_keyboard(archive: Archive, open_page: Open) -> None:
    page = open_page(f"{archive.url}/search/").page
    page.locator("#search_text").focus()
    page.keyboard.type("渡口")
    page.keyboard.press("Enter")
    assert wait(page) == "Results: 1"
    assert ids(page) == ["dukou"]


def test_older_years_are_fetched_only_when_they_are_asked_for(
    archive: Archive, open_page: Open
) -> None:
    visit = open_page(archive.search("rain"))
    page = visit.page
    assert wait(page) == "Results since 2025: 12"
    assert ids(page) == [f"rain-{n}" for n in range(10)]
    fetched = [url.rpartition("/")[2] for url in visit.requests if url.endswith(".json")]
    assert fetched == ["index.json", "2026.json", "2025.json"]
    page.locator("#search_more").press("Enter")
    assert wait(page) == "Results: 26"
    assert len(ids(page)) == 20
    focused = page.evaluate("document.activeElement.closest('li')?.querySelector('a').href")
    assert focused == f"{archive.url}/highlights/rain-10/"
    page.locator("#search_more").press("Enter")
    expect(page.locator("#search_more")).to_be_hidden()
    assert len(ids(page)) == len(set(ids(page))) == 26


def test_markup_in_what_is_found_is_text(archive: Archive, open_page: Open) -> None:
    visit = open_page(archive.search("lantern"))
    wait(visit.page)
    assert visit.page.locator("#search_results h2").inner_text() == HOSTILE_TITLE
    assert visit.page.locator("#search_results").locator("img, script, b").count() == 0
    assert visit.page.title().startswith("lantern")
    assert visit.complaints == []


def test_markup_in_a_query_is_text(archive: Archive, open_page: Open) -> None:
    text = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    visit = open_page(archive.search(text))
    wait(visit.page)
    assert visit.page.locator("#search_text").input_value() == text
    assert visit.page.locator("main").locator("img, script").count() == 0
    assert visit.complaints == []


@pytest.mark.parametrize(
    "text", ["a" * 10_000, '"' * 500, "字" * 1_000, "\0\ufeff", "😀", "\ud800"]
)
def test_nothing_that_is_typed_breaks_the_page(
    archive: Archive, open_page: Open, text: str
) -> None:
    query = urlencode({"q": text}, errors="surrogatepass")
    visit = open_page(f"{archive.url}/search/?{query}")
    assert wait(visit.page)
    assert visit.complaints == []


def test_without_scripts_it_says_so_and_leads_to_the_archive(
    archive: Archive, open_page: Open
) -> None:
    page = open_page(archive.search("ferry"), java_script_enabled=False).page
    assert "searching needs JavaScript" in page.locator("noscript").inner_text()
    assert page.locator("noscript a").get_attribute("href") == f"{archive.url}/archive/"
    assert not page.locator("#search_more").is_visible()


def test_an_index_that_cannot_be_had_is_said(archive: Archive, open_page: Open) -> None:
    page = open_page(f"{archive.url}/search/").page
    page.route("**/index.json", lambda route: route.abort())
    try:
        page.goto(archive.search("ferry"))
        assert wait(page).startswith("Search is not available just now.")
        assert page.locator("#search_archive a").is_visible()
    finally:
        page.unroute_all()


def test_the_scripts_terms_are_those_of_the_program(archive: Archive, open_page: Open) -> None:
    """Character by character, as far as Python's Unicode tables know them."""
    page = open_page(f"{archive.url}/search/").page
    ranges = (
        (0, 0x3400),
        (0x4E00, 0x4E80),
        (0xA000, 0xAC80),
        (0xF900, 0x11000),
        (0x1D000, 0x1FB00),
    )
    known = [
        chr(code)
        for first, last in ranges
        for code in range(first, last)
        if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")
    ]
    texts = [f"x{c}ab اب{c}" for c in known]
    theirs = page.evaluate("texts => texts.map(t => publisherSearch.makeTerms(t))", texts)
    differing = [
        f"U+{ord(c):04X} {make_terms(text)} {their}"
        for c, text, their in zip(known, texts, theirs, strict=True)
        if make_terms(text) != their
    ]
    assert differing == []


TEXTS = [
    *(
        "Café Ångström naïve ﬁ ① Straße",
        "北京GPT4模型，在海口",
        "المُدَرِّسَة والاقتصاد إلى الله ١٢٣ وللعلم",
    ),
    *(
        "ｶﾞギ が か゛",
        "می‌خواهم",
        "서울에서 부산까지",
        "ภาษาไทย",
        "हिन्दी में",
        "e\u0301a\u0308",
        "👩‍👩‍👧 word",
    ),
]


def test_the_scripts_places_and_queries_are_those_of_the_program(
    archive: Archive, open_page: Open
) -> None:
    page = open_page(f"{archive.url}/search/").page
    for text in TEXTS:
        theirs = page.evaluate(
            "t => publisherSearch.findTerms(t).map(p => [p.term, t.slice(p.from, p.to)])", text
        )
        assert theirs == [[term, text[start:end]] for term, start, end in find_terms(text)]
    queries = [*QUERIES, *TEXTS, 'a "b c" -d -"e f" g', "“x y” «z» 「w v", "ab " * 30, "字" * 300]
    for text in queries:
        theirs = page.evaluate(
            "([t, n]) => JSON.stringify(publisherSearch.parseQuery(t, n))", [text, MOST_CHARACTERS]
        )
        ours = parse_query(text)
        assert json.loads(theirs) == {
            "wanted": [{"terms": list(p.terms), "isOpen": p.is_open} for p in ours.wanted],
            "excluded": [{"terms": list(p.terms), "isOpen": p.is_open} for p in ours.excluded],
        }


SEEN = {"sample": "短剧", "international": "the"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SEEN)
def test_axe_finds_nothing(
    name: str, mode: str, sites: dict[str, Site], open_page: Open, axe: Axe
) -> None:
    options: dict[str, Any] = MODES[mode]
    for query in ("", f"?q={SEEN[name]}", "?q=zzzz"):
        visit = open_page(f"{sites[name].url}/search/{query}", **options)
        if query:
            wait_for_any(visit.page)
        assert axe(visit.page) == []


def wait_for_any(page: Page) -> None:
    """Wait until something was found, or nothing."""
    expect(page.locator("#search_status")).to_have_text(
        page.locator("#search_results").get_attribute("data-nothing") or ""
    ) if "zzzz" in page.url else expect(page.locator("#search_results li").first).to_be_visible()


@pytest.mark.parametrize("name", SEEN)
def test_it_needs_no_more_room_than_there_is(
    name: str, sites: dict[str, Site], open_page: Open
) -> None:
    for width in WIDTHS:
        page = open_page(f"{sites[name].url}/search/?q={SEEN[name]}", width=width).page
        wait_for_any(page)
        room, used = page.evaluate(ROOM_AND_USE)
        assert used <= room, width
