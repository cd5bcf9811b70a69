"""Pages that hold while rows come and go."""

import json
from urllib.parse import urlsplit

import pytest

from tests.web.api.site import MARKDOWN, SOURCE, Program, problem
from tests.web.console.site import Console


def follow(program: Program, path: str, name: str, key: str, between: object = None) -> list[str]:
    """All that a list has, by its links; `between` is called after each page."""
    found: list[str] = []
    while path:
        answer = program.ask("GET", path)
        assert answer.status == 200, answer
        body = json.loads(answer.body)
        found += [str(row[key]) for row in body[name]]
        link = answer.headers.get("link", "")
        path = link.partition(">")[0].removeprefix("</api/v1") if link else ""
        assert bool(path) is (body["next"] is not None)
        if path:
            assert link.endswith('; rel="next"')
            assert urlsplit(path).query
        if callable(between):
            between()
    return found


def add(program: Program, number: int) -> str:
    body = {"email": f"reader-{number:03}@daily.example"}
    return str(program.post("/subscribers", body, status=201)["subscriber"])


@pytest.mark.parametrize("limit", [1, 3, 12, 13])
def test_every_page_is_there(program: Program, limit: int) -> None:
    refs = [add(program, number) for number in range(12)]
    assert follow(program, f"/subscribers?limit={limit}", "subscribers", "subscriber") == refs


def test_readers_who_stay_are_neither_skipped_nor_repeated(program: Program) -> None:
    refs = [add(program, number) for number in range(20)]
    leaving, coming = iter(refs[::3]), iter(range(100, 200))

    def change() -> None:
        if ref := next(leaving, None):
            assert program.ask("DELETE", f"/subscribers/{ref}").status == 204
        add(program, next(coming))

    found = follow(program, "/subscribers?limit=4", "subscribers", "subscriber", change)
    assert len(found) == len(set(found))
    staying = [ref for ref in refs if ref not in refs[::3]]
    assert [ref for ref in found if ref in staying] == staying


def test_issues_and_suppressions_hold_too(console: Console, program: Program) -> None:
    def add_both(day: int) -> None:
        name = f"2025-11-{day:02}"
        source = SOURCE.replace("2025-12-15", name)
        assert program.ask("POST", f"/issues?name={name}", source, MARKDOWN).status == 201
        program.post("/suppressions", {"email": f"r{day}@daily.example"}, status=201)

    for day in range(1, 8):
        add_both(day)
    coming = iter(range(20, 31))
    names = follow(program, "/issues?limit=2", "issues", "issue", lambda: add_both(next(coming)))
    assert names == [f"2025-11-{day:02}" for day in range(7, 0, -1)]
    path = "/suppressions?limit=2&reason=operator"
    ids = follow(program, path, "suppressions", "suppression")
    assert ids == sorted(ids, key=int, reverse=True)
    assert len(ids) == len(set(ids)) == 11


def test_a_cursor_is_for_its_own_list_and_filters(program: Program) -> None:
    for number in range(3):
        add(program, number)
    cursor = program.get("/subscribers?limit=1&search=reader")["next"]
    assert program.get(f"/subscribers?limit=2&search=reader&after={cursor}")["next"] is None
    for path in (
        f"/subscribers?after={cursor}",
        f"/subscribers?search=other&after={cursor}",
        f"/suppressions?after={cursor}",
        f"/subscribers?search=reader&after={cursor[:-2]}AA",
        "/subscribers?after=MQ==",
    ):
        answer = program.ask("GET", path)
        assert (answer.status, problem(answer)) == (400, "malformed"), path
