"""Readers, home and schedules in a browser: each job to its end, by keyboard, small and dark."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from publisher.runtime.alerts import Alerts
from publisher.store import schema as s
from tests.benchmarks.console import fill
from tests.browser.conftest import Axe, Visit
from tests.browser.test_axe import MODES, ROOM_AND_USE, modes
from tests.web.console.conftest import _quick_passwords
from tests.web.console.site import PASSWORD, Console, run_console
from tests.web.console.test_home import write

__all__ = ["_quick_passwords"]

pytestmark = pytest.mark.browser

# Where screenshots are left, to be looked at by a person; nowhere usually.
SHOTS = os.environ.get("PUBLISHER_SCREENSHOTS", "")
# What is folded away is looked at too.
OPEN = "() => document.querySelectorAll('main details').forEach(each => each.open = true)"
SCHEDULE = [{"name": "daily", "cron": "30 6 * * *", "settle": "0s"}]
LONG = f"{'a-very-long-name-' * 3}x@{'sub.' * 12}reader.example"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A publication in full swing."""
    folder = tmp_path_factory.mktemp("full")
    with run_console(folder, smtp={"host": "127.0.0.1"}, schedule=SCHEDULE) as console:
        fill(console, 2_000, 14)
        console.readers.bring(f"email,name\n{LONG},王小明\nأمل@reader.example,أمل حداد\n".encode())
        now = datetime.now(UTC)
        write(console, "today", "ready", now - timedelta(hours=1))
        write(console, "tomorrow", "draft", now - timedelta(minutes=5))
        with console.database.write() as connection:
            paused = update(s.mailing).where(s.mailing.c.id == 14)
            connection.execute(paused.values(status="paused", reason="535 5.7.8 refused"))
        Alerts(console.database, console.settings, lambda _: None).note_relays(
            {"relay": "The mail relay cannot be reached."}, now
        )
        yield console


def log_in(page: Page, console: Console, role: str = "sender") -> None:
    email = f"{role}@daily.example"
    if not console.find(email):
        console.add(email, role)  # type: ignore[arg-type]
    page.goto(f"{console.url}/login")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.locator("h1")).to_be_visible()


@pytest.fixture
def page(browser: Browser, console: Console) -> Iterator[Page]:
    """A window in which a sender has logged in, of a publication that has nothing yet."""
    with browser.new_context() as context:
        page = context.new_page()
        log_in(page, console)
        yield page


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    with run_console(tmp_path, smtp={"host": "127.0.0.1"}) as console:
        yield console


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def _tab_to(page: Page, text: str) -> None:
    """Go to a link, a button or a field by keyboard alone."""
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { const e = document.activeElement;"
            " return (e.labels?.[0]?.textContent || e.textContent).trim(); }"
        )
        if focused.startswith(text):
            return
    pytest.fail(f"nobody comes to {text!r} by keyboard")


@pytest.mark.parametrize("mode", modes("phone"))
def test_every_page_is_in_order_in_every_mode(
    browser: Browser, full: Console, axe: Axe, mode: str
) -> None:
    options: dict[str, Any] = dict(MODES[mode])
    size: Any = {"width": options.pop("width", 1280), "height": options.pop("height", 900)}
    ref = full.readers.get(LONG).ref
    paths = {
        "home": "/",
        "schedules": "/schedules",
        "readers": "/readers",
        "nobody": "/readers?q=nobody",
        "reader": f"/readers/{ref}",
        "erase": f"/readers/{ref}/erase",
        "add": "/readers/new",
        "suppressions": "/suppressions",
        "returned": "/returned",
        "import": "/readers/import",
    }
    with browser.new_context(viewport=size, **options) as context:
        page = context.new_page()
        log_in(page, full)
        visit = Visit(page)
        for name, path in paths.items():
            page.goto(full.url + path)
            page.evaluate(OPEN)
            shoot(page, f"{name}-{mode}")
            assert axe(page) == [], name
            room, use = page.evaluate(ROOM_AND_USE)
            assert use <= room, name
        assert visit.complaints == []


def test_an_empty_publication_is_in_order(page: Page, console: Console, axe: Axe) -> None:
    for name in ("", "readers", "suppressions", "returned", "schedules", "readers/import"):
        page.goto(f"{console.url}/{name}")
        shoot(page, f"empty-{name.replace('/', '-') or 'home'}")
        assert axe(page) == [], name


def test_a_reader_is_added_changed_and_erased_by_keyboard(page: Page, console: Console) -> None:
    page.goto(f"{console.url}/readers")
    _tab_to(page, "Add a reader")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Add a reader")).to_be_visible()
    _tab_to(page, "Their address")
    page.keyboard.type("anna@reader")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("It has a domain without a dot")
    _tab_to(page, "Their address")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("anna@reader.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The reader was added.")
    _tab_to(page, "Another name")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Anna Berg")
    page.keyboard.press("Enter")
    expect(page.locator("dd", has_text="Anna Berg")).to_be_visible()
    _tab_to(page, "Suppress the address")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("an operator decided so")).to_be_visible()
    _tab_to(page, "Lift the suppression")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Mail may be sent to this address again.")).to_be_visible()
    _tab_to(page, "Erase them")
    page.keyboard.press("Enter")
    expect(page.get_by_text("There is no way back.")).to_be_visible()
    _tab_to(page, "Erase for good")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Erased")
    assert console.readers.all() == []


def test_a_file_is_chosen_looked_at_and_imported(
    page: Page, console: Console, axe: Axe, tmp_path: Path
) -> None:
    file = tmp_path / "liste.csv"
    file.write_text("Name;E-Mail\nAnna;anna@x.example\nBo;nonsense\n")
    page.goto(f"{console.url}/readers/import")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_text("If you import it now")).to_be_visible()
    shoot(page, "looked-at")
    assert axe(page) == []
    page.get_by_label("You vouch for them").check()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="Import of liste.csv")).to_be_visible()
    shoot(page, "imported")
    assert axe(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert "nonsense" in Path(download.value.path()).read_text()
    assert [one.email for one in console.readers.all()] == ["anna@x.example"]


@pytest.mark.long
def test_a_long_import_is_watched_and_its_page_goes_on_by_itself(
    page: Page, console: Console, axe: Axe, tmp_path: Path
) -> None:
    visit = Visit(page)
    file = tmp_path / "many.csv"
    lines = "\n".join(f"reader{number}@x.example" for number in range(120_000))
    file.write_text(f"email\n{lines}\n")
    page.goto(f"{console.url}/readers/import")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_label("You vouch for them").check(timeout=60_000)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("progress")).to_be_visible()
    shoot(page, "importing")
    assert axe(page) == []
    expect(page.get_by_role("link", name="many.csv")).to_be_visible(timeout=90_000)
    expect(page.locator("progress")).to_have_count(0, timeout=90_000)
    assert visit.complaints == []


def test_readers_are_exported(page: Page, console: Console) -> None:
    console.readers.bring("email\nanna@reader.example\n")
    page.goto(f"{console.url}/readers")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as CSV").click()
    assert Path(download.value.path()).read_bytes() == console.readers.export()
