"""Who may do what: every route with every sort of token."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from litestar.routes import HTTPRoute

from publisher.model.access import SCOPES, Role, Scope, is_at_least
from publisher.store.tokens import revoke_token
from publisher.web.api.access import ACCESS
from publisher.web.api.app import OPERATIONS, make_api
from publisher.web.api.operation import Operation, api_path
from publisher.web.console.desk import now_utc, open_desk
from tests.web.api.site import ALL, Program, enter, problem
from tests.web.console.site import Console

GUARDED = [each for each in OPERATIONS if ACCESS[(each.method, each.path)] != "anybody"]
OPEN = [each for each in OPERATIONS if each not in GUARDED]


def test_every_route_stands_in_the_table_and_the_other_way_round(console: Console) -> None:
    desk = open_desk(console.folder, console.settings, console.database, print, now_utc)
    routes = {
        (method, route.path_format)
        for route in make_api(desk).routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
        if method != "OPTIONS"
    }
    table = {(method, api_path(path).rstrip("/")) for method, path in ACCESS}
    assert routes == table
    assert set(ACCESS) == {(each.method, each.path) for each in OPERATIONS}


def test_every_scope_of_the_table_is_one_that_tokens_have() -> None:
    assert {scope for scope in ACCESS.values() if scope != "anybody"} == set(SCOPES) - {
        "metrics:read"
    }


def ask(program: Program, operation: Operation) -> tuple[int, str]:
    path = operation.path
    for name, value in (("issue", "none"), ("mailing", "none"), ("subscriber", "none")):
        path = path.replace(f"{{{name}}}", value)
    path = path.replace("{suppression}", "9").replace("{kind}", "changed")
    answer = program.ask(operation.method, path)
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return answer.status, problem(answer) if is_problem else ""


def test_what_needs_no_token_says_nothing_of_the_publication(console: Console) -> None:
    for operation in OPEN:
        assert ask(Program(console, "nothing"), operation)[0] == 200
    answer = console.ask("GET", api_path("/"))
    assert answer.status == 200
    assert "The Daily" not in answer.text


def test_no_route_is_open_without_a_token(console: Console) -> None:
    for operation in GUARDED:
        answer = console.ask(operation.method, api_path(operation.path))
        assert (answer.status, problem(answer)) == (401, "unauthenticated"), operation
        assert answer.headers["www-authenticate"] == 'Bearer realm="publisher"'


def test_a_token_opens_what_its_scope_is_for_and_nothing_else(console: Console) -> None:
    programs = {scope: enter(console, [scope], name=scope.replace(":", "-")) for scope in ALL}
    for operation in GUARDED:
        wanted = ACCESS[(operation.method, operation.path)]
        for scope, program in programs.items():
            status, kind = ask(program, operation)
            if scope == wanted:
                assert status not in (401, 403, 500), (operation, status)
            else:
                assert (status, kind) == (403, "forbidden"), (operation, scope)


@pytest.mark.parametrize("role", ["viewer", "editor", "sender", "owner"])
def test_a_token_can_do_no_more_than_its_operator(console: Console, role: Role) -> None:
    program = enter(console, role=role)
    for operation in GUARDED:
        scope: Scope = ACCESS[(operation.method, operation.path)]  # type: ignore[assignment]
        status, _ = ask(program, operation)
        assert (status == 403) is not is_at_least(role, SCOPES[scope]), (operation, status)


def test_a_revoked_token_opens_nothing(console: Console, program: Program) -> None:
    assert program.get("/issues") == {"issues": [], "next": None}
    with console.database.write() as connection:
        revoke_token(connection, console.database.publication, "program", datetime.now(UTC))
    for operation in GUARDED[:9]:
        assert ask(program, operation) == (401, "unauthenticated")


def test_an_expired_token_opens_nothing(console: Console) -> None:
    program = enter(console, lives=timedelta(hours=1))
    assert program.ask("GET", "/issues").status == 200
    console.clock.ahead = timedelta(hours=2)
    answer = program.ask("GET", "/issues")
    assert (answer.status, problem(answer)) == (401, "unauthenticated")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_tries_without_a_good_token_are_throttled_and_good_ones_are_not(
    console: Console, program: Program
) -> None:
    wrong = Program(console, "publisher_wrong")
    statuses = [wrong.ask("GET", "/issues").status for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    answer = wrong.ask("GET", "/issues")
    assert problem(answer) == "throttled"
    assert int(answer.headers["retry-after"]) > 0
    others = [Program(console, f"other-{n}").ask("GET", "/issues").status for n in range(30)]
    assert others[-1] == 429  # by client, whatever the tokens
    assert program.ask("GET", "/issues").status == 200


def test_cookies_open_nothing_and_no_other_origin_is_let_in(console: Console) -> None:
    browser = console.enter("owner")
    for operation in GUARDED:
        headers: dict[str, str | None] = {"Origin": console.url, "X-CSRFToken": browser.token}
        path = api_path(operation.path)
        assert browser.ask(operation.method, path, headers=headers).status == 401, operation
    answer = enter(console).ask("GET", "/issues", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["cache-control"] == "no-store"
    assert not answer.cookies


def test_a_tokens_use_is_noted_once_a_minute(console: Console, program: Program) -> None:
    def used() -> object:
        with console.database.read() as connection:
            return connection.exec_driver_sql("SELECT last_used_at FROM api_token").scalar()

    program.get("/issues")
    first = used()
    program.get("/issues")
    assert first is not None
    assert used() == first
    console.clock.ahead = timedelta(minutes=2)
    program.get("/issues")
    assert used() != first


def test_what_is_not_there_or_not_taken_is_a_problem(console: Console, program: Program) -> None:
    assert problem(program.ask("GET", "/nothing")) == "not-found"
    answer = program.ask("DELETE", "/issues")
    assert (answer.status, problem(answer)) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    answer = program.ask("OPTIONS", "/issues/none")
    assert (answer.status, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PUT")
    head = program.ask("HEAD", "/issues")
    assert (head.status, head.body) == (200, b"")


def test_forms_that_are_not_taken_are_problems(console: Console, program: Program) -> None:
    answer = program.ask("GET", "/issues", headers={"Accept": "text/html"})
    assert (answer.status, problem(answer)) == (406, "not-acceptable")
    for accept in ("application/*", "text/html, */*;q=0.1", "application/json;q=0.9"):
        assert program.ask("GET", "/issues", headers={"Accept": accept}).status == 200
    xml = {"Content-Type": "application/xml"}
    answer = program.ask("POST", "/subscribers", "<a/>", xml)
    assert (answer.status, problem(answer)) == (415, "unsupported-media-type")
    latin = {"Content-Type": "application/json; charset=latin-1"}
    assert program.ask("POST", "/subscribers", "{}", latin).status == 415
    as_json = {"Content-Type": "application/json"}
    answer = program.ask("POST", "/subscribers", b'{"email": "\xff"}', as_json)
    assert (answer.status, problem(answer)) == (400, "malformed")
    answer = program.ask("POST", "/subscribers", {"email": "a@b.example", "admin": True})
    assert (answer.status, problem(answer)) == (422, "invalid")
    assert "admin" in json.loads(answer.body)["detail"]
    answer = program.ask("POST", "/subscribers", {"email": "a@b.example", "name": "x" * 200_000})
    assert (answer.status, problem(answer)) == (413, "too-large")
    for query in (
        "?limit=0",
        "?limit=many",
        "?limit=5&limit=6",
        "?no=1",
        "?search=%ff",
        "?after=x",
    ):
        answer = program.ask("GET", f"/subscribers{query}")
        assert (answer.status, problem(answer)) == (400, "malformed"), query
