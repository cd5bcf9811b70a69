"""Whatever an editor pastes, or a stranger writes, runs in no page, no message and no feed reader.

The pages are served without a policy, so that nothing but the pages themselves keeps scripts out.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.payloads import NUMBER, payloads
from tests.site.world import World
from tests.web.public.site import run_site

pytestmark = pytest.mark.browser

_PER_ISSUE = 20
# What no page of ours has, wherever it came from.
_FOREIGN = """() => [...document.querySelectorAll(
    "script:not([type='application/ld+json']):not([src^='../assets/search-']), iframe, object,"
    + "embed, svg, math, base, video, audio, template, marquee, meta[http-equiv=refresh]")
  ].map(e => e.outerHTML.slice(0, 200)).concat(
    [...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a =>
        a.name.startsWith("on") || /^\\s*(javascript|vbscript|data):/i.test(a.value)
        && ["href", "src", "action", "formaction", "xlink:href"].includes(a.name))
    ).map(e => e.outerHTML.slice(0, 200)))"""
TRY_EVERYTHING = """() => {
    for (const e of document.querySelectorAll("*")) {
        for (const name of ["mouseover", "focus", "click", "toggle", "animationstart", "error"]) {
            e.dispatchEvent(new Event(name, {cancelable: true}));
        }
    }
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def write_issue(number: int, some: list[str]) -> dict[str, object]:
    """An issue with a payload in every field that takes text."""
    first = number * _PER_ISSUE
    return {
        "id": f"issue-{number}",
        "title": some[0],
        "summary": some[1],
        "authors": [some[2]],
        "tags": some[:5],
        "date": f"2025-12-{number + 1:02}T07:00:00+00:00",
        "status": "ready",
        "introduction": "\n\n".join(some[:5]),
        "highlights": [
            {
                "id": f"h{first + place}",
                "title": text,
                "source": text,
                "tags": [text],
                "alt": text,
                "image": f"media/{place}.png",
                "url": f"https://wire.example/{place}",
                "body": f"{text}\n\n{text} and *words* {text}\n\n- {text}\n\n> {text}",
            }
            for place, text in enumerate(some)
        ],
    }


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of all payloads; as a preview, since some of them are errors."""
    world = World(tmp_path_factory.mktemp("payloads"))
    everything = payloads()
    for number in range(NUMBER // _PER_ISSUE):
        some = everything[number * _PER_ISSUE : (number + 1) * _PER_ISSUE]
        world.write(f"issues/issue-{number}.json", json.dumps(write_issue(number, some)))
    world.preview()
    return world.public


@pytest.fixture(scope="module")
def url(public: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(public)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.add_init_script("window.hits = []; window.hit = n => window.hits.push(n);")
    context.route("https://**", lambda route: route.abort())
    opened = context.new_page()
    opened.on("dialog", lambda dialog: dialog.dismiss())
    yield opened
    context.close()


def _look(page: Page) -> None:
    page.evaluate(TRY_EVERYTHING)
    assert page.evaluate("window.hits") == []
    assert page.evaluate(_FOREIGN) == []


def _paths(public: Path, choose: Callable[[list[Path]], list[Path]]) -> list[str]:
    found = sorted(path.relative_to(public) for path in public.rglob("*.html"))
    return [path.as_posix() for path in choose(found)]


def _sample(paths: list[Path]) -> list[Path]:
    """All of a kind that has few pages, and some of each that has many."""
    many = ("highlights", "tags", "issues")
    few = [path for path in paths if path.parts[0] not in many]
    some = [[path for path in paths if path.parts[0] == kind][::60] for kind in many]
    return few + [path for each in some for path in each]


@pytest.mark.parametrize(
    "choose",
    [
        pytest.param(_sample, id="sample"),
        pytest.param(list, id="all", marks=pytest.mark.long),
    ],
)
def test_nothing_runs_in_a_page_or_a_message(
    choose: Callable[[list[Path]], list[Path]], public: Path, url: str, page: Page
) -> None:
    paths = _paths(public, choose)
    kinds = {path.split("/")[0] for path in paths}
    assert {"index.html", "issues", "highlights", "tags", "archive"} <= kinds
    for path in paths:
        page.goto(f"{url}/{path}")
        _look(page)


@pytest.mark.parametrize("feed", ["feed.json", "issues.json"])
def test_nothing_runs_in_a_reader_that_cleans_nothing(
    feed: str, public: Path, url: str, page: Page
) -> None:
    items = json.loads((public / feed).read_text())["items"]
    assert items
    page.goto(f"{url}/robots.txt")
    for item in items:
        page.evaluate("html => { document.body.innerHTML = html; }", item["content_html"])
        _look(page)


def test_the_payloads_would_run(url: str, page: Page) -> None:
    """Most do where somebody writes them into a page as they are; else nothing was proved."""
    page.goto(f"{url}/robots.txt")
    ran = 0
    tried = payloads()[::4]
    for text in tried:
        page.goto("about:blank")
        page.set_content(f"<!doctype html><title>x</title><body>{text}</body>")
        page.evaluate(TRY_EVERYTHING)
        ran += bool(page.evaluate("window.hits.length") or page.evaluate(_FOREIGN))
    assert ran > len(tried) * 0.7
    assert len(set(payloads())) == NUMBER


@pytest.mark.parametrize(
    "step",
    [pytest.param(10, id="sample"), pytest.param(1, id="all", marks=pytest.mark.long)],
)
def test_nothing_runs_where_a_reader_sees_their_name(
    step: int, tmp_path: Path, browser: Browser
) -> None:
    # As if the server's policy did not keep scripts out.
    context = browser.new_context(bypass_csp=True)
    context.add_init_script("window.hits = []; window.hit = n => window.hits.push(n);")
    page = context.new_page()
    with run_site(tmp_path) as site:
        site.add("berta@daily.example")
        link = site.preferences("berta@daily.example")
        for text in payloads()[::step]:
            site.act(link, "save", name=text)
            page.goto(f"{site.url}{link}")
            assert page.input_value("#about_name")
            _look(page)
    context.close()
