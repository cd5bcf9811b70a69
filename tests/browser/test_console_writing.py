"""Writing and seeing in a browser: start to finish, by keyboard, without scripts, on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Axe, Visit
from tests.browser.test_axe import MODES, ROOM_AND_USE, WIDTHS, modes
from tests.runtime.feed_server import write_rss
from tests.web.console.desks import DIGEST, DRAFT, run_desk
from tests.web.console.site import PASSWORD, Console
from tests.web.console.test_media import make

pytestmark = pytest.mark.browser

ISSUE = "/issues/2026-01-05"
EVIL = "javascript:alert(1)"
PAGES = {
    "issues": "/issues",
    "none found": "/issues?q=nothing",
    "new": "/new-issue",
    "paste": "/paste",
    "draft": "/draft",
    "edit": f"{ISSUE}/edit",
    "see": ISSUE,
    "see on a phone": f"{ISSUE}?view=phone",
    "see feeds": f"{ISSUE}?view=feeds",
    "delete": f"{ISSUE}/delete",
    "broken": "/issues/broken/edit",
    "see broken": "/issues/broken",
    "media": "/media?added=media/ship.png",
}

MAIN = [PAGES[name] for name in ("issues", "paste", "edit", "see", "broken", "media")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("desk")
    with run_desk(folder, sources={"file": "wire.xml"}) as console:
        (folder / "wire.xml").write_bytes(write_rss("A ship", "Two ships"))
        (folder / "media" / "ship.png").write_bytes(make("PNG", (600, 300)))
        (folder / "issues" / "broken.md").write_text(f"---\ndate: x\n---\n\n## [T]({EVIL})\n")
        console.add("ada@daily.example", "editor", name="Ada")
        form = {"date": "2026-01-06", "since": "36500d", "most": "1"}
        assert console.enter("editor").post("/draft", form).status == 303
        yield console


@pytest.fixture(autouse=True)
def _as_it_was(desk: Console) -> None:
    for path in (desk.folder / "issues").iterdir():
        if path.name not in ("2026-01-05.md", "broken.md"):
            path.unlink()
    (desk.folder / "issues" / "2026-01-05.md").write_text(DRAFT)


def _enter(browser: Browser, desk: Console, **options: Any) -> Page:
    mode = {"viewport": {"width": 1280, "height": 900}} | options
    page = browser.new_context(**mode).new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{desk.url}/login")
    page.fill("input[name=email]", "ada@daily.example")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{desk.url}/")
    return page


def _options(mode: str) -> dict[str, Any]:
    options = dict(MODES[mode])
    width, height = options.pop("width", 1280), options.pop("height", 900)
    return {"viewport": {"width": width, "height": height}} | options


@pytest.mark.parametrize("mode", modes("light"))
def test_every_page_is_accessible(browser: Browser, desk: Console, axe: Axe, mode: str) -> None:
    page = _enter(browser, desk, **_options(mode))
    visit = Visit(page)
    for path in PAGES.values() if mode == "light" else MAIN:
        page.goto(f"{desk.url}{path}")
        if path == f"{ISSUE}/edit":
            page.locator("#frame[src]").wait_for()
        assert axe(page) == [], path
    # What asks sandboxed frames is axe-core, and they answer nobody.
    assert [each for each in visit.complaints if "postMessage" not in each] == []
    page.context.close()


def test_nothing_scrolls_sideways(browser: Browser, desk: Console) -> None:
    page = _enter(browser, desk)
    for path in PAGES.values():
        page.goto(f"{desk.url}{path}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            room, use = page.evaluate(ROOM_AND_USE)
            assert use <= room, (path, width)
    page.context.close()


def test_from_a_paste_to_ready(browser: Browser, desk: Console) -> None:
    """The job of a morning: paste, look, mend, move, see, mark ready."""
    page = _enter(browser, desk)
    page.goto(f"{desk.url}/issues")
    page.click("text=Paste a digest")
    page.fill("textarea[name=text]", DIGEST)
    page.fill("input[name=date]", "2026-01-07")
    page.click("button[value=look]")
    assert page.locator(".found li").count() == 2
    page.click("button[value=make]")
    page.wait_for_url("**/issues/2026-01-07/edit")
    frame = page.frame_locator("#frame")
    frame.get_by_role("heading", name="The first ship came in").wait_for()
    text = page.input_value("#text")
    page.fill("#text", text.replace("oranges", "lemons"))
    frame.get_by_text("with lemons").first.wait_for()
    page.get_by_text("Not saved yet").wait_for()
    page.click("button[value='down-0']")
    page.get_by_text("Moved, and saved.").wait_for()
    moved = (desk.folder / "issues" / "2026-01-07.md").read_text()
    assert moved.index("The second") < moved.index("The first")
    assert "with lemons" in moved
    page.click("nav[aria-label='The issue'] >> text=Preview")
    page.frame_locator("iframe").get_by_text("with lemons").first.wait_for()
    page.click("text=Phone")
    assert page.locator("iframe").bounding_box()["width"] == 390  # type: ignore[index]
    page.click("nav[aria-label='The issue'] >> text=Write")
    page.click("button[value=ready]")
    page.get_by_text("Marked ready").wait_for()
    assert "status: ready" in (desk.folder / "issues" / "2026-01-07.md").read_text()
    page.context.close()


def test_problems_follow_the_words_and_lead_to_their_lines(browser: Browser, desk: Console) -> None:
    page = _enter(browser, desk)
    page.goto(f"{desk.url}{ISSUE}/edit")
    page.fill("#text", DRAFT.replace("https://wire.example/ship", EVIL))
    page.locator("#problems li.error a").first.wait_for()
    page.click("#problems li.error a >> nth=0")
    selected = page.evaluate("() => getSelection().toString()")
    assert selected.startswith("## [The first ship]")
    page.fill("#text", DRAFT)
    page.locator("#problems li.error").first.wait_for(state="detached")
    page.context.close()


def test_by_keyboard_alone(browser: Browser, desk: Console) -> None:
    page = _enter(browser, desk)
    page.goto(f"{desk.url}{ISSUE}/edit")
    page.locator("#frame[src]").wait_for()
    page.focus("#text")
    page.keyboard.press("Control+End")
    page.keyboard.type("Quite late, in fact.")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.value") == "ready"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Saved.").wait_for()
    written = (desk.folder / "issues" / "2026-01-05.md").read_text()
    assert written == DRAFT + "Quite late, in fact."
    page.focus("#text")
    page.keyboard.type("x")
    page.keyboard.press("Control+s")
    page.wait_for_load_state()
    page.get_by_text("Saved.").wait_for()
    assert (desk.folder / "issues" / "2026-01-05.md").read_text() != written
    page.context.close()


def test_without_scripts(browser: Browser, desk: Console) -> None:
    page = _enter(browser, desk, java_script_enabled=False)
    page.goto(f"{desk.url}{ISSUE}/edit")
    assert page.locator("#live").is_hidden()
    page.fill("#text", DRAFT.replace("https://wire.example/ship", EVIL))
    page.click("button[value=check]")
    assert "Line 10" in page.inner_text("#problems")
    page.fill("#text", DRAFT.replace("noon", "one"))
    page.click("button[value='up-2']")
    assert "Moved, and saved." in page.inner_text("main")
    written = (desk.folder / "issues" / "2026-01-05.md").read_text()
    assert written.index("The third") < written.index("The second") < written.index("at one")
    page.goto(f"{desk.url}{ISSUE}?view=text")
    assert "THE FIRST SHIP" in page.frame_locator("iframe").locator("pre").inner_text().upper()
    page.goto(f"{desk.url}/media")
    page.set_input_files("input[name=file]", files=[_upload()])
    page.fill("input[name=alt]", "A ship at the quay")
    page.click("text=Add the image >> nth=-1")
    assert "Just added" in page.inner_text("main")
    page.context.close()


def _upload() -> Any:
    return {"name": "Quay.jpg", "mimeType": "image/jpeg", "buffer": make("JPEG")}


def test_frames_run_nothing_and_show_images(browser: Browser, desk: Console) -> None:
    issue = DRAFT.replace("It came in at noon.", "![A ship](media/ship.png)")
    (desk.folder / "issues" / "2026-01-05.md").write_text(
        issue.replace("Monday's highlights", "<script>parent.document.title = 'run'</script>")
    )
    page = _enter(browser, desk)
    for view, is_shown in (("wide", True), ("images-off", False), ("page", True), ("feeds", True)):
        page.goto(f"{desk.url}{ISSUE}?view={view}")
        page.wait_for_load_state("networkidle")
        image = page.frame_locator("iframe").locator("img[alt='A ship']").first
        width = image.evaluate("image => image.naturalWidth")
        assert (width == 600) == is_shown, view
        assert "script" in page.title()
    page.goto(f"{desk.url}{ISSUE}?view=page")
    colour = (
        page.frame_locator("iframe")
        .locator("body")
        .evaluate("body => getComputedStyle(body).fontFamily")
    )
    assert "serif" in colour.lower()  # the site's stylesheet is there
    page.context.close()


def test_two_operators_at_once(browser: Browser, desk: Console) -> None:
    one, other = _enter(browser, desk), _enter(browser, desk)
    for page in (one, other):
        page.goto(f"{desk.url}{ISSUE}/edit")
    one.fill("#text", DRAFT.replace("noon", "one"))
    one.click("button[value=save]")
    one.get_by_text("Saved.").wait_for()
    other.fill("#text", DRAFT.replace("noon", "two"))
    other.click("button[value=save]")
    other.get_by_text("Somebody else has changed it").wait_for()
    assert "at two" in other.input_value("#text")
    assert "at one" in other.input_value("#theirs")
    other.click("text=Save yours in place of theirs")
    other.get_by_text("Saved.").wait_for()
    assert "at two" in (desk.folder / "issues" / "2026-01-05.md").read_text()
    for page in (one, other):
        page.context.close()
