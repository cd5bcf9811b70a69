"""The server's own pages in a browser: axe-core looks at them, and their buttons are pressed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from publisher.model.choices import Choices
from publisher.site.build import build
from publisher.site.job import Job
from publisher.web.public.notices import KINDS, Kind, make_notice
from tests.browser.conftest import Axe, Visit, Windows
from tests.browser.test_axe import MODES, ROOM_AND_USE, WIDTHS, modes
from tests.catalogues import CATALOGUES
from tests.web.public.site import Site, run_site, wait_until
from tests.web.running_preview import make_publication

pytestmark = pytest.mark.browser

# One of each script and direction, with a title of its own.
LANGUAGES = {"en": "The Daily", "zh-Hans": "海港日报", "ar": "صحيفة الميناء"}
STATUSES = {"link_unusable": 404, "not_found": 404, "bad_address": 422}


@pytest.fixture(
    scope="module",
    params=["en", pytest.param("zh-Hans", marks=pytest.mark.long), "ar"],
)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A publication that was built, whose URL is the server's, with people in each state."""
    folder = make_publication(tmp_path_factory.mktemp(request.param))
    Image.new("RGB", (64, 64), "#7a9e9f").save(folder / "media" / "logo.png")
    publication = {
        "language": request.param,
        "title": LANGUAGES[request.param],
        "logo": "media/logo.png",
        "url": "http://127.0.0.1:{port}",
    }
    # Each window is a client of its own, or all of them together would use the forms too often.
    offer = {"tags": ["Economy", "电影"]}
    web = {"trusted_proxies": ["127.0.0.1"]}
    with run_site(folder, publication=publication, web=web, choices=offer) as site:
        now = datetime.now(UTC)
        build(Job(folder=folder, settings=site.settings, output=site.public, now=now))
        site.add("left@daily.example")
        site.leave("left@daily.example")
        yield site


class _Looking:
    """Goes to pages in one window, and hears what the console says."""

    def __init__(self, page: Page, site: Site, headers: dict[str, str]) -> None:
        self.page = page
        self.headers = headers
        self.site = site
        self.visit = Visit(page)
        self.number = 0
        self.email = ""

    def go(self, path: str) -> None:
        self.page.goto(f"{self.site.url}{path}")

    def subscribe(self, email: str) -> None:
        self.go("/")
        self.page.fill("input[name=email]", email)
        # A browser has a look at it first, which is another one's business than ours.
        self.page.evaluate("() => document.querySelector('form').noValidate = true")
        self.press("form button")

    def press(self, button: str) -> None:
        """Press a button, and be on the page that it leads to."""
        with self.page.expect_navigation():
            self.page.click(button)

    def preferences(self) -> str:
        """The path of a new subscriber's preferences."""
        self.number += 1
        email = f"known-{id(self)}-{self.number}@daily.example"
        self.site.add(email)
        self.email = email
        return self.site.preferences(email, self.headers)

    def new_address_link(self) -> str:
        """The path that confirms a subscriber's other address."""
        link = self.preferences()
        self.site.act(link, "address", email=f"other-{self.email}")
        return self.site.mailed("address", self.email)

    def new_reader(self) -> str:
        self.number += 1
        email = f"reader-{id(self)}-{self.number}@daily.example"
        self.subscribe(email)
        self.site.confirmation(email)
        return email


_ERASE = "section:has(#erase_title) button"


def _go_to(kind: str, looking: _Looking) -> None:
    """Come to a page as a reader does."""
    site, page = looking.site, looking.page
    match kind:
        case "check_mailbox":
            looking.new_reader()
        case "bad_address":
            looking.subscribe("anna@")
        case "confirm":
            looking.go(site.confirmation(looking.new_reader()))
        case "confirmed":
            looking.go(site.confirmation(looking.new_reader()))
            looking.press("form button")
        case "end" | "ended":
            email = f"{kind}-{id(looking)}@daily.example"
            site.add(email)
            looking.go(site.link("unsubscribe", email))
            if kind == "ended":
                looking.press("form button")
        case "ask_preferences":
            looking.go("/preferences")
        case "preferences_mailed":
            looking.go("/preferences")
            page.fill("input[name=email]", "left@daily.example")
            looking.press("form button")
        case "new_address" | "address_changed":
            looking.go(looking.new_address_link())
            if kind == "address_changed":
                looking.press("form button")
        case "closed" | "erased":
            looking.go(looking.preferences())
            looking.press("section:has(#close_title) button" if kind == "closed" else _ERASE)
            if kind == "erased":
                looking.press("form button")
        case "not_subscribed":
            looking.go(site.link("unsubscribe", "left@daily.example"))
        case "trial":
            looking.go(site.sign("unsubscribe", ".1"))
        case "link_unusable":
            looking.go("/confirm/nothing")
        case "not_found":
            looking.go("/nothing/")


_CLIENTS = count(1)

# What a browser never comes to by itself: a foreign page's form, and a broken machine.
SEEN = [kind for kind in KINDS if kind not in ("refused", "unavailable")]


def _all(language: str) -> list[Kind]:
    return SEEN


def _some(language: str) -> list[Kind]:
    """Half of the pages, and the other half in a language that is written the other way."""
    return SEEN[language == "ar" :: 2]


which = pytest.mark.parametrize(
    "choose",
    [pytest.param(_some, id="some"), pytest.param(_all, id="all", marks=pytest.mark.long)],
)


@pytest.fixture
def look(windows: Windows, site: Site) -> Iterator[Callable[..., _Looking]]:
    lookings: list[_Looking] = []

    def start(width: int = 1280, height: int = 900, **options: Any) -> _Looking:
        headers = {"X-Forwarded-For": f"192.0.2.{next(_CLIENTS)}"}
        page = windows(width, height, extra_http_headers=headers, **options)
        looking = _Looking(page, site, headers)
        lookings.append(looking)
        return looking

    yield start
    for looking in lookings:
        looking.visit.close()


