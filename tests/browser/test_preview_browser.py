"""An editor saves a file and looks at the browser beside it, which nobody touches."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.browser.conftest import Axe, Open, Visit
from tests.sampling import one_in
from tests.web.running_preview import DRAFT, Preview, make_publication, run_preview, wait_until

pytestmark = pytest.mark.browser

LONG = DRAFT.replace("## An anchor", "\n\n".join(["A line of the log."] * 60) + "\n\n## An anchor")
WHITE, SHEET, INK = "rgb(255, 255, 255)", "rgb(29, 27, 25)", "rgb(236, 231, 222)"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Preview]:
    with run_preview(make_publication(tmp_path)) as preview:
        yield preview


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Windows of their own, closed after each test: these pages go on listening, and go back."""
    contexts = []

    def open_(url: str, width: int = 1280, height: int = 900, **options: Any) -> Visit:
        viewport = {"width": width, "height": height}
        contexts.append(browser.new_context(viewport=viewport, **options))  # type: ignore[arg-type]
        visit = Visit(contexts[-1].new_page())
        visit.page.goto(url)
        return visit

    yield open_
    for context in contexts:
        context.close()


def frame_of(page: Page) -> Frame:
    frame = page.frames[1]
    frame.wait_for_load_state()
    return frame


def settle(page: Page) -> None:
    """Wait until the frame is not on its way anywhere."""
    wait_until(lambda: page.evaluate("typeof step === 'string' && step") == "ready" or None)


def colour_of(frame: Frame, selector: str, property_: str) -> str:
    script = f"element => getComputedStyle(element).getPropertyValue('{property_}')"
    return str(frame.locator(selector).first.evaluate(script))


@pytest.mark.parametrize(
    "view", one_in(3, ["wide", "phone", "dark", "images-off", "text", "page", "feeds"])
)
def test_new_words_appear_by_themselves_in_every_view(
    desk: Preview, open_page: Open, view: str
) -> None:
    visit = open_page(f"{desk.url}-/issue/draft/{view}")
    inside = visit.page.frame_locator("iframe")
    expect(inside.get_by_text("It left in 1987").first).to_be_attached()
    desk.save("issues/draft.md", DRAFT.replace("It left in 1987", "It came back in 2025"))
    expect(inside.get_by_text("It came back in 2025").first).to_be_attached(timeout=15_000)
    blocked = [words for words in visit.complaints if "boat.png" not in words]
    assert (blocked, bool(visit.complaints)) == ([], view == "images-off")


@pytest.mark.parametrize(
    "path", one_in(2, ["", "issues/draft/", "index.html", "issues/draft/email.html"])
)
def test_pages_of_the_site_and_the_overview_follow_too(
    desk: Preview, open_page: Open, path: str
) -> None:
    page = open_page(f"{desk.url}{path}").page
    desk.save("issues/future.md", DRAFT.replace("{#", "{#f-").replace("id: draft", "id: f"))
    desk.save("issues/draft.md", DRAFT.replace("What the quay keeps", "What the quay gives"))
    expect(page.get_by_text("What the quay gives").first).to_be_attached(timeout=15_000)


def test_the_place_in_the_text_is_kept(desk: Preview, open_page: Open) -> None:
    desk.save("issues/draft.md", LONG)
    desk.wait_for("/-/frame/draft/wide", "of the log")
    open_page(desk.url)
    page = open_page(f"{desk.url}-/issue/draft/wide").page
    inside = page.frame_locator("iframe")
    expect(inside.get_by_text("A line of the log.").last).to_be_attached()
    settle(page)  # a frame that is not laid out yet scrolls nowhere
    page.mouse.move(600, 700)
    page.mouse.wheel(0, 900)
    settle(page)
    for year in (1988, 1989, 1990):
        desk.save("issues/draft.md", LONG.replace("1987", str(year)))
        expect(inside.get_by_text(f"It left in {year}")).to_be_attached(timeout=15_000)
        settle(page)
        assert frame_of(page).evaluate("scrollY") == 900
        assert page.url == f"{desk.url}-/issue/draft/wide"


def test_reloading_the_frame_leaves_the_way_back_as_it_was(desk: Preview, open_page: Open) -> None:
    page = open_page(desk.url).page
    page.get_by_role("link", name="What the quay keeps").click()
    inside = page.frame_locator("iframe")
    settle(page)
    for year in range(1988, 1993):
        desk.save("issues/draft.md", DRAFT.replace("1987", str(year)))
    expect(inside.get_by_text("It left in 1992")).to_be_attached(timeout=15_000)
    settle(page)
    page.go_back()
    expect(page).to_have_url(desk.url)


def test_a_broken_file_is_told_while_what_was_there_stays(desk: Preview, open_page: Open) -> None:
    page = open_page(f"{desk.url}-/issue/draft/wide").page
    inside = page.frame_locator("iframe")
    panel = page.locator("#problems")
    assert panel.get_attribute("open") is None
    desk.save("issues/draft.md", "---\ntitle: [never closed\n---\n")
    expect(page.get_by_text("so there is nothing new to show")).to_be_visible(timeout=15_000)
    expect(panel.get_by_text("front-matter-unreadable")).to_be_visible()
    expect(inside.get_by_text("It left in 1987")).to_be_attached()
    desk.save("issues/draft.md", DRAFT.replace("1987", "1988"))
    expect(inside.get_by_text("It left in 1988")).to_be_attached(timeout=15_000)
    expect(page.get_by_text("so there is nothing new to show")).to_have_count(0)


