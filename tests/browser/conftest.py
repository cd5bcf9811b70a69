"""A Chromium, a server on loopback, and what axe-core finds."""

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.publications import Site, publish_international, publish_sample

# What `serve` and any good web server in front of public/ send along. The message is no page of
# ours: its styles stand in it, as mail needs them.
PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'"
# The one page that has a script.
SEARCH_POLICY = f"{PAGE_POLICY}; script-src 'self'; connect-src 'self'"
MESSAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'"

_AXE = """options => axe.run(document, options).then(
    ({violations, passes}) => ({violations, passes: passes.length})
)"""

Axe = Callable[..., list[str]]
Open = Callable[..., "Visit"]
Windows = Callable[..., Page]


class Visit:
    """An open page, with what it asked for and what the console said meanwhile."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._listeners: dict[Any, Callable[[Any], None]] = {
            "request": lambda request: self.requests.append(request.url),
            "pageerror": lambda error: self.complaints.append(str(error)),
            "console": self._hear,
        }
        for event, listener in self._listeners.items():
            page.on(event, listener)

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def close(self) -> None:
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)


class _Handler(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        policy = MESSAGE_POLICY if self.path.endswith("/email.html") else PAGE_POLICY
        policy = SEARCH_POLICY if self.path.startswith("/search/") else policy
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: a test that fails says enough."""


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve a folder on loopback, and give its URL without a trailing slash."""
    servers = []

    def start(folder: Path) -> str:
        handler = partial(_Handler, directory=str(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def sites(
    serve: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Site]:
    """The publications that browsers look at, built and served."""
    folder = tmp_path_factory.mktemp("publications")
    return {
        "sample": publish_sample(folder / "sample", serve),
        "international": publish_international(folder / "international", serve),
    }


@pytest.fixture(scope="package")
def windows(browser: Browser) -> Windows:
    """The windows opened so far: a page after another in the same one takes half the time."""
    opened: dict[str, Page] = {}

    def window(width: int, height: int, **options: Any) -> Page:
        key = f"{width} {height} {sorted(options.items())}"
        if key not in opened:
            context = browser.new_context(viewport={"width": width, "height": height}, **options)
            opened[key] = context.new_page()
        opened[key].set_viewport_size({"width": width, "height": height})
        return opened[key]

    return window


@pytest.fixture
def open_page(windows: Windows) -> Iterator[Open]:
    """Open a URL: `open_page(url, width=390, color_scheme="dark")`."""
    visits = []

    def open_(url: str, width: int = 1280, height: int = 900, **options: Any) -> Visit:
        visit = Visit(windows(width, height, **options))
        visits.append(visit)
        response = visit.page.goto(url)
        assert response is not None
        assert response.status == 200, url
        return visit

    yield open_
    for visit in visits:
        visit.close()


@pytest.fixture(scope="session")
def axe() -> Axe:
    """Run axe-core on a page: `axe(page, without=("region",))` gives violations in words."""
    script = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")

    def run(page: Page, without: tuple[str, ...] = ()) -> list[str]:
        page.evaluate(script)
        options = {
            "rules": {rule: {"enabled": False} for rule in without},
            "resultTypes": ["violations"],  # of the others, not every element is described
        }
        result = page.evaluate(_AXE, options)
        assert result["passes"], "axe-core looked at nothing"
        return [
            f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
            f" ({' '.join(node.get('failureSummary', '').split())})"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]

    return run
