"""Issues by the API: nobody's change is lost, and nothing published goes unseen."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from publisher.site.build import build
from publisher.site.job import Job
from publisher.web.api.examples import FORMS
from tests.web.api.site import DIGEST, MARKDOWN, NAME, SOURCE, Program, enter, problem
from tests.web.console.site import Console, run_console

TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@pytest.mark.parametrize("media_type", FORMS)
def test_an_issue_is_made_from_every_form(
    console: Console, program: Program, media_type: str
) -> None:
    form = FORMS[media_type]
    body = json.dumps(form) if isinstance(form, dict) else form
    query = "?date=2025-12-15" if media_type == "text/plain" else ""
    answer = program.ask("POST", f"/issues{query}", body, {"Content-Type": media_type})
    assert answer.status == 201, answer
    made = json.loads(answer.body)
    assert answer.headers["location"] == f"/api/v1/issues/{NAME}"
    assert (console.folder / made["path"]).read_bytes().decode() == made["source"]
    assert [each["title"] for each in made["highlights"]] == ["Parcels on rails"]
    assert all(each["id"] for each in (made, *made["highlights"]))
    assert program.get(f"/issues/{NAME}") == made
    assert console.done()[0] == ("token program", "issue created", NAME)


def test_what_has_errors_is_refused_with_its_problems(console: Console, program: Program) -> None:
    for body, form in (
        ("1. Only a title\n", TEXT),
        ("---\ndate: someday\n---\n## T\n\nText.\n", MARKDOWN),
        ("{", {"Content-Type": "application/json"}),
    ):
        answer = program.ask("POST", "/issues", body, form)
        assert (answer.status, problem(answer)) == (422, "content"), body
        assert any(each["level"] == "error" for each in json.loads(answer.body)["problems"])
    assert list((console.folder / "issues").iterdir()) == []


def test_an_issue_is_never_written_over_by_making_one(console: Console, program: Program) -> None:
    program.add_issue()
    answer = program.ask("POST", f"/issues?name={NAME}", SOURCE, MARKDOWN)
    assert (answer.status, problem(answer)) == (409, "exists")
    answer = program.ask("POST", f"/issues?date={NAME}", DIGEST, TEXT)
    assert (answer.status, problem(answer)) == (409, "exists")


@pytest.mark.parametrize(
    "query", ["?name=..%2Fx", "?name=UPPER", "?date=2025-12-15", "?ready=true"]
)
def test_a_name_is_none_that_leads_elsewhere(program: Program, query: str) -> None:
    answer = program.ask("POST", f"/issues{query}", SOURCE, MARKDOWN)
    assert (answer.status, problem(answer)) == (422, "invalid")


def test_a_change_names_the_version_that_was_looked_at(console: Console, program: Program) -> None:
    etag = program.add_issue()
    longer = SOURCE.replace("at night", "by day")
    assert (
        problem(program.ask("PUT", f"/issues/{NAME}", longer, MARKDOWN)) == "precondition-required"
    )
    changed = program.ask("PUT", f"/issues/{NAME}", longer, MARKDOWN | {"If-Match": etag})
    assert changed.status == 200
    answer = program.ask("PUT", f"/issues/{NAME}", SOURCE, MARKDOWN | {"If-Match": etag})
    assert (answer.status, problem(answer)) == (412, "changed")
    path = console.folder / "issues" / f"{NAME}.md"
    path.write_text(path.read_text() + "\nSomebody's own line.\n")
    answer = program.ask("DELETE", f"/issues/{NAME}", headers={"If-Match": changed.headers["etag"]})
    assert (answer.status, problem(answer)) == (412, "changed")
    assert "Somebody's own line." in path.read_text()


def test_of_many_changes_at_once_one_is_made(program: Program) -> None:
    etag = program.add_issue()

    def change(number: int) -> int:
        body = SOURCE.replace("at night", f"at {number}")
        headers = MARKDOWN | {"If-Match": etag}
        return program.ask("PUT", f"/issues/{NAME}", body, headers).status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(change, range(8)))
    assert statuses == [200] + [412] * 7


def test_ids_stay_where_a_new_text_has_none(program: Program) -> None:
    etag = program.add_issue()
    before = program.get(f"/issues/{NAME}")
    more = SOURCE + "\n## Another\n\nMore text.\n"
    for body, form in ((more, MARKDOWN), (DIGEST, TEXT)):
        answer = program.ask("PUT", f"/issues/{NAME}", body, form | {"If-Match": etag})
        after, etag = json.loads(answer.body), answer.headers["etag"]
        assert after["id"] == before["id"]
        assert after["highlights"][0]["id"] == before["highlights"][0]["id"]
        assert after["status"] == "ready"


def test_another_form_takes_the_files_place(console: Console, program: Program) -> None:
    etag = program.add_issue()
    headers = {"Content-Type": "application/json", "If-Match": etag}
    answer = program.ask("PUT", f"/issues/{NAME}", json.dumps(FORMS["application/json"]), headers)
    assert answer.status == 200, answer
    names = sorted(path.name for path in (console.folder / "issues").iterdir())
    assert names == [f"{NAME}.json"]


def test_a_draft_is_marked_ready_and_nothing_else_of_it_changes(
    console: Console, program: Program
) -> None:
    etag = program.add_issue(SOURCE.replace("ready", "draft"))
    before = program.get(f"/issues/{NAME}")["source"]
    answer = program.ask("POST", f"/issues/{NAME}/ready", headers={"If-Match": etag})
    assert json.loads(answer.body)["source"] == before.replace("status: draft", "status: ready")
    assert console.done()[0] == ("token program", "issue marked ready", NAME)


def test_only_drafts_that_nobody_knows_are_removed(console: Console, program: Program) -> None:
    etag = program.add_issue()
    answer = program.ask("DELETE", f"/issues/{NAME}", headers={"If-Match": etag})
    assert (answer.status, problem(answer)) == (409, "conflict")  # it is ready
    folder = console.folder
    now = console.clock()
    build(Job(folder=folder, settings=console.settings, output=folder / "public", now=now))
    draft = program.get(f"/issues/{NAME}")["source"].replace("ready", "draft")
    headers = MARKDOWN | {"If-Match": etag}
    etag = program.ask("PUT", f"/issues/{NAME}", draft, headers).headers["etag"]
    answer = program.ask("DELETE", f"/issues/{NAME}", headers={"If-Match": etag})
    assert (answer.status, problem(answer)) == (409, "conflict")  # it was published
    etag = program.add_issue(SOURCE.replace("ready", "draft").replace("15T", "16T"), "2025-12-16")
    assert program.ask("DELETE", "/issues/2025-12-16", headers={"If-Match": etag}).status == 204
    assert program.ask("GET", "/issues/2025-12-16").status == 404


def test_check_finds_what_the_command_finds(program: Program) -> None:
    program.add_issue(SOURCE + "\n![](media/none.png)\n")
    of_one = program.get(f"/issues/{NAME}/check")["problems"]
    of_all = program.get("/check")["problems"]
    assert {each["file"] for each in of_one} == {f"issues/{NAME}.md"}
    assert len(of_all) > len(of_one)


def test_changes_are_committed_where_that_is_set(tmp_path: Path) -> None:
    (tmp_path / "issues").mkdir()
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    with run_console(tmp_path, console={"git": True}) as console:
        enter(console).add_issue()
    log = subprocess.run(
        ["git", "-C", tmp_path, "log", "--format=%an|%s"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert log.stdout.strip() == f"token program|Issue created: {NAME}"
