"""Two operators at once, and somebody with an editor of their own: nothing is ever lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.web.console.desks import DRAFT, run_desk, save, text_in, version_in
from tests.web.console.site import Browser, Console

EDIT = "/issues/2026-01-05/edit"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Console]:
    with run_desk(tmp_path) as console:
        yield console


def _file(desk: Console) -> Path:
    return desk.folder / "issues" / "2026-01-05.md"


def _enter(desk: Console, name: str) -> Browser:
    desk.add(f"{name}@daily.example", "editor")
    browser = desk.browse()
    assert browser.log_in(f"{name}@daily.example").status == 303
    return browser


def test_the_second_of_two_sees_both_and_chooses(desk: Console) -> None:
    ada, ben = _enter(desk, "ada"), _enter(desk, "ben")
    version = version_in(ada.get(EDIT))
    theirs, mine = DRAFT.replace("dawn", "six"), DRAFT.replace("night", "<ten>")
    assert save(ben, theirs, version=version).status == 303
    answer = save(ada, mine, version=version)
    assert answer.status == 409
    assert _file(desk).read_text() == theirs
    assert text_in(answer) == mine
    assert "It came in at six" in answer.text
    assert '<div class="added" dir="auto">+It came in at &lt;ten&gt;.</div>' in answer.text
    assert save(ada, mine, version=version_in(answer)).status == 303
    assert _file(desk).read_text() == mine


@pytest.mark.parametrize("act", ["save", "ready", "draft", "up-1"])
def test_a_file_that_vim_has_written_meanwhile_is_not_overwritten(desk: Console, act: str) -> None:
    ada = _enter(desk, "ada")
    version = version_in(ada.get(EDIT))
    theirs = DRAFT.replace("dawn", "six")
    aside = _file(desk).with_name("4913")  # as vim does: aside, and renamed
    aside.write_text(theirs)
    aside.replace(_file(desk))
    assert save(ada, DRAFT.replace("noon", "one"), act=act, version=version).status == 409
    assert _file(desk).read_text() == theirs


def test_of_many_at_once_one_is_saved_and_all_others_are_told(desk: Console) -> None:
    browsers = [_enter(desk, f"editor{number}") for number in range(4)]
    version = version_in(browsers[0].get(EDIT))
    texts = [DRAFT.replace("noon", f"{number} o'clock") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda b, t: save(b, t, version=version), browsers, texts))
    assert sorted(answer.status for answer in answers) == [303, 409, 409, 409]
    winner = next(at for at, answer in enumerate(answers) if answer.status == 303)
    assert _file(desk).read_text() == texts[winner]
    assert [path.name for path in _file(desk).parent.iterdir()] == ["2026-01-05.md"]


def test_a_file_that_is_gone_can_be_saved_again(desk: Console) -> None:
    ada = _enter(desk, "ada")
    version = version_in(ada.get(EDIT))
    _file(desk).unlink()
    mine = DRAFT.replace("noon", "one")
    answer = save(ada, mine, version=version)
    assert (answer.status, text_in(answer)) == (409, mine)
    fields = {"text": mine, "version": "", "path": "issues/2026-01-05.md", "act": "restore"}
    assert ada.post(EDIT, fields).status == 303
    assert _file(desk).read_text() == mine


def test_what_is_gone_is_not_written_elsewhere(desk: Console) -> None:
    ada = _enter(desk, "ada")
    for slug in ("..%2f..%2fx", "%2e%2e", "A", "x" * 65, "%00"):
        fields = {"text": "x", "version": "", "path": "../x.md", "act": "restore"}
        assert ada.post(f"/issues/{slug}/edit", fields).status in (400, 404), slug
    assert sorted(p.name for p in _file(desk).parent.iterdir()) == ["2026-01-05.md"]


def test_nothing_is_read_or_written_through_a_link(desk: Console, tmp_path: Path) -> None:
    ada = _enter(desk, "ada")
    secret = tmp_path / "secret.md"
    secret.write_text("secret")
    (desk.folder / "issues" / "linked.md").symlink_to(secret)
    for path in ("/issues/linked/edit", "/issues/linked", "/issues/linked/delete"):
        answer = ada.get(path)
        assert answer.status in (404, 503)
        assert "secret</textarea>" not in answer.text
    answer = ada.post("/issues/linked/edit", {"text": "x", "version": "*", "act": "save"})
    assert answer.status in (409, 503)
    assert secret.read_text() == "secret"


def test_a_folder_that_is_a_link_is_not_written_to(desk: Console, tmp_path: Path) -> None:
    ada = _enter(desk, "ada")
    elsewhere = tmp_path / "elsewhere"
    (desk.folder / "issues").rename(elsewhere)
    (desk.folder / "issues").symlink_to(elsewhere)
    answer = ada.post(EDIT, {"text": "x", "version": "*", "act": "save"})
    assert answer.status in (409, 503)
    assert ada.post("/new-issue", {"date": "2026-01-06"}).status in (422, 503)
    assert [p.name for p in elsewhere.iterdir()] == ["2026-01-05.md"]
    assert (elsewhere / "2026-01-05.md").read_text() == DRAFT


def test_a_version_of_any_kind_is_no_way_around(desk: Console) -> None:
    """The API takes `*`; a form always says what it came from."""
    ada = _enter(desk, "ada")
    version = version_in(ada.get(EDIT))
    for wrong in ("*", "", version[:-1], version.upper(), "x"):
        fields = {"text": "lost", "version": wrong, "act": "save"}
        assert ada.post(EDIT, fields).status == 409, wrong
    assert _file(desk).read_text() == DRAFT
