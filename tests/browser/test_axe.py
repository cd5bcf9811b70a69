"""Every kind of page and the message, through axe-core, at every width, by keyboard."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Axe, Open
from tests.browser.publications import Site

pytestmark = pytest.mark.browser

# The kinds of pages, by where the newest or only one of each is: a path or a pattern of one.
PAGES = {
    "sample-home": "",
    "sample-issue": "issues/2025-12-15/",
    "sample-issue-yaml": "issues/2025-12-12/",
    "sample-issue-arabic": "issues/2025-12-14/",
    "sample-highlight": "highlights/hx2c9mrd4p/",
    "sample-highlight-chinese": "highlights/mf5v7jwc2h/",
    "sample-tag": "tags/sound/",
    "sample-year": "archive/2025/",
    "sample-all-years": "archive/",
    "sample-all-tags": "tags/",
    "sample-about-feeds": "feeds/",
    "international-home": "",
    "international-issue-arabic": "issues/arabic/",
    "international-issue-chinese": "issues/chinese/",
    "international-issue-hostile": "issues/hostile/",
    "international-highlight-arabic": "highlights/doha/",
    "international-highlight-chinese": "highlights/xian/",
    "international-highlight-hostile": "highlights/everything/",
    "international-tag": "tags/sound/",
    "international-tag-older": "tags/stage/1/",
    "international-year": "archive/2026/",
    "international-all-years": "archive/",
    "international-all-tags": "tags/",
    "international-about-feeds": "feeds/",
    "international-changes-arabic": "issues/arabic/changes/",
    "international-changes-chinese": "issues/chinese/changes/",
    "international-changes-hostile": "issues/hostile/changes/",
    "international-withdrawn-highlight": "highlights/filler-1-1/",
    "international-withdrawn-issue": "issues/filler-2/",
}
MESSAGES = {
    "sample": "issues/2025-12-15/email.html",
    "sample-arabic": "issues/2025-12-14/email.html",
    "international-arabic": "issues/arabic/email.html",
    "international-chinese": "issues/chinese/email.html",
    "international-hostile": "issues/hostile/email.html",
}
# A mail client puts the message into a page of its own, whose landmarks are the client's.
NOT_FOR_MAIL = ("landmark-one-main", "region")

MODES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"width": 390, "height": 844, "device_scale_factor": 3, "is_mobile": True},
}


def modes(*kept: str) -> list[Any]:
    """The modes as parameters: some for every change, the others for `make prove`."""
    return [
        pytest.param(mode, marks=() if mode in kept else pytest.mark.long, id=mode)
        for mode in MODES
    ]


# A window of 1280 pixels at 200 % has 640 CSS pixels, at 400 % it has 320 (WCAG 2.2, 1.4.10).
WIDTHS = (320, 390, 640, 1280)

REMOVE_WIDE_TABLES = """
() => document.querySelectorAll("th:nth-child(9)").forEach(cell => cell.closest("table").remove())
"""
ROOM_AND_USE = """() => {
    const root = document.documentElement;
    return [root.clientWidth, Math.max(root.scrollWidth, document.body.scrollWidth)];
}"""
# The focused element: its name, class, address or name, and whether it is in sight.
FOCUS = """() => {
    const e = document.activeElement, box = e.getBoundingClientRect();
    const isInSight = box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0
        && box.top < innerHeight && box.left < innerWidth;
    return [e.tagName, e.className, e.getAttribute("href") || e.name || "", isInSight];
}"""

ALL = PAGES | MESSAGES
every_message = pytest.mark.parametrize("name", MESSAGES)
every_mode = pytest.mark.parametrize("mode", MODES)


def _looks() -> Iterator[Any]:
    """Each kind of page in each mode, and for every change each of them in some.

    The international ones, which hold more, are looked at on a phone and in one colour scheme.
    """
    schemes = cycle(("light", "dark"))
    for name in PAGES:
        kept = {next(schemes)}
        if name.startswith("international"):
            kept.add("phone")
        for mode in MODES:
            marks = () if mode in kept else pytest.mark.long
            yield pytest.param(name, mode, marks=marks, id=f"{name}-{mode}")


def url_of(name: str, path: str, sites: dict[str, Site]) -> str:
    return f"{sites[name.partition('-')[0]].url}/{path}"


@pytest.mark.parametrize(("name", "mode"), list(_looks()))
def test_page_is_accessible(
    name: str, mode: str, sites: dict[str, Site], open_page: Open, axe: Axe
) -> None:
    visit = open_page(url_of(name, PAGES[name], sites), **MODES[mode])
    assert axe(visit.page) == []


@every_mode
@every_message
def test_message_is_accessible(
    name: str, mode: str, sites: dict[str, Site], open_page: Open, axe: Axe
) -> None:
    visit = open_page(url_of(name, MESSAGES[name], sites), **MODES[mode])
    assert axe(visit.page, without=NOT_FOR_MAIL) == []


def test_axe_would_find_something(open_page: Open, axe: Axe, sites: dict[str, Site]) -> None:
    page = open_page(f"{sites['sample'].url}/").page
    page.evaluate("() => document.querySelector('label').remove()")
    page.evaluate("() => document.querySelector('h1').style.color = '#eee'")
    rules = {line.partition(":")[0] for line in axe(page)}
    assert {"label", "color-contrast"} <= rules


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_fetched_from_elsewhere_and_nothing_is_complained_about(
    name: str, sites: dict[str, Site], open_page: Open
) -> None:
    url = url_of(name, ALL[name], sites)
    visit = open_page(url)
    visit.page.wait_for_load_state("networkidle")
    origin = sites[name.partition("-")[0]].url
    assert [r for r in visit.requests if not r.startswith(f"{origin}/")] == []
    assert visit.complaints == []


@pytest.mark.parametrize("name", ALL)
def test_nothing_scrolls_sideways(name: str, sites: dict[str, Site], open_page: Open) -> None:
    page = open_page(url_of(name, ALL[name], sites)).page
    if name in MESSAGES:
        # Pages let a wide table scroll by itself, which mail clients do not support.
        page.evaluate(REMOVE_WIDE_TABLES)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        room, used = page.evaluate(ROOM_AND_USE)
        assert used <= room, f"at {width} pixels"


@pytest.mark.parametrize("name", ["sample", "international"])
def test_the_keyboard_reaches_everything_in_sight(
    name: str, sites: dict[str, Site], open_page: Open
) -> None:
    page = open_page(f"{sites[name].url}/").page
    stops: list[list[Any]] = []
    while len(stops) < 200:
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop[0] == "BODY":
            break
        stops.append(stop)
    assert stops[0][:3] == ["A", "skip", "#main_content"]
    assert [stop for stop in stops if not stop[3]] == []
    reached = [stop[2] for stop in stops]
    expected = page.eval_on_selector_all(
        "a[href], input:not([tabindex='-1']):not([type=hidden]), button",
        "all => all.map(e => e.getAttribute('href') || e.name || '')",
    )
    # Regions that scroll by themselves are stops too.
    assert [stop for stop in reached if stop in expected] == expected


def test_the_skip_link_leads_into_the_page(sites: dict[str, Site], open_page: Open) -> None:
    page = open_page(f"{sites['sample'].url}/").page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("() => location.hash") == "#main_content"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('main') !== null")


@every_mode
def test_a_moved_page_is_accessible_and_leads_on(
    mode: str, sites: dict[str, Site], open_page: Open, axe: Axe
) -> None:
    url = sites["international"].url
    target = f"{url}/issues/moved/"
    page = open_page(f"{url}/", **MODES[mode]).page
    page.route(target, lambda route: route.fulfill(status=204))  # a browser stays where it is
    try:
        page.goto(f"{url}/issues/filler-3/")
        assert axe(page) == []
        assert page.locator("main a").get_attribute("href") == target
    finally:
        page.unroute(target)
    page.goto(f"{url}/issues/filler-3/", wait_until="commit")
    page.wait_for_url(target)


def test_the_hostile_issue_stays_text(sites: dict[str, Site], open_page: Open) -> None:
    page = open_page(f"{sites['international'].url}/issues/hostile/").page
    assert page.locator("iframe, svg, style, [onclick], [onerror], [onload]").count() == 0
    assert page.locator("script:not([type='application/ld+json'])").count() == 0
    assert page.locator("a[href^='javascript:']").count() == 0
    assert "<script>alert('title')</script>" in page.title()
    assert "{{ 7 * 7 }}" in page.title()


def test_every_kind_of_page_is_looked_at(sites: dict[str, Site]) -> None:
    """A folder or a name that no pattern here knows is a new kind of page."""
    known = {"index.html", "archive", "feeds", "highlights", "issues", "search", "tags"}
    for site in sites.values():
        found = {path.relative_to(site.public) for path in site.public.rglob("*.html")}
        assert {path.parts[0] for path in found} <= known
        assert {path.name for path in found} <= {"index.html", "email.html"}
        assert max(len(path.parts) for path in found) <= len(Path("tags/tag/1/index.html").parts)
