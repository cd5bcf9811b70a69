"""What all tests share: golden files, the packaged templates, and one Chromium."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from jinja2 import Environment
from playwright.sync_api import Browser, sync_playwright

from publisher.render.templates import make_templates
from publisher.store import version
from tests.browser.chromium import find_chromium, is_unwanted
from tests.new_databases import make_quickly

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"

# How long a case takes says nothing on a machine that does other things too.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Two thousand tests want a database of their own.
version._migrate = make_quickly

Golden = Callable[[str, str | bytes], None]


def pytest_configure() -> None:
    """Let the processes that tests start hear Ctrl-C, also where these tests run unheard of it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew; read `git diff tests/golden` before committing",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare with a file below tests/golden, byte for byte: `golden("email/english.html", html)`.

    `pytest --update-golden` writes the files anew.
    """
    is_update = bool(request.config.getoption("--update-golden"))

    def compare(path: str, actual: str | bytes) -> None:
        file = GOLDEN / path
        content = actual.encode() if isinstance(actual, str) else actual
        if is_update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        assert file.exists(), f"{file} is missing; make it with pytest --update-golden"
        # As text where it is text: pytest then shows the lines that differ.
        assert _readable(content) == _readable(file.read_bytes()), f"differs from {file}"

    return compare


def _readable(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


@pytest.fixture(scope="session")
def templates() -> Environment:
    """The packaged templates, as `build` loads them where a publication has none of its own."""
    folder = ROOT / "templates"
    return make_templates(
        {
            file.relative_to(folder).as_posix(): file.read_text("utf-8")
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium; the test fails where there is none, unless that was decided on."""
    if is_unwanted():
        pytest.skip("PUBLISHER_NO_BROWSER is set")
    try:
        path = find_chromium()
    except LookupError as error:
        pytest.fail(str(error))
    # Without a sandbox of its own, which neither root nor most containers may have.
    options = ["--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=options)
        yield chromium
        chromium.close()