@which
@pytest.mark.parametrize("mode", modes("phone"))
def test_every_page_is_accessible(
    mode: str, choose: Callable[[str], list[Kind]], look: Callable[..., _Looking], axe: Axe
) -> None:
    looking = look(**MODES[mode])
    publication = looking.site.settings.as_publication()
    words = CATALOGUES.words(publication.language)
    for kind in choose(publication.language):
        _go_to(kind, looking)
        page = looking.page
        assert page.inner_text("h1") == make_notice(kind, publication, words).title
        assert page.get_attribute("html", "lang") == publication.language
        assert [f"{kind}: {found}" for found in axe(page)] == []
        background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        dark = "rgb(20, 19, 18)"
        assert (background == dark) == (mode == "dark"), "the style of the page was not allowed"


@which
def test_nothing_scrolls_sideways_and_nothing_is_complained_about(
    choose: Callable[[str], list[Kind]], look: Callable[..., _Looking]
) -> None:
    looking = look()
    kinds = choose(looking.site.settings.publication.language)
    for kind in kinds:
        _go_to(kind, looking)
        for width in WIDTHS:
            looking.page.set_viewport_size({"width": width, "height": 800})
            room, used = looking.page.evaluate(ROOM_AND_USE)
            assert used <= room, f"{kind} at {width} pixels"
    # A browser says of each page that it was 404; a policy that was broken it says otherwise.
    statuses = [line for line in looking.visit.complaints if "status of 4" in line]
    assert len(statuses) == len(STATUSES.keys() & set(kinds))
    assert looking.visit.complaints == statuses
    assert {url for url in looking.visit.requests if not url.startswith(looking.site.url)} == set()


def test_a_reader_comes_and_goes_by_the_keyboard(look: Callable[..., _Looking]) -> None:
    """From the home page's form to the last page, with the Origins that a browser sends."""
    looking = look()
    page, site, email = looking.page, looking.site, "berta@daily.example"
    looking.go("/")
    page.focus("input[name=email]")
    page.keyboard.type(email)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    wait_until(lambda: site.confirmations() or None)
    for purpose, status in (("confirm", "confirmed"), ("unsubscribe", "unsubscribed")):
        is_first = purpose == "confirm"
        looking.go(site.confirmation(email) if is_first else site.link("unsubscribe", email))
        while page.evaluate("() => document.activeElement.tagName") != "BUTTON":
            page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert site.readers.get(email).status == status


@pytest.mark.parametrize("mode", modes("phone"))
def test_preferences_are_accessible(mode: str, look: Callable[..., _Looking], axe: Axe) -> None:
    looking = look(**MODES[mode])
    page = looking.page
    looking.go(looking.preferences())
    assert axe(page) == []
    page.select_option("select[name=pause]", "2_weeks")
    looking.press("section:has(select[name=pause]) button")
    assert axe(page) == []
    page.evaluate("() => document.querySelectorAll('form').forEach(f => f.noValidate = true)")
    page.fill("#address_email", "nonsense@")
    looking.press("section:has(#address_email) button")
    assert page.input_value("#address_email") == "nonsense@"
    assert axe(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        room, used = page.evaluate(ROOM_AND_USE)
        assert used <= room, f"at {width} pixels"
    looking.press(_ERASE)
    assert axe(page) == []
    looking.press("article a")
    assert looking.site.readers.get(looking.email).status == "confirmed"


def test_a_reader_changes_everything_by_the_keyboard(look: Callable[..., _Looking]) -> None:
    """Name, choices, pause and the file, with no more than Tab, arrows, letters and Enter."""
    looking = look()
    page = looking.page
    looking.go(looking.preferences())
    page.focus("#about_name")
    page.keyboard.type("Berta")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert looking.site.readers.get(looking.email).name == "Berta"
    assert page.inner_text("[role=status]")
    page.focus("input[name=content][value=full]")
    for key in ("ArrowDown", "Tab", "Space"):
        page.keyboard.press(key)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    chosen = Choices(content="headlines", tags=("economy",))
    assert looking.site.readers.get(looking.email).choices == chosen
    page.focus("#pause_length")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert looking.site.readers.get(looking.email).paused_until is not None
    page.focus("section:has(#export_title) button")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "my-data.json"
    assert looking.visit.complaints == []


def test_the_home_page_is_whole_under_its_policy(look: Callable[..., _Looking], axe: Axe) -> None:
    looking = look()
    looking.go("/")
    looking.page.wait_for_load_state("networkidle")
    assert axe(looking.page) == []
    assert looking.visit.complaints == []
    logo = "() => document.querySelector('.logo').naturalWidth"
    assert looking.page.evaluate(logo) == 64


def test_the_tokens_address_is_told_to_nobody_else(look: Callable[..., _Looking]) -> None:
    """The Referer of a link to elsewhere, which no page here has; its policy is what counts."""
    looking = look()
    site: Site = looking.site
    site.add("carla@daily.example")
    looking.go(site.link("unsubscribe", "carla@daily.example"))
    assert looking.page.evaluate("() => document.referrer") in ("", f"{site.url}/")
    foreign = f"http://localhost:{site.port}/healthz"
    looking.page.evaluate("url => { location.href = url }", foreign)
    looking.page.wait_for_url(foreign)
    assert looking.page.evaluate("() => document.referrer") == ""


def test_all_pages_are_looked_at(tmp_path: Path) -> None:
    assert set(STATUSES) <= set(SEEN) < set(KINDS)
