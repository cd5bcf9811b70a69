"""Each reader's whole way in a browser, with `publisher run`, a relay and real messages.

By keyboard alone, or without scripts; with TEST_PICTURES=FOLDER what was seen is kept there.
"""

import json
import os
import re
import signal
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import feedparser
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Axe
from tests.cli.command_line import SETTINGS, CommandLine
from tests.cli.conftest import clean_environment, cli, empty
from tests.delivery.post import Post
from tests.smtp.scripted import ScriptedServer
from tests.web.public.site import PATIENCE, Client, free_port, wait_until

__all__ = ["clean_environment", "cli", "empty"]
pytestmark = pytest.mark.browser

BERTA, MOVED = "berta@daily.example", "berta@elsewhere.example"


class Town:
    """A publication that runs, and what reaches its readers' mailboxes."""

    def __init__(self, post: Post, url: str) -> None:
        self.post = post
        self.url = url
        self.read = 0

    def next_message(self, to: str) -> EmailMessage:
        """The next message to somebody, whatever else arrives."""

        def look() -> EmailMessage | None:
            for message in self.post.messages()[self.read :]:
                self.read += 1
                if to in message["To"]:
                    return message
            return None

        found: EmailMessage = wait_until(look)
        return found

    def link_in(self, message: EmailMessage, purpose: str) -> str:
        text = message.get_body(("plain",))
        assert text is not None
        match = re.search(rf"{re.escape(self.url)}/{purpose}/\S+", text.get_content())
        assert match, text.get_content()
        return match[0]


@pytest.fixture
def town(cli: CommandLine) -> Iterator[Town]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with ScriptedServer() as server:
        post = Post(cli, server)
        post.configure(f"[web]\nport = {port}\n[console]\nport = {free_port()}\n")
        settings = post.folder / "publisher.toml"
        settings.write_text(settings.read_text().replace("https://daily.example", url))
        assert url in settings.read_text() != SETTINGS
        assert post.cli("build").status == 0
        process = post.start("run")
        try:
            wait_until(lambda: _is_up(port) or process.poll())
            yield Town(post, url)
        finally:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=PATIENCE + 10)
        assert process.returncode == 0, said
        assert b"Traceback" not in said


def _is_up(port: int) -> bool | None:
    try:
        return Client(port).get("/healthz").status == 200 or None
    except OSError:
        return None


