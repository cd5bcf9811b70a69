"""One console of several publications: one form, one list, and everything else apart."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from publisher.runtime.inviting import ON_COMMAND_LINE, make_token
from publisher.web.console import publications
from publisher.web.console.access import ACCESS
from publisher.web.console.desk import now_utc, open_desk
from publisher.web.console.frames import make_key
from publisher.web.console.throttle import PER_ACCOUNT
from tests.runtime.running import wait_until
from tests.web.console.several import Guest, Several, run_several

ANN = "ann@desk.example"
BEN = "ben@desk.example"
_LINK = re.compile(r'(?:href|src|action|formaction|data-plan|data-progress|data-preview)="([^"]*)"')


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    """The daily, whose owner is Ann, who writes for the weekly; the monthly knows Ben alone."""
    with run_several(tmp_path_factory.mktemp("several"), "daily", "weekly", "monthly") as several:
        several["daily"].add(ANN, "owner")
        several["weekly"].add(ANN, "editor")
        several["monthly"].add(BEN, "owner")
        yield several


@pytest.fixture(scope="module")
def ann(several: Several) -> Guest:
    guest = several.guest()
    assert guest.log_in(ANN).headers["location"] == "/"
    return guest


def make_secret(several: Several, name: str) -> str:
    console = several[name]
    with console.database.write() as connection:
        return make_token(
            connection,
            console.database.publication,
            name=f"probe {time.monotonic_ns()}",
            scopes=("metrics:read", "issues:read", "subscribers:read"),
            operator=None,
            actor=ON_COMMAND_LINE,
            now=now_utc(),
            expires_at=None,
        )


def test_one_login_leads_to_where_one_has_a_role(several: Several, ann: Guest) -> None:
    page = ann.get("/").text
    assert 'href="/daily/"' in page
    assert "The Weekly" in page
    assert "editor" in page
    assert "onthly" not in page
    assert "Nothing can be sent yet" in page
    assert ann.get("/daily/operators").status == 200
    assert ann.get("/weekly/operators").status == 403
    assert ann.get("/monthly/").headers["location"] == "/monthly/login"
    header = ann.get("/weekly/").text.partition("</header>")[0]
    assert 'href="/daily/"' in header
    assert 'href="/"' in header
    assert "onthly" not in header


def test_who_is_not_logged_in_comes_back_to_where_they_went(several: Several) -> None:
    guest = several.guest()
    asked = guest.get("/weekly/issues?q=x").headers["location"]
    form = guest.get(asked).headers["location"]
    assert form == "/login?next=/weekly/issues%3Fq%3Dx"
    assert 'value="/weekly/issues?q=x"' in guest.get(form).text
    answer = guest.log_in(ANN, onward="/weekly/issues?q=x")
    assert answer.headers["location"] == "/weekly/issues?q=x"
    assert guest.log_in(ANN, onward="/monthly/issues").headers["location"] == "/"
    assert guest.log_in(ANN, onward="//evil.example/").headers["location"] == "/"
    assert guest.get("/daily").headers["location"] == "/daily/"
    assert guest.get("/weekly/login/").headers["location"] == "/login?next=/weekly/"


def test_an_account_elsewhere_is_another_one(several: Several) -> None:
    guest = several.guest()
    several["daily"].add("two@desk.example", "viewer")
    path = several["weekly"].invite("two@desk.example")
    welcome = Guest(several, "weekly")
    token = re.search(r'_csrf_token" value="(\w+)"', welcome.get(f"/weekly{path}").text)
    assert token
    fields = {"_csrf_token": token[1], "name": "", "password": "another long password"}
    answer = welcome.post(f"/weekly{path}", fields)
    assert answer.headers["location"] == "/weekly/"
    assert welcome.get("/weekly/account").status == 200
    assert welcome.get("/daily/account").status == 303
    assert guest.log_in("two@desk.example").status == 303
    assert guest.get("/daily/account").status == 200
    assert guest.get("/weekly/account").status == 303
    # The other password is for the other one, and the first session goes on.
    guest.log_in("two@desk.example", "another long password")
    assert [guest.get(f"/{name}/account").status for name in ("daily", "weekly")] == [200, 200]
    # Somebody else in the same browser is nobody there before.
    guest.log_in(BEN)
    statuses = [guest.get(f"/{name}/account").status for name in ("daily", "weekly", "monthly")]
    assert statuses == [303, 303, 200]


@pytest.mark.parametrize(
    ("root", "path"), [("", "/logout"), ("daily", "/logout"), ("daily", "/logout/")]
)
def test_logging_out_anywhere_ends_all(several: Several, root: str, path: str) -> None:
    guest = several.guest()
    guest.log_in(ANN)
    kept = dict(guest.cookies)
    here = guest.at(root)
    assert here.post(f"{here.root}{path}").status == 303
    assert guest.get("/").headers["location"] == "/login"
    guest.cookies.update(kept)
    assert guest.get("/daily/").status == guest.get("/weekly/").status == 303
    assert ("operator logged out" in [each.action for each in several["weekly"].deeds()]) is True


def test_tries_are_counted_over_all(several: Several) -> None:
    guest = several.guest()
    several["daily"].add("eve@desk.example", "viewer")
    several["weekly"].add("eve@desk.example", "viewer")
    for _ in range(PER_ACCOUNT):
        assert guest.log_in("eve@desk.example", "wrong").status == 422
    assert guest.log_in("eve@desk.example").status == 429
    for name in ("daily", "weekly"):
        assert ("eve@desk.example", "operator locked", "") in several[name].done()


def test_a_page_of_another_site_changes_nothing(several: Several) -> None:
    guest = several.guest()
    guest.log_in(ANN)
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    token = {"_csrf_token": guest.token}
    assert guest.post("/logout", token, foreign).status == 403
    assert guest.post("/login", {**token, "email": BEN}, foreign).status == 403
    assert guest.post("/logout", {"_csrf_token": "0"}).status == 403
    assert guest.get("/daily/account").status == 200


def _steal(several: Several, guest: Guest, name: str) -> Guest:
    """A browser with somebody's cookies, called as another publication would have them."""
    thief = Guest(several, name)
    desks = {}
    for each in ("daily", name):
        console = several[each]
        desk = open_desk(console.folder, console.settings, console.database, print, now_utc)
        desks[each] = desk.cookie
        desk.close()
    for key, value in guest.cookies.items():
        thief.cookies[key] = value
        thief.cookies[key.replace(desks["daily"], desks[name])] = value
    return thief


