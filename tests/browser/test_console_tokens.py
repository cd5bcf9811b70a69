"""API tokens, webhooks and the API's page in a browser: by keyboard, and through axe-core."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from publisher.runtime.webhooks import follow_webhooks
from tests.browser.conftest import Axe
from tests.browser.test_axe import MODES, ROOM_AND_USE, modes
from tests.web.api.site import Program
from tests.web.console.site import PASSWORD, Console, run_console
from tests.web.console.test_webhooks import HOOK, give_up

pytestmark = pytest.mark.browser

# Where screenshots are left, to be looked at by a person; nowhere usually.
SHOTS = os.environ.get("PUBLISHER_SCREENSHOTS", "")


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    with run_console(tmp_path, webhook=[HOOK]) as console:
        follow_webhooks(console.folder, console.settings, console.database)
        console.add("owner@daily.example", "owner")
        yield console


def enter(page: Page, console: Console) -> None:
    page.goto(f"{console.url}/login")
    page.fill("[name=email]", "owner@daily.example")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.locator("h1")).to_be_visible()


def test_a_token_is_made_and_works(console: Console, browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        enter(page, console)
        page.get_by_role("link", name="API tokens").click()
        page.get_by_label("What it is for").focus()
        page.keyboard.type("newsroom import")
        page.keyboard.press("Enter")
        program = Program(console, page.locator("code.secret").inner_text())
        assert program.ask("GET", "/issues").status == 200
        page.get_by_role("link", name="API tokens").click()
        page.get_by_role("button", name="Revoke newsroom import").press("Enter")
        expect(page.get_by_role("status")).to_contain_text("is worth nothing any more")
        assert program.ask("GET", "/issues").status == 401


@pytest.mark.parametrize("mode", modes("dark"))
def test_the_pages_are_accessible(console: Console, browser: Browser, axe: Axe, mode: str) -> None:
    options = dict(MODES[mode])
    size = {"width": options.pop("width", 1280), "height": options.pop("height", 900)}
    found: list[str] = []
    with browser.new_context(viewport=size, **options) as context:  # type: ignore[arg-type]
        page = context.new_page()

        def look(name: str) -> None:
            if SHOTS:
                page.screenshot(path=str(Path(SHOTS) / f"{name}-{mode}.png"))
            found.extend(f"{name}: {each}" for each in axe(page))
            room, use = page.evaluate(ROOM_AND_USE)
            assert use <= room, name

        page.goto(f"{console.url}/api/v1/")
        look("api")
        enter(page, console)
        page.goto(f"{console.url}/tokens")
        look("tokens-none")
        page.get_by_label("What it is for").fill("<b>newsroom</b>")
        page.get_by_role("button", name="Make the token").click()
        look("tokens-made")
        page.get_by_role("button", name="Make the token").click()
        look("tokens-problems")
        page.goto(f"{console.url}/webhooks")
        look("webhooks-none")
        give_up(console, 2)
        page.reload()
        expect(page.get_by_role("button", name="Try all of them again")).to_be_visible()
        look("webhooks")
    assert found == []