class Reader:
    """Somebody at a window, who has a keyboard and no mouse."""

    def __init__(self, page: Page, axe: Axe | None) -> None:
        self.page = page
        self.axe = axe

    def go(self, url: str) -> None:
        self.page.goto(url)

    def see(self, name: str, heading: str = "") -> None:
        """Look at the page: it is accessible, and says what it should."""
        if heading:
            assert self.page.inner_text("h1") == heading
        if self.axe:
            assert self.axe(self.page) == []
        if folder := os.environ.get("TEST_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def tab_to(self, selector: str) -> None:
        """Press Tab until the focus is there."""
        wanted = self.page.locator(selector).first
        for _ in range(120):
            if wanted.evaluate("e => e === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {selector}")

    def type_into(self, selector: str, text: str) -> None:
        self.tab_to(selector)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def press(self, selector: str) -> None:
        """Go to a button or a link, and press Enter."""
        self.tab_to(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


@pytest.fixture(params=[pytest.param("wide", marks=pytest.mark.long), "phone in the dark, 200 %"])
def reader(request: pytest.FixtureRequest, browser: Browser, axe: Axe) -> Iterator[Reader]:
    is_wide = request.param == "wide"
    # 390 pixels at 200 % are 195 CSS pixels; WCAG 2.2 asks for 320.
    context = browser.new_context(
        viewport={"width": 1280 if is_wide else 320, "height": 900},
        color_scheme="light" if is_wide else "dark",
    )
    yield Reader(context.new_page(), axe)
    context.close()


@pytest.fixture
def plain(browser: Browser) -> Iterator[Reader]:
    """Somebody whose browser runs no scripts."""
    context = browser.new_context(java_script_enabled=False)
    yield Reader(context.new_page(), None)
    context.close()


def test_a_recipient_comes_stays_and_leaves(town: Town, reader: Reader) -> None:
    reader.go(town.url)
    reader.see("1-home")
    reader.type_into("#subscribe_email", BERTA)
    reader.press("#subscribe button")
    reader.see("2-look-into-your-mailbox", "Look into your mailbox")

    reader.go(town.link_in(town.next_message(BERTA), "confirm"))
    reader.see("3-confirm", "Confirm your subscription")
    reader.press("form button")
    reader.see("4-subscribed", "You are subscribed")

    assert town.post.send().status == 0
    issue = town.next_message(BERTA)
    reader.go(town.link_in(issue, "unsubscribe"))
    reader.see("5-unsubscribe", "End your subscription?")

    # Rather a pause: by a link that is mailed.
    reader.press("main a[href$='/preferences'], main a[href*='/preferences']")
    reader.see("6-preferences-asked")
    reader.type_into("input[name=email]", BERTA)
    reader.press("main form button")
    reader.see("7-preferences-sent")
    preferences = town.link_in(town.next_message(BERTA), "preferences")
    reader.go(preferences)
    reader.see("8-preferences", "Your preferences")
    reader.press("section:has(#pause_title) button")
    reader.see("9-paused")
    assert reader.page.locator("[role=status]").count() > 0
    reader.press("section:has(#pause_title) button")

    reader.type_into("#about_name", "Berta <b>")
    reader.press("section:has(#about_title) button")
    assert reader.page.input_value("#about_name") == "Berta <b>"

    reader.type_into("#address_email", MOVED)
    reader.press("section:has(#address_title) button")
    reader.see("10-new-address-asked")
    reader.go(town.link_in(town.next_message(MOVED), "address"))
    reader.see("11-new-address")
    reader.press("main form button")
    reader.see("12-new-address-confirmed")
    assert [row[0] for row in town.post.rows("SELECT email FROM subscriber")] == [MOVED]

    # And at last the one click, of the message that came first.
    reader.go(town.link_in(issue, "unsubscribe"))
    reader.press("form button")
    reader.see("13-unsubscribed", "You are unsubscribed")
    assert town.post.rows("SELECT status FROM subscriber") == [("unsubscribed",)]


def test_a_reader_takes_their_data_and_is_forgotten(town: Town, plain: Reader) -> None:
    page = plain.page
    town.post.subscribe([BERTA])
    plain.go(f"{town.url}/preferences")
    page.fill("input[name=email]", BERTA)
    page.click("main form button")
    plain.go(town.link_in(town.next_message(BERTA), "preferences"))
    with page.expect_download() as download:
        page.click("section:has(#export_title) button")
    data = json.loads(Path(download.value.path()).read_text())
    assert BERTA in json.dumps(data)
    for button in ("section:has(#erase_title) button", "main form button"):
        with page.expect_navigation():
            page.click(button)
    assert town.post.rows("SELECT email FROM subscriber") == []
    # The files are gone over once the answer was given.
    wait_until(lambda: not _files_with(town.post.folder, BERTA) or None)


def _files_with(folder: Path, text: str) -> list[str]:
    files = folder.glob("publisher.db*")
    return [file.name for file in files if text.encode() in file.read_bytes()]


def test_a_subscriber_finds_the_feed_and_reads(town: Town, plain: Reader) -> None:
    page = plain.page
    plain.go(town.url)
    page.click("nav a:has-text('Feeds')")
    address = page.input_value("input[readonly]")
    assert address == f"{town.url}/feed.atom"
    feed = feedparser.parse(address)
    assert feed.entries
    entry = feed.entries[0]
    plain.go(entry.link)
    assert page.inner_text("h1") == entry.title
    assert page.get_attribute("link[rel=canonical]", "href") == entry.link
    page.click("nav a:has-text('Search')")
    page.fill("input[name=q]", entry.title.split()[-1])
    page.click("main form button")
    page.click(f"main a:has-text('{entry.title}')")
    assert page.inner_text("h1") == entry.title
    # What a reader program found in the page's head are the same feeds.
    feeds = page.eval_on_selector_all("link[rel=alternate]", "all => all.map(e => e.href)")
    assert address in feeds