def _path(template: str) -> str:
    return re.sub(r"\{\w+\}", "1", template)


def test_an_operator_of_one_reaches_nothing_of_another(several: Several, ann: Guest) -> None:
    """Ann is an owner of the daily: her session, forms and cookies at every route of Ben's."""
    monthly = several["monthly"]
    monthly.add("victim@desk.example", "viewer")
    before = monthly.state()
    own_token = ann.at("daily").token
    for guest in (ann, _steal(several, ann, "monthly")):
        for (method, template), least in ACCESS.items():
            if template in ("/login", "/logout", "/healthz", "/metrics", "/assets/{name}"):
                continue
            path = f"/monthly{_path(template)}"
            if method == "GET":
                answer = guest.get(path)
            else:
                answer = guest.post(path, {"_csrf_token": own_token})
            closed = (303, 401, 403, 404)
            assert answer.status in closed, (method, path, answer)
            if answer.status == 303:
                assert answer.headers["location"].startswith("/monthly/login"), path
            assert least == "anybody" or "victim@desk.example" not in answer.text
    assert monthly.state() == before


def test_tokens_keys_and_links_of_one_open_nothing_of_another(several: Several) -> None:
    secret = {"Authorization": f"Bearer {make_secret(several, 'daily')}"}
    paths = ("issues", "subscribers", "mailings", "schedules", "suppressions")
    assert several.ask("GET", "/daily/api/v1/issues", headers=secret).status == 200
    for path in paths:
        answer = several.ask("GET", f"/monthly/api/v1/{path}", headers=secret)
        assert answer.status == 401, path
    console = several["daily"]
    (console.folder / "media" / "a.png").write_bytes(b"\x89PNG")
    (several["monthly"].folder / "media" / "a.png").write_bytes(b"\x89PNG")
    desk = open_desk(console.folder, console.settings, console.database, print, now_utc)
    key = make_key(desk)
    desk.close()
    assert several.get(f"/monthly/frames/{key}/media/a.png").status == 404
    welcome = several["daily"].invite("new@desk.example")
    assert several.get(f"/daily{welcome}").status == 200
    assert several.get(f"/monthly{welcome}").status == 404
    assert several.get(welcome).status == 404


