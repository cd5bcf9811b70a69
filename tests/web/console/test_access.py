"""The table of who may do what, held against every route that there is."""

import re

import pytest
from litestar.routes import HTTPRoute

from publisher.model.access import ROLES, Role, is_at_least
from publisher.web.console.access import ACCESS, API, COOKIELESS_KEY
from publisher.web.console.app import make_litestar
from publisher.web.console.desk import now_utc, open_desk
from tests.audience.readers import Readers
from tests.web.console.site import Browser, Console
from tests.web.public.site import Answer, make_settings

CLOSED = sorted((*route, least) for route, least in ACCESS.items() if least != "anybody")


def _path(template: str) -> str:
    """A path of a route: rows that are not there, so that nobody is removed meanwhile."""
    return re.sub(r"\{\w+\}", "987654321", template)


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], bool]:
    """Every method and path, and whether its handler knows no session."""
    readers = Readers(tmp_path_factory.mktemp("routes"))
    desk = open_desk(readers.folder, make_settings(), readers.database, print, now_utc)
    found = {
        (str(method), route.path_format): bool(handler.opt.get(COOKIELESS_KEY))
        for route in make_litestar(desk).routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    }
    readers.database.close()
    return found


def test_every_route_is_in_the_table_and_nothing_else(routes: dict[tuple[str, str], bool]) -> None:
    assert {each for each in routes if not each[1].startswith(f"{API}/")} == set(ACCESS)


def test_what_knows_no_session_is_the_api_or_open_to_anybody(
    routes: dict[tuple[str, str], bool],
) -> None:
    for (method, path), is_cookieless in routes.items():
        if path.startswith(f"{API}/"):
            assert is_cookieless, path
        elif is_cookieless:
            assert ACCESS[method, path] == "anybody", path


def test_only_those_may_who_may(console: Console) -> None:
    """Each role asks for everything; what is refused names the role that it takes."""
    for role in ROLES:
        browser = console.enter(role)
        token = browser.token
        for method, template, least in CLOSED:
            if template == "/logout":
                continue
            answer = _ask(browser, method, _path(template), token)
            is_refused = answer.status == 403
            assert is_refused == (not is_at_least(role, least)), (role, method, template, answer)
            assert answer.status < 500


def _ask(browser: Browser, method: str, path: str, token: str) -> Answer:
    if method == "GET":
        return browser.get(path)
    return browser.post(path, {"_csrf_token": token})


def test_nobody_is_asked_to_log_in_and_comes_back(console: Console) -> None:
    browser = console.browse()
    for method, template, _ in CLOSED:
        path = _path(template)
        if method == "GET":
            answer = browser.get(path)
            onward = f"?next={path}" if path != "/" else ""
            assert (answer.status, answer.headers["location"]) == (303, f"/login{onward}")
        else:
            assert browser.post(path).status == 401


@pytest.mark.parametrize("role", ROLES)
def test_the_navigation_leads_where_one_may_go(console: Console, role: Role) -> None:
    browser = console.enter(role)
    page = browser.get("/").text
    navigation = page.partition('aria-label="Console"')[2].partition("</nav>")[0]
    for path in re.findall(r'<a href="([^"]+)"', navigation):
        assert browser.get(path).status == 200, path
    assert ('href="/operators"' in page) == (role == "owner")


def test_a_role_that_changes_counts_from_the_next_request_on(console: Console) -> None:
    owner, other = console.enter("owner"), console.enter("editor")
    assert other.get("/audit").status == 403
    editor = console.find("editor@daily.example")
    assert owner.post(f"/operators/{editor}/role", {"role": "owner"}).status == 303
    assert other.get("/audit").status == 200
