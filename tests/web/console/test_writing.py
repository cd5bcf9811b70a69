"""Writing: issues are listed, pasted, edited, moved and marked ready, each in its own file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher.site.build import build
from publisher.site.job import Job
from tests.web.console.desks import DIGEST, DRAFT, run_desk, save, text_in, tidy, upload, version_in
from tests.web.console.site import Browser, Console


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with run_desk(tmp_path_factory.mktemp("desk")) as console:
        yield console


@pytest.fixture(scope="module")
def editor(shared: Console) -> Browser:
    return shared.enter("editor")


@pytest.fixture
def desk(shared: Console) -> Console:
    tidy(shared)
    return shared


def _file(desk: Console, name: str = "2026-01-05.md") -> Path:
    return desk.folder / "issues" / name


def test_an_issue_is_edited_in_its_file(desk: Console, editor: Browser) -> None:
    assert text_in(editor.get("/issues/2026-01-05/edit")) == DRAFT
    changed = DRAFT.replace("oranges", "lemons & <limes>")
    assert save(editor, changed).status == 303
    assert _file(desk).read_text() == changed
    page = editor.get("/issues/2026-01-05/edit")
    assert "Saved." in page.text
    assert text_in(page) == changed
    assert desk.done()[0] == ("editor@daily.example", "issue saved", "2026-01-05")


def test_what_was_not_changed_is_not_written(desk: Console, editor: Browser) -> None:
    before, deeds = _file(desk).stat(), desk.deeds()
    assert save(editor, DRAFT).status == 303
    assert _file(desk).stat().st_mtime_ns == before.st_mtime_ns
    assert desk.deeds() == deeds


def test_line_ends_and_the_mark_at_the_beginning_stay(desk: Console, editor: Browser) -> None:
    _file(desk).write_bytes(b"\xef\xbb\xbf" + DRAFT.replace("\n", "\r\n").encode())
    save(editor, DRAFT.replace("noon", "one"))
    expected = DRAFT.replace("noon", "one").replace("\n", "\r\n").encode()
    assert _file(desk).read_bytes() == b"\xef\xbb\xbf" + expected


def test_saving_gives_new_highlights_their_ids(desk: Console, editor: Browser) -> None:
    save(editor, f"{DRAFT}\n## A fourth ship\n\nIt is late.\n")
    written = _file(desk).read_text()
    assert written.startswith(DRAFT)
    assert "## A fourth ship {#" in written


def test_a_highlight_moves_as_the_text_that_it_is(desk: Console, editor: Browser) -> None:
    assert save(editor, DRAFT, act="down-0").status == 303
    first = DRAFT[DRAFT.index("## [The first") : DRAFT.index("## The second")]
    second = DRAFT[DRAFT.index("## The second") : DRAFT.index("## The third")]
    assert _file(desk).read_text() == DRAFT.replace(first + second, second + first)
    assert save(editor, _file(desk).read_text(), act="up-1").status == 303
    assert _file(desk).read_text() == DRAFT
    assert save(editor, DRAFT, act="down-2").status == 422
    assert save(editor, DRAFT, act="up-0").status == 422
    assert save(editor, DRAFT, act="sideways").status == 404


def test_what_hangs_together_is_not_torn(desk: Console, editor: Browser) -> None:
    """An open code block swallows all that comes behind it."""
    text = DRAFT + "\n```\nopen\n"
    answer = save(editor, text, act="up-2")
    assert answer.status == 422
    assert "not moved" in answer.text
    assert _file(desk).read_text() == DRAFT
    assert text_in(answer) == text


def test_ready_and_a_draft_again(desk: Console, editor: Browser) -> None:
    assert save(editor, DRAFT, act="ready").status == 303
    assert _file(desk).read_text() == DRAFT.replace("status: draft", "status: ready")
    save(editor, _file(desk).read_text(), act="draft")
    assert _file(desk).read_text() == DRAFT
    actions = [action for _, action, _ in desk.done()]
    assert actions[:2] == ["issue made draft", "issue marked ready"]


def test_what_comes_of_ready_is_said(desk: Console, editor: Browser) -> None:
    save(editor, DRAFT, act="ready")
    assert "Mail goes out when Send is pressed" in editor.get("/issues/2026-01-05/edit").text
    tidy(desk)
    save(editor, DRAFT.replace("date: 2026", "date: 2099"), act="ready")
    assert "when its day has come" in editor.get("/issues/2026-01-05/edit").text


def test_a_draft_with_errors_does_not_look_saved_and_well(desk: Console, editor: Browser) -> None:
    save(editor, DRAFT.replace("status: draft", "status: reddy"))
    page = editor.get("/issues/2026-01-05/edit").text
    assert "Saved, with errors: it cannot be marked ready until they are mended." in page


def test_with_errors_it_is_saved_but_not_marked_ready(desk: Console, editor: Browser) -> None:
    broken = DRAFT.replace("2026-01-05T07:00:00+01:00", "Monday")
    answer = save(editor, broken, act="ready")
    assert answer.status == 422
    assert "not marked ready" in answer.text
    assert _file(desk).read_text() == broken


def test_checking_writes_nothing_and_names_lines(desk: Console, editor: Browser) -> None:
    answer = save(
        editor, DRAFT.replace("https://wire.example/ship", "javascript:alert(1)"), act="check"
    )
    assert answer.status == 200
    assert 'data-line="10"' in answer.text
    assert "javascript:" in text_in(answer)
    assert _file(desk).read_text() == DRAFT


def test_a_file_that_cannot_be_read_as_an_issue_can_be_mended(
    desk: Console, editor: Browser
) -> None:
    _file(desk).write_text("---\ntitle: [\n---\n\n## x\n\ny\n")
    page = editor.get("/issues/2026-01-05/edit")
    assert page.status == 200
    assert save(editor, DRAFT).status == 303
    assert _file(desk).read_text() == DRAFT
    _file(desk).write_bytes(b"\xff\xfe\x00binary")
    answer = editor.get("/issues/2026-01-05/edit")
    assert (answer.status, "cannot be edited here" in answer.text) == (200, True)
    assert editor.get("/issues/2026-01-05").status == 200


def test_yaml_and_json_are_edited_as_they_are(desk: Console, editor: Browser) -> None:
    for name, text in (
        (
            "a.yaml",
            "id: aaa\ntitle: One\ndate: 2026-01-06\n"
            "highlights:\n- id: bbb\n  title: T\n  body: B\n",
        ),
        (
            "b.json",
            '{"id": "ccc", "title": "Two", "date": "2026-01-07T00:00:00Z",'
            ' "highlights": [{"id": "ddd", "title": "T", "body": "B"}]}\n',
        ),
    ):
        _file(desk, name).write_text(text)
        slug = name.partition(".")[0]
        assert text_in(editor.get(f"/issues/{slug}/edit")) == text
        assert save(editor, text.replace("B", "Body"), name=slug).status == 303
        assert _file(desk, name).read_text() == text.replace("B", "Body")


def test_a_draft_that_nobody_saw_is_deleted(desk: Console, editor: Browser) -> None:
    page = editor.get("/issues/2026-01-05/delete")
    assert "highlights" in page.text
    fields = {"version": version_in(page)}
    save(editor, DRAFT.replace("noon", "one"))
    assert editor.post("/issues/2026-01-05/delete", fields).headers["location"].endswith("/edit")
    assert _file(desk).exists()
    fields = {"version": version_in(editor.get("/issues/2026-01-05/delete"))}
    assert editor.post("/issues/2026-01-05/delete", fields).headers["location"] == "/issues"
    assert not _file(desk).exists()
    assert editor.get("/issues/2026-01-05/edit").status == 404


def test_what_was_published_is_not_deleted(desk: Console, editor: Browser) -> None:
    line = (
        '{"id":"hx2c9mrd4p","kind":"highlight","published":"2026-01-05T06:00:01Z",'
        '"updated":"2026-01-05T06:00:01Z","hash":"x"}\n'
    )
    _file(desk, "register.jsonl").write_text(line)
    fields = {"version": version_in(editor.get("/issues/2026-01-05/delete"))}
    editor.post("/issues/2026-01-05/delete", fields)
    assert _file(desk).exists()
    assert "was published" in editor.get("/issues").text


def test_what_was_published_is_no_draft_again(desk: Console, editor: Browser) -> None:
    """Readers would miss it, and no build would go through."""
    text = DRAFT.replace("status: draft", "status: ready")
    _file(desk).write_text(text)
    now = desk.clock()
    build(Job(folder=desk.folder, settings=desk.settings, output=desk.folder / "public", now=now))
    assert ">Published<" in editor.get("/issues").text
    answer = save(editor, text.replace("noon", "one"), act="draft")
    assert (answer.status, "cannot be a draft again" in answer.text) == (422, True)
    assert _file(desk).read_text() == text


def test_a_new_issue_takes_the_next_free_day(desk: Console, editor: Browser) -> None:
    assert editor.post("/new-issue", {"date": "2026-02-30"}).status == 422
    taken = editor.post("/new-issue", {"date": "2026-01-05"})
    assert (taken.status, "/issues/2026-01-05/edit" in taken.text) == (422, True)
    assert _file(desk).read_text() == DRAFT
    made = editor.post("/new-issue", {"date": "2026-01-06"})
    assert made.headers["location"] == "/issues/2026-01-06/edit"
    assert editor.get("/issues/2026-01-06/edit").status == 200
    assert "status: draft" in _file(desk, "2026-01-06.md").read_text()


def test_a_digest_is_understood_before_anything_is_written(desk: Console, editor: Browser) -> None:
    answer = upload(editor, "/paste", {"text": DIGEST, "date": "2026-01-07", "act": "look"})
    assert answer.status == 200
    assert "It is understood" in answer.text
    words = " ".join(answer.text.split())
    assert 'The first ship came in</bdi> <span class="faint">2 paragraphs, line 5' in words
    assert not _file(desk, "2026-01-07.md").exists()
    made = upload(editor, "/paste", {"text": DIGEST, "date": "2026-01-07", "act": "make"})
    assert made.headers["location"] == "/issues/2026-01-07/edit"
    assert "It came in at dawn, with oranges." in _file(desk, "2026-01-07.md").read_text()
    assert desk.done()[0][1:] == ("issue imported", "2026-01-07")


def test_a_digest_that_is_incomplete_says_where(desk: Console, editor: Browser) -> None:
    text = DIGEST.replace("\nThe second ship came in\nIt came in at noon.\n", "")
    answer = upload(editor, "/paste", {"text": text, "date": "2026-01-07", "act": "make"})
    assert answer.status == 422
    assert "Error, line 3:" in answer.text
    assert text_in(answer) == text
    assert not _file(desk, "2026-01-07.md").exists()


def test_an_issue_is_replaced_only_by_choice_and_keeps_ids(desk: Console, editor: Browser) -> None:
    fields = {"text": DIGEST, "date": "2026-01-07", "act": "make"}
    upload(editor, "/paste", fields)
    before = _file(desk, "2026-01-07.md").read_text()
    again = fields | {"text": DIGEST.replace("oranges", "lemons")}
    answer = upload(editor, "/paste", again)
    assert answer.status == 422
    assert "exists already" in answer.text
    assert _file(desk, "2026-01-07.md").read_text() == before
    assert upload(editor, "/paste", again | {"replace": "yes"}).status == 303
    assert _file(desk, "2026-01-07.md").read_text() == before.replace("oranges", "lemons")


@pytest.mark.parametrize(
    "name", ["2026-01-08.txt", "../../2026-01-08.txt", "C:\\x\\2026-01-08.txt"]
)
def test_a_file_is_dated_by_its_name(desk: Console, editor: Browser, name: str) -> None:
    answer = upload(editor, "/paste", {"text": "", "act": "look"}, (name, DIGEST.encode()))
    assert answer.status == 200
    assert 'value="2026-01-08"' in answer.text
    assert text_in(answer) == DIGEST


def test_an_issue_file_is_kept_as_it_is_but_for_its_day(desk: Console, editor: Browser) -> None:
    sent = DRAFT.replace("id: kd7m3xq2vt\n", "").replace("status: draft", "status: ready")
    for number, id in enumerate(("wq4n8ztb6k", "hx2c9mrd4p", "mf5v7jwc2h")):
        sent = sent.replace(id, f"other-{number}")
    looked = upload(editor, "/paste", {"act": "look"}, ("monday.md", sent.encode()))
    assert "The first ship" in looked.text
    fields = {"text": sent, "name": "monday.md", "date": "2026-01-09", "act": "make"}
    assert upload(editor, "/paste", fields).status == 303
    written = _file(desk, "2026-01-09.md").read_text()
    assert "status: draft" in written
    assert "date: 2026-01-09T00:00:00+01:00" in written
    assert written.partition("\n---\n")[2] == sent.partition("\n---\n")[2]
    assert upload(editor, "/paste", fields | {"replace": "yes"}).status == 422


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.svg", b"<svg onload=alert(1)>"),
        ("x.exe", b"MZ"),
        ("x.txt", b"\xff\xfe\x00a\x00b"),
        ("x.txt", b"\x00" * 5000),
        ("x.json", b"[" * 100_000),
        ("x.yaml", b"a: &a [x]\nb: *a\n"),
        ("x.md", b"---\ntitle: x"),
        ("x.txt", b"a" * 2_000_001),
    ],
)
def test_a_file_that_is_none_is_refused(
    desk: Console, editor: Browser, name: str, data: bytes
) -> None:
    before = sorted(_file(desk).parent.iterdir())
    answer = upload(editor, "/paste", {"act": "make", "date": "2026-01-09"}, (name, data))
    assert answer.status == 422
    assert sorted(_file(desk).parent.iterdir()) == before


def test_the_list_shows_where_each_stands(desk: Console, editor: Browser) -> None:
    for day in ("2026-01-06", "2999-01-01"):
        text = DRAFT.replace("2026-01-05", day).replace("status: draft", "status: ready")
        for id in ("kd7m3xq2vt", "wq4n8ztb6k", "hx2c9mrd4p", "mf5v7jwc2h"):
            text = text.replace(id, f"{id}-{day}")
        _file(desk, f"{day}.md").write_text(text.replace("Monday's", f"Of {day}:"))
    page = " ".join(editor.get("/issues").text.split())
    assert page.index("2999-01-01") < page.index("2026-01-06.md") < page.index("2026-01-05.md")
    for state in ("Waiting for its day", ">ready<", ">draft<"):
        assert state in page
    found = editor.get("/issues?q=OF%202999").text
    assert ("2999-01-01.md" in found, "2026-01-06.md" in found) == (True, False)
    found = editor.get("/issues?stage=draft").text
    assert ("2026-01-05.md" in found, "2026-01-06.md" in found) == (True, False)
    assert "Nothing was found" in editor.get("/issues?q=%F0%9F%90%B3").text
    assert "2026-01-05.md" in editor.get("/issues?before=~").text


def test_a_long_list_comes_in_pages(desk: Console, editor: Browser) -> None:
    for number in range(60):
        text = f"---\ndate: 2026-01-05\n---\n\n## One {number}\n\nText.\n"
        _file(desk, f"n{number:02}.md").write_text(text)
    first = editor.get("/issues")
    assert first.text.count('<th scope="row" class="named">') == 50
    older = first.text.partition('<a class="button" href="')[2]
    path = first.text.rpartition('" rel="next"')[0].rpartition('href="')[2].replace("&amp;", "&")
    assert older
    second = editor.get(path)
    assert second.text.count('<th scope="row" class="named">') == 11
    assert second.text.count("2026-01-05.md") + first.text.count("2026-01-05.md") == 1


def test_a_viewer_sees_and_does_not_write(desk: Console) -> None:
    viewer = desk.enter("viewer")
    page = viewer.get("/issues")
    assert (page.status, "/paste" in page.text) == (200, False)
    seen = viewer.get("/issues/2026-01-05")
    assert (seen.status, "/edit" in seen.text) == (200, False)
    for path in ("/issues/2026-01-05/edit", "/paste", "/new-issue"):
        assert viewer.get(path).status == 403
