"""Whatever others write, by whatever way it comes in, runs on no page of the console.

The browser takes no notice of the policies that the console sends, so that nothing but the escaping
itself keeps scripts out.
"""

import pytest
from playwright.sync_api import Browser, Page, Route

from publisher.web.console.access import ACCESS
from tests.browser.payloads import payloads
from tests.browser.test_payloads import TRY_EVERYTHING
from tests.delivery.conftest import clean_environment, cli, empty, post, server
from tests.delivery.post import Post
from tests.web.console.conftest import _quick_passwords
from tests.web.console.hostile import is_page, route_of, run_hostile
from tests.web.public.site import Answer

__all__ = ["_quick_passwords", "clean_environment", "cli", "empty", "post", "server"]

pytestmark = pytest.mark.browser

# Forms in which somebody writes. Where one is added, it is filled too; that it is says this list.
_FORMS = {
    *("/login", "/welcome/{token}", "/account/name", "/account/password"),
    *("/operators", "/tokens", "/suppressions", "/readers", "/readers/{ref}/name"),
    *("/paste", "/new-issue", "/media", "/issues/{slug}/edit", "/issues/{slug}/test"),
}
# What would run: nothing is ours but the scripts' files, and what an issue's own page says as data.
_FOREIGN = """() => [...document.querySelectorAll(
    "script:not([src^='/assets/']):not([type='application/ld+json']), iframe[srcdoc],"
    + "iframe:not([sandbox]), object, embed, math, base, video, audio, template, marquee,"
    + "svg script, svg a, svg animate, svg foreignObject")
  ].map(e => e.outerHTML.slice(0, 200)).concat(
    [...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a =>
        a.name.startsWith("on") || /^\\s*(javascript|vbscript):/i.test(a.value)
        && ["href", "src", "action", "formaction", "xlink:href"].includes(a.name))
    ).map(e => e.outerHTML.slice(0, 200)))"""


def _open(browser: Browser, url: str, cookies: dict[str, str], *, has_policy: bool) -> Page:
    """A window in which somebody is logged in, whose own name is hostile too."""
    agent = payloads()[0]
    context = browser.new_context(bypass_csp=not has_policy, user_agent=agent)
    context.add_init_script("window.hits = []; window.hit = n => window.hits.push(n);")
    context.route("https://**", lambda route: route.abort())
    context.add_cookies([{"name": n, "value": v, "url": url} for n, v in cookies.items()])
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.dismiss())
    return page


def _look(page: Page, url: str) -> None:
    page.goto(url, wait_until="domcontentloaded")
    page.evaluate(TRY_EVERYTHING)
    assert page.evaluate("window.hits") == [], url
    assert page.evaluate(_FOREIGN) == [], url


def _serve(page: Page, url: str, answer: Answer) -> None:
    """Let a form's answer stand at an address of the console."""
    headers = {**answer.headers, "set-cookie": ""}

    def fulfill(route: Route) -> None:
        route.fulfill(status=answer.status, headers=headers, body=answer.body)

    page.route(url, fulfill)


@pytest.mark.parametrize(
    ("step", "most", "has_policy"),
    [
        pytest.param(8, 2, False, id="sample"),
        pytest.param(1, 30, False, id="all", marks=pytest.mark.long),
        pytest.param(1, 8, True, id="with the policies", marks=pytest.mark.long),
    ],
)
def test_nothing_runs_on_any_page(
    step: int, most: int, has_policy: bool, post: Post, browser: Browser
) -> None:
    texts = [text for text in payloads() if text.isprintable()][::step]
    with run_hostile(post, texts) as hostile:
        found = hostile.walk(most)
        answers = hostile.fill(found)
        assert {route_of(path) for path in found} == {path for way, path in ACCESS if way == "GET"}
        assert set(answers) == _FORMS
        console = hostile.newsroom.console
        page = _open(browser, console.url, hostile.owner.cookies, has_policy=has_policy)
        for path, answer in found.items():
            assert answer.status < 500, path
            if is_page(answer):
                _look(page, console.url + path)
        for path, answer in answers.items():
            assert answer.status < 500, path
            if is_page(answer):
                url = f"{console.url}/answered{path.replace('{', '').replace('}', '')}"
                _serve(page, url, answer)
                _look(page, url)
        page.context.close()
    print(f"{len(texts)} payloads, {len(found)} addresses, {len(answers)} forms")