def test_metrics_of_all_are_of_those_that_a_token_is_for(several: Several) -> None:
    assert several.get("/metrics").status == 401
    secret = {"Authorization": f"Bearer {make_secret(several, 'weekly')}"}
    text = several.ask("GET", "/metrics", headers=secret).text
    assert 'publisher_deliveries_in_doubt{publication="weekly"} 0' in text
    assert "daily" not in text
    assert "monthly" not in text
    assert text.count("# TYPE publisher_deliveries_in_doubt ") == 1
    assert several.ask("GET", "/weekly/metrics", headers=secret).status == 200
    assert several.ask("GET", "/daily/metrics", headers=secret).status == 401


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value


def test_every_address_is_at_the_publications_place(several: Several, ann: Guest) -> None:
    """All pages that links lead to from the home page, and the API: nothing leads elsewhere."""
    waiting, seen = ["/daily/"], set()
    others = {"/", "/weekly/"}
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = ann.get(path)
        assert answer.status == 200, path
        if "html" not in answer.headers["content-type"]:
            continue
        for link in _LINK.findall(answer.text):
            assert link.startswith(("/daily/", "#", "?", "http", "data:")) or link in others, link
        pages = re.findall(r'<(?:a|iframe)\b[^>]*(?:href|src)="(/daily/[^"#]*)', answer.text)
        waiting += [each for each in set(pages) if each not in seen and each not in waiting]
    assert len(seen) > 20
    secret = {"Authorization": f"Bearer {make_secret(several, 'daily')}"}
    for path in ("", "openapi.json", "issues", "subscribers"):
        answer = several.ask("GET", f"/daily/api/v1/{path}", headers=secret)
        for text in _strings(json.loads(answer.body).get("links", {})):
            assert text.startswith("/daily/api/v1/"), text
    kinds = several.ask("GET", "/api/v1/problems/changed")
    assert json.loads(kinds.body)["type"] == "/api/v1/problems/changed"
    live = ann.at("daily").post(
        "/daily/issues/2026-01-05/preview",
        {"text": "---\ntitle: A\n---\n\n## B\n\nC\n", "view": "page"},
    )
    assert json.loads(live.body)["frame"].startswith("/daily/issues/")


def test_one_that_cannot_be_opened_keeps_no_other_from_its_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publications, "_AGAIN", 0.1)
    with run_several(tmp_path, "daily", "weekly", faults={"weekly": "it is locked"}) as several:
        several["daily"].add(ANN, "owner")
        several["weekly"].add(ANN, "owner")
        guest = several.guest()
        guest.log_in(ANN)
        assert guest.get("/daily/").status == 200
        assert guest.get("/weekly/").status == guest.get("/weekly/issues").status == 503
        assert guest.at("daily").post("/weekly/logout").status == 503
        assert "Not every publication can be opened" in guest.get("/").text
        assert "weekly: does not answer" in several.get("/healthz").text
        assert several.get("/healthz").status == 200
        several.faults.clear()
        wait_until(lambda: several.get("/weekly/healthz").status == 200, "it is opened")
        guest.log_in(ANN)
        assert "The Weekly" in guest.get("/").text


@pytest.mark.long
def test_a_locked_database_keeps_no_other_waiting(tmp_path: Path) -> None:
    with run_several(tmp_path, "daily", "weekly", patience=5.0) as several:
        for name in ("daily", "weekly"):
            several[name].add(ANN, "owner")
        guest = several.guest()
        with several["weekly"].database.write():
            assert guest.log_in(ANN).status == 303
            assert guest.get("/daily/").status == 200
            assert "The Daily" in guest.get("/").text
