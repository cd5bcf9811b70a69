"""Sending an issue in a browser: from the last look to what came of it, also by keyboard alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Axe, Visit
from tests.browser.test_axe import MODES, ROOM_AND_USE
from tests.delivery.conftest import clean_environment, cli, empty, post, server
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import CLOSE, Rule, say
from tests.web.console.conftest import _quick_passwords
from tests.web.console.newsroom import SEND, Newsroom, run_newsroom
from tests.web.console.site import PASSWORD

__all__ = ["_quick_passwords", "clean_environment", "cli", "empty", "post", "server"]

pytestmark = pytest.mark.browser

ADA, BEN, CLEO, DORA = (f"{name}@reader.example" for name in ("ada", "ben", "cleo", "dora"))
PAYLOAD = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
# Where screenshots are left, to be looked at by a person; nowhere usually.
SHOTS = os.environ.get("PUBLISHER_SCREENSHOTS", "")


@pytest.fixture
def newsroom(post: Post) -> Iterator[Newsroom]:
    post.subscribe([ADA, BEN, CLEO, DORA])
    with run_newsroom(post) as newsroom:
        yield newsroom


@pytest.fixture
def page(browser: Browser, newsroom: Newsroom) -> Iterator[Page]:
    """A window in which a sender has logged in."""
    newsroom.console.add("sender@daily.example", "sender")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{newsroom.console.url}/login")
        page.fill("[name=email]", "sender@daily.example")
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        expect(page.locator("h1")).to_be_visible()
        yield page


def _tab_to(page: Page, text: str) -> None:
    """Go to a link or a button by keyboard alone."""
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate("() => document.activeElement.textContent.trim()")
        if focused.startswith(text):
            return
    pytest.fail(f"nobody comes to {text!r} by keyboard")


def test_an_issue_is_sent_from_the_keyboard_and_watched(newsroom: Newsroom, page: Page) -> None:
    visit = Visit(page)
    page.goto(f"{newsroom.console.url}{SEND}")
    _tab_to(page, "Send to 4 readers")
    page.keyboard.press("Enter")
    expect(page.locator("[data-left]")).to_be_visible()
    # It counts down by itself.
    page.wait_for_function("() => document.querySelector('[data-left]').textContent < 59")
    _tab_to(page, "Take it back")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Taken back: nothing was sent.")).to_be_visible()
    assert newsroom.tick(60) == []

    _tab_to(page, "Send to 4 readers")
    page.keyboard.press("Enter")
    expect(page.locator("[data-left]")).to_be_visible()
    assert newsroom.tick(60) == ["started"]
    page.wait_for_url("**/mailings/*")  # the page goes on by itself
    expect(page.get_by_role("heading", name="0 of 4 done")).to_be_visible()
    newsroom.post.server.rules.append(Rule("rcpt", say("450 later"), recipient=BEN, times=1))
    newsroom.post.send()
    expect(page.get_by_role("heading", name="3 of 4 done")).to_be_visible()
    _tab_to(page, "Pause")
    page.keyboard.press("Enter")
    expect(page.get_by_text("by sender@daily.example").first).to_be_visible()
    _tab_to(page, "Cancel…")
    page.keyboard.press("Enter")
    expect(page.get_by_text("There is no way back.")).to_be_visible()
    _tab_to(page, "Cancel it for good")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Cancelled: nobody else gets it.")).to_be_visible()
    assert visit.complaints == []
    visit.close()
    assert newsroom.post.arrived() == {ADA: 1, CLEO: 1, DORA: 1}


def test_two_operators_see_each_other(newsroom: Newsroom, page: Page, browser: Browser) -> None:
    newsroom.console.add("owner@daily.example", "owner")
    with browser.new_context() as context:
        other = context.new_page()
        other.goto(f"{newsroom.console.url}/login")
        other.fill("[name=email]", "owner@daily.example")
        other.fill("[name=password]", PASSWORD)
        other.press("[name=password]", "Enter")
        expect(other.locator("h1")).to_be_visible()
        for window in (page, other):
            window.goto(f"{newsroom.console.url}{SEND}")
        page.get_by_role("button", name="Send to 4 readers").click()
        expect(page.get_by_role("button", name="Take it back")).to_be_visible()
        other.get_by_role("button", name="Send to 4 readers").click()
        expect(other.get_by_text("has pressed Send already")).to_be_visible()
        other.get_by_role("button", name="Take it back").click()
        # The first window comes to know of it by itself.
        expect(page.get_by_text("owner@daily.example took it back")).to_be_visible()
    assert newsroom.tick(90) == []


def test_it_works_without_scripts(newsroom: Newsroom, page: Page, browser: Browser) -> None:
    state = page.context.storage_state()
    with browser.new_context(java_script_enabled=False, storage_state=state) as context:
        plain = context.new_page()
        plain.goto(f"{newsroom.console.url}{SEND}")
        plain.get_by_role("button", name="Send to 4 readers").click()
        expect(plain.get_by_role("button", name="Take it back")).to_be_visible()
        assert newsroom.tick(60) == ["started"]
        plain.get_by_role("link", name="Look again").click()
        expect(plain.get_by_text("This issue is being sent")).to_be_visible()
        plain.get_by_role("link", name="Look at the mailing").click()
        newsroom.post.send()
        plain.get_by_role("link", name="Look again").click()
        expect(plain.get_by_role("heading", name="4 of 4 done")).to_be_visible()


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(("phone",), id="phone"),
        pytest.param(tuple(MODES), id="all", marks=pytest.mark.long),
    ],
)
def test_every_state_is_accessible_and_no_payload_runs(
    seen: tuple[str, ...], newsroom: Newsroom, page: Page, browser: Browser, axe: Axe
) -> None:
    """One walk through all pages, each looked at light, dark and on a phone."""
    state = page.context.storage_state()
    windows = {}
    for mode in seen:
        options = MODES[mode]
        size = {"width": options.get("width", 1280), "height": options.get("height", 900)}
        named = {k: v for k, v in options.items() if k not in ("width", "height")}
        context = browser.new_context(viewport=size, storage_state=state, **named)  # type: ignore[arg-type]
        windows[mode] = context.new_page()
    found: list[str] = []

    def look(name: str, path: str) -> None:
        for mode, window in windows.items():
            window.goto("about:blank")  # a page that waits goes on by itself
            window.goto(f"{newsroom.console.url}{path}")
            if SHOTS:
                shot = Path(SHOTS) / f"{name}-{mode}.png"
                window.screenshot(path=str(shot), full_page=True)
            found.extend(f"{name} {mode}: {each}" for each in axe(window))
            room, use = window.evaluate(ROOM_AND_USE)
            if use > room:
                found.append(f"{name} {mode}: {use} pixels in {room}")
            if window.title() == "run":
                found.append(f"{name} {mode}: a payload ran")

    post, sender = newsroom.post, newsroom.console.browse()
    assert sender.log_in("sender@daily.example").status == 303
    look("nothing-sent", "/mailings")
    look("send", SEND)
    post.cli.issue(NAME, status="draft", body="## [A](javascript:x) {#h2025-12-15}\n\nText.\n")
    look("send-obstacles", SEND)
    post.cli.issue(NAME)
    newsroom.press_send(sender)
    look("send-waiting", SEND)
    newsroom.tick(60)
    path = f"/mailings/{newsroom.mailings()[0]}"
    look("mailing-sending", path)
    post.configure(on_in_doubt="hold", connections=1)
    post.server.rules += [
        Rule("rcpt", say(f"550 5.1.1 {PAYLOAD}"), recipient=ADA),
        Rule("final_dot", CLOSE, recipient=BEN, times=1, is_accepted=True),
        Rule("rcpt", say(f"450 4.2.0 {PAYLOAD}"), recipient=CLEO, times=1),
    ]
    post.send()
    look("mailing-mixed", path)
    sender.post(f"{path}/pause")
    look("mailing-paused", path)
    look("cancel", f"{path}/cancel")
    look("mailings", "/mailings")
    look("deliveries", f"{path}/deliveries")
    look("deliveries-none", f"{path}/deliveries?search=nobody")
    look("delivery", "/deliveries/2")
    look("history", f"/readers/{newsroom.console.readers.get(ADA).ref}/history")
    look("sent", SEND)
    for window in windows.values():
        window.context.close()
    assert found == []
