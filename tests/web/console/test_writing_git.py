"""A commit for each save: that file alone, by whoever saved it; and failures lose nothing."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.feed_server import write_rss
from tests.web.console.desks import DRAFT, run_desk, save, upload, version_in
from tests.web.console.site import Browser, Console
from tests.web.console.test_media import make


def git(folder: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        **{
            f"GIT_{role}_{what}": "x@x.example"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    done = subprocess.run(
        ("git", *arguments), cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Console]:
    sources = {"file": "wire.xml"}
    with run_desk(tmp_path, console={"git": True}, sources=sources) as console:
        git(tmp_path, "init", "--quiet")
        git(tmp_path, "add", "issues")
        git(tmp_path, "commit", "--quiet", "-m", "Begin")
        yield console


@pytest.fixture
def editor(desk: Console) -> Browser:
    desk.add("ada@daily.example", "editor", name="Ada <Lovelace>")
    browser = desk.browse()
    browser.log_in("ada@daily.example")
    return browser


def _commits(desk: Console) -> list[str]:
    return git(desk.folder, "log", "--format=%an <%ae> %s").splitlines()


def test_a_save_is_a_commit_of_that_file(desk: Console, editor: Browser) -> None:
    (desk.folder / "staged.txt").write_text("staged by somebody else")
    git(desk.folder, "add", "staged.txt")
    save(editor, DRAFT.replace("noon", "one"))
    assert _commits(desk)[0] == "Ada Lovelace <ada@daily.example> Issue saved: 2026-01-05"
    names = git(desk.folder, "show", "--name-only", "--format=").split()
    assert names == ["issues/2026-01-05.md"]
    assert git(desk.folder, "diff", "--cached", "--name-only").split() == ["staged.txt"]


def test_new_and_deleted_issues_are_commits(desk: Console, editor: Browser) -> None:
    editor.post("/new-issue", {"date": "2026-01-06"})
    assert _commits(desk)[0].endswith("Issue created: 2026-01-06")
    fields = {"version": version_in(editor.get("/issues/2026-01-06/delete"))}
    editor.post("/issues/2026-01-06/delete", fields)
    assert _commits(desk)[0].endswith("Issue deleted: 2026-01-06")
    assert git(desk.folder, "status", "--porcelain", "issues") == ""


def test_a_hook_that_refuses_is_said_and_the_save_stays(desk: Console, editor: Browser) -> None:
    hook = desk.folder / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not on <b>Mondays</b>' >&2\nexit 1\n")
    hook.chmod(0o755)
    changed = DRAFT.replace("noon", "one")
    save(editor, changed)
    assert (desk.folder / "issues" / "2026-01-05.md").read_text() == changed
    page = editor.get("/issues/2026-01-05/edit").text
    assert "git did not commit it: not on &lt;b&gt;Mondays&lt;/b&gt;" in page
    assert len(_commits(desk)) == 1


def test_a_folder_without_git_is_said_and_the_save_stays(tmp_path: Path) -> None:
    with run_desk(tmp_path, console={"git": True}) as desk:
        browser = desk.enter("editor")
        changed = DRAFT.replace("noon", "one")
        save(browser, changed)
        assert (tmp_path / "issues" / "2026-01-05.md").read_text() == changed
        assert "git did not commit it" in browser.get("/issues/2026-01-05/edit").text


def test_nothing_of_our_environment_reaches_hooks(
    desk: Console, editor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISHER_SMTP__PASSWORD", "secret")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    hook = desk.folder / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nenv > seen.txt\n")
    hook.chmod(0o755)
    save(editor, DRAFT.replace("noon", "one"))
    seen = (desk.folder / "seen.txt").read_text()
    assert "secret" not in seen
    assert len(_commits(desk)) == 2


def test_a_hook_that_does_not_end_is_ended_and_the_next_commit_goes_through(
    desk: Console, editor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.site.git._PATIENCE_SECONDS", 0.5)
    hook = desk.folder / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nsleep 60\n")
    hook.chmod(0o755)
    save(editor, DRAFT.replace("noon", "one"))
    assert "git took longer" in editor.get("/issues/2026-01-05/edit").text
    hook.unlink()
    monkeypatch.undo()
    save(editor, DRAFT.replace("noon", "two"))
    assert len(_commits(desk)) == 2


def test_an_image_is_a_commit(desk: Console, editor: Browser) -> None:
    upload(editor, "/media", {"alt": "A ship"}, ("ship.jpg", make("JPEG")))
    assert _commits(desk)[0].endswith("Image added: media/ship.jpg")


def test_a_draft_from_sources_is_a_commit_too(desk: Console, editor: Browser) -> None:
    (desk.folder / "wire.xml").write_bytes(write_rss("A ship"))
    form = {"date": "2026-01-06", "since": "36500d", "most": "10"}
    editor.post("/draft", form)
    by = "Ada Lovelace <ada@daily.example>"
    assert _commits(desk)[0] == f"{by} Issue drafted from sources: 2026-01-06"
    hook = desk.folder / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho no drafts >&2\nexit 1\n")
    hook.chmod(0o755)
    (desk.folder / "issues" / "2026-01-06.md").unlink()
    editor.post("/draft", form)
    assert "git did not commit it" in editor.get("/draft").text
