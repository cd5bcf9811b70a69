"""Changes that nobody meant: without a form's token, and from pages of other sites."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from publisher.web.console.access import ACCESS
from tests.web.console.site import PASSWORD, Browser, Console, run_console
from tests.web.public.site import Answer

# Hooks are for programs, which prove who they are in other ways.
UNSAFE = sorted(
    path for method, path in ACCESS if method != "GET" and not path.startswith("/hooks/")
)

Attack = Callable[[Browser, str, dict[str, str]], Answer]


def _without_token(browser: Browser, path: str, fields: dict[str, str]) -> Answer:
    return browser.post(path, fields | {"_csrf_token": ""})


def _with_anothers_token(browser: Browser, path: str, fields: dict[str, str]) -> Answer:
    other = Browser(browser.client).token
    return browser.post(path, fields | {"_csrf_token": other})


def _from(**headers: str | None) -> Attack:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda browser, path, fields: browser.post(path, fields, sent)


def _as_json(browser: Browser, path: str, fields: dict[str, str]) -> Answer:
    body = urlencode(fields | {"_csrf_token": browser.token}).encode()
    return browser.ask("POST", path, body, {"Content-Type": "text/plain"})


ATTACKS: dict[str, Attack] = {
    "without a token": _without_token,
    "another's token": _with_anothers_token,
    "a foreign origin": _from(Origin="https://evil.example"),
    "an origin of nobody's": _from(Origin="null"),
    "another port": _from(Origin="http://127.0.0.1:1"),
    "no origin, across sites": _from(Origin=None, Sec_Fetch_Site="cross-site"),
    "no origin, of the same site": _from(Origin=None, Sec_Fetch_Site="same-site"),
    "our origin, across sites": _from(Sec_Fetch_Site="cross-site"),
    "no form": _as_json,
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with run_console(tmp_path_factory.mktemp("forms")) as console:
        yield console.enter("owner")


@pytest.mark.parametrize("template", UNSAFE)
def test_it_is_refused_and_changes_nothing(browser: Browser, template: str) -> None:
    console = browser.client
    assert isinstance(console, Console)
    path = _path(template, console)
    fields = {"email": "owner@daily.example", "password": PASSWORD, "role": "viewer", "name": "x"}
    sender = console.browse() if template in ("/login", "/welcome/{token}") else browser
    before = console.state()
    for name, attack in ATTACKS.items():
        assert attack(sender, path, fields).status == 403, name
        assert console.state() == before, name
    assert browser.is_inside


def _path(template: str, console: Console) -> str:
    """A path at which there would be something to change, where that is easily had."""
    operator = str(console.find("owner@daily.example"))
    path = template.replace("{operator}", operator)
    if template.startswith("/welcome/"):
        path = path.replace("{token}", _token(console))
    return re.sub(r"\{\w+\}", "1", path)


def _token(console: Console) -> str:
    return console.invite("mallory@daily.example").removeprefix("/welcome/")


def test_a_browser_that_sends_no_origin_may(tmp_path: Path) -> None:
    """Old ones; and the token is a page's own."""
    with run_console(tmp_path) as console:
        browser = console.enter("viewer")
        plain: dict[str, str | None] = {"Origin": None, "Sec-Fetch-Site": None}
        assert browser.post("/account/name", {"name": "Ada"}, plain).status == 303


def test_behind_a_proxy_the_consoles_url_is_ours(tmp_path: Path) -> None:
    with run_console(tmp_path, console={"url": "https://Desk.daily.example:443"}) as console:
        console.add("anna@daily.example")
        browser = console.browse()
        fields = {"email": "anna@daily.example", "password": PASSWORD}
        sent: dict[str, str | None] = {"Origin": "https://desk.daily.example"}
        assert browser.post("/login", fields, sent).status == 303


def test_a_page_that_is_too_old_says_so_and_the_next_one_works(console: Console) -> None:
    """The cookie of a form's token that this database never signed, after a restore for example."""
    browser = console.enter("viewer")
    name = next(name for name in browser.cookies if name.endswith("-form"))
    browser.cookies[name] = "0" * 128
    answer = browser.post("/account/name", {"name": "Ada"})
    assert answer.status == 403
    assert "load the page again" in " ".join(answer.text.split())
    assert browser.post("/account/name", {"name": "Ada"}).status == 303