def test_broken_settings_are_told_and_mended(desk: Preview, open_page: Open) -> None:
    page = open_page(f"{desk.url}-/issue/draft/wide").page
    settings = (desk.folder / "publisher.toml").read_text()
    desk.save("publisher.toml", settings.replace("time_zone", "time_zome"))
    expect(page.get_by_role("heading", name="This cannot be built")).to_be_visible(timeout=15_000)
    expect(page.locator("#failure")).to_contain_text("time_zo")
    desk.save("publisher.toml", settings)
    expect(page.get_by_role("heading", name="This cannot be built")).to_have_count(
        0, timeout=15_000
    )


def test_a_stopped_preview_is_told(desk: Preview, open_page: Open) -> None:
    page = open_page(f"{desk.url}-/issue/draft/wide").page
    expect(page.locator("#state")).to_contain_text("Built")
    desk.stop()
    expect(page.locator("#state")).to_have_text("The preview has stopped", timeout=15_000)


def test_alternative_texts_stand_for_images_that_are_off(desk: Preview, open_page: Open) -> None:
    on = frame_of(open_page(f"{desk.url}-/issue/draft/wide").page)
    assert on.locator("img").evaluate("image => image.naturalWidth") == 300
    page = open_page(f"{desk.url}-/issue/draft/images-off").page
    image = page.frame_locator("iframe").get_by_alt_text("A boat at its old mooring")
    image.scroll_into_view_if_needed()
    expect(image).to_be_visible()
    assert image.evaluate("image => [image.complete, image.naturalWidth]") == [True, 0]


@pytest.mark.parametrize("system", one_in(2, ["light", "dark"]))
def test_the_dark_view_is_dark_and_the_others_light(
    desk: Preview, open_page: Open, system: str
) -> None:
    for view, card, text in (
        ("dark", SHEET, INK),
        ("wide", WHITE, "rgb(29, 27, 24)"),
        ("phone", WHITE, "rgb(29, 27, 24)"),
    ):
        page = open_page(f"{desk.url}-/issue/draft/{view}", color_scheme=system).page
        frame = frame_of(page)
        assert colour_of(frame, ".card", "background-color") == card
        assert colour_of(frame, "h1", "color") == text


def test_the_phone_is_390_pixels_wide_and_the_wide_view_is_wide(
    desk: Preview, open_page: Open
) -> None:
    for window in (1280, 700, 390):
        phone = frame_of(open_page(f"{desk.url}-/issue/draft/phone", width=window).page)
        assert phone.evaluate("innerWidth") == 390
        wide = frame_of(open_page(f"{desk.url}-/issue/draft/wide", width=window).page)
        assert wide.evaluate("innerWidth") > 620


def test_links_of_a_message_open_a_window_of_their_own(desk: Preview, open_page: Open) -> None:
    page = open_page(f"{desk.url}-/issue/draft/wide").page
    inside = page.frame_locator("iframe")
    with page.expect_popup() as opened:
        inside.get_by_role("link", name="View on the web").click()
    expect(opened.value.get_by_role("heading", name="What the quay keeps")).to_be_visible()
    assert opened.value.url.startswith(f"{desk.url}issues/draft/#v-")
    inside.get_by_role("link", name="An anchor for sale").first.click()
    assert frame_of(page).url.endswith("/-/frame/draft/wide#anchor")


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (390, "dark"),
        pytest.param(1400, "light", marks=pytest.mark.long),
        pytest.param(390, "light", marks=pytest.mark.long),
        pytest.param(900, "light", marks=pytest.mark.long),
        pytest.param(900, "dark", marks=pytest.mark.long),
        pytest.param(1400, "dark", marks=pytest.mark.long),
    ],
)
def test_our_own_pages_are_accessible(
    desk: Preview, open_page: Open, axe: Axe, scheme: str, width: int
) -> None:
    broken = DRAFT.replace("1987", "1987 TODO").replace("{#anchor}", "")
    desk.save("issues/draft.md", broken)
    desk.save("issues/broken.md", "---\ntitle: [never closed\n---\n")
    desk.wait_for("/-/issue/draft/wide", "id-missing")
    for path in (
        *("", "-/issue/draft/wide", "-/issue/draft/phone", "-/issue/draft/feeds"),
        *("-/issue/broken/wide", "-/frame/draft/text", "-/frame/draft/feeds"),
    ):
        # Without the policies: in a sandbox axe-core itself would not run.
        options = {"color_scheme": scheme, "bypass_csp": True}
        page = open_page(f"{desk.url}{path}", width=width, **options).page
        assert (path, axe(page)) == (path, [])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_everything_can_be_reached_by_keyboard(desk: Preview, open_page: Open) -> None:
    page = open_page(f"{desk.url}-/issue/draft/wide").page
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.innerText || document.activeElement.tagName")
        )
    assert reached[:3] == ["Skip to content", "← All issues", "Wide"]
    assert reached[3:9] == ["Phone", "Dark", "Images off", "Text", "Page", "Feeds"]
    assert "1 warning" in reached[9]
    assert "IFRAME" in reached
