"""What was published does not vanish by accident; what is taken back is gone for good."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from publisher.errors import PublisherError
from publisher.site.withdraw import withdraw
from tests.site.reading import atom_ids, entries, rules
from tests.site.world import World

ISSUE = "issues/2026-01-05.md"
BODY = "## A {#a .film}\n\nText of A.\n\n## B {#b .stage}\n\nText of B.\n"


@pytest.fixture
def published(world: World) -> World:
    world.issue("2026-01-05", BODY)
    world.issue("2026-01-06")
    world.build()
    world.now += timedelta(days=1)
    return world


def take_back(world: World, id_: str, reason: str = "") -> list[str]:
    return [r.id for r in withdraw(world.folder, world.settings, id_, reason, world.now)]


def delete_file(world: World) -> None:
    (world.folder / ISSUE).unlink()


def delete_highlight(world: World) -> None:
    world.replace(ISSUE, "## B {#b .stage}\n\nText of B.\n", "")


def back_to_draft(world: World) -> None:
    world.replace(ISSUE, "status: ready", "status: draft")


def drop_the_status(world: World) -> None:
    world.replace(ISSUE, "status: ready\n", "")


def another_id(world: World) -> None:
    world.replace(ISSUE, "{#b", "{#other")


def another_issue_id(world: World) -> None:
    world.replace(ISSUE, "id: i2026-01-05", "id: other")


def move_out_of_sight(world: World) -> None:
    (world.folder / ISSUE).rename(world.folder / "issues/.2026-01-05.md")


VANISHED, DRAFT = "published-vanished", "published-draft"


@pytest.mark.parametrize(
    ("change", "rule", "gone"),
    [
        (delete_file, VANISHED, {"i2026-01-05", "a", "b"}),
        (delete_highlight, VANISHED, {"b"}),
        (back_to_draft, DRAFT, {"i2026-01-05"}),
        (drop_the_status, DRAFT, {"i2026-01-05"}),
        (another_id, VANISHED, {"b"}),
        (another_issue_id, VANISHED, {"i2026-01-05"}),
        (move_out_of_sight, VANISHED, {"i2026-01-05", "a", "b"}),
    ],
)
def test_what_vanishes_is_refused_until_it_is_back(
    published: World, change: Callable[[World], None], rule: str, gone: set[str]
) -> None:
    files, register = published.files(), published.register()
    text = (published.folder / ISSUE).read_text()
    change(published)
    # An honest change beside it does not get through either.
    published.replace("issues/2026-01-06.md", "Text of", "News of")
    for _ in range(2):
        report = published.build()
        assert report.is_refused
        assert rules(report) == {rule}
        assert {p.fix.split("withdraw ")[1].strip("`") for p in report.problems} == gone
        place = ISSUE if rule == DRAFT else "issues/register.jsonl"
        assert all(p.file == place for p in report.problems)
        assert (published.files(), published.register()) == (files, register)
    (published.folder / "issues/.2026-01-05.md").unlink(missing_ok=True)
    published.write(ISSUE, text)
    assert not published.build().is_refused
    assert published.read("issues/2026-01-06/index.html").count("News of") >= 1


def test_a_draft_may_come_and_go(published: World) -> None:
    published.issue("2026-01-07", "## D {#d}\n\nText.\n", status="draft")
    published.build()
    (published.folder / "issues/2026-01-07.md").unlink()
    assert not published.build().is_refused
    assert b'"d"' not in published.register()


def test_what_an_unreadable_file_held_is_not_called_gone(published: World) -> None:
    published.replace(ISSUE, "id: i2026-01-05", "id: [")
    assert rules(published.build()) == {"front-matter-unreadable"}


_TOMBSTONE = re.compile(rb"<at:deleted-entry .*?</at:deleted-entry>", re.DOTALL)


def test_a_withdrawn_highlight_is_out_of_everything_but_its_page(published: World) -> None:
    assert take_back(published, "b", "It was <wrong> & hasty") == ["b"]
    published.build()
    files = published.files()
    for path, data in files.items():
        assert b"Text of B" not in data, path
        if path.endswith((".atom", ".rss", ".json", ".xml", ".opml")):
            told = _TOMBSTONE.sub(b"", data)  # RFC 6721, in Atom alone
            assert b"/b" not in told.replace(b"/body", b"").replace(b"/blockquote", b""), path
    page = published.read("highlights/b/index.html")
    assert "It was &lt;wrong&gt; &amp; hasty" in page
    assert 'name="robots" content="noindex"' in page
    assert not any(path.startswith("tags/stage/") for path in files)
    assert "highlights/b" not in published.read("index.html")
    assert "highlights/b" not in published.read("sitemap.xml")
    assert set(entries(published)) == {"a", "h2026-01-06"}


def test_a_withdrawn_issue_takes_its_highlights_along(published: World) -> None:
    assert take_back(published, "i2026-01-05") == ["i2026-01-05", "a", "b"]
    delete_file(published)
    report = published.build()
    assert not report.is_refused
    assert (report.issues, report.highlights) == (1, 1)
    files = published.files()
    shown = [path for path in files if path.startswith(("issues/", "highlights/", "tags/"))]
    assert shown == [
        *("highlights/a/index.html", "highlights/b/index.html"),
        "highlights/h2026-01-06/index.html",
        "issues/2026-01-05/index.html",
        *(f"issues/2026-01-06/{name}" for name in ("email.html", "email.txt", "index.html")),
    ]
    assert b"Text of" not in files["issues/2026-01-05/index.html"]
    assert atom_ids(files["issues.atom"]) == ["tag:daily.example,2025:test/i2026-01-06"]


def test_the_files_may_keep_what_was_withdrawn(published: World) -> None:
    """It is said once more, and stays withdrawn."""
    take_back(published, "b")
    report = published.build()
    assert not report.is_refused
    [problem] = [p for p in report.problems if p.rule == "withdrawn-used"]
    assert (problem.file, problem.line) == (ISSUE, 11)
    assert "b" not in entries(published)
    before = published.files()
    published.replace(ISSUE, "Text of B.", "Text of B, rewritten.")
    published.build()
    assert published.files() == before


def test_a_withdrawn_issue_in_its_file_is_said_and_not_published(published: World) -> None:
    take_back(published, "i2026-01-05")
    for _ in range(2):
        report = published.build()
        assert not report.is_refused
        used = [(p.file, p.level) for p in report.problems if p.rule == "withdrawn-used"]
        assert used == [(ISSUE, "warning")]
        assert report.issues == 1
        published.replace(ISSUE, "Text of", "Better Text of")


def test_a_withdrawn_id_is_never_used_again(published: World) -> None:
    take_back(published, "b")
    delete_highlight(published)
    published.build()
    published.replace("issues/2026-01-06.md", "{#h2026-01-06}", "{#h2026-01-06}\n\nT.\n\n## N {#b}")
    report = published.build()
    assert "withdrawn-used" in rules(report)
    assert "b" not in entries(published)
    assert "Text of 2026-01-06" not in published.read("highlights/b/index.html")


def test_withdrawing_twice_changes_nothing(published: World) -> None:
    take_back(published, "b", "first")
    register = published.register()
    published.now += timedelta(days=1)
    assert take_back(published, "b", "second") == []
    assert published.register() == register


@pytest.mark.parametrize("id_", ["unknown", "", "2026-01-05", "../x", "i2026-01-0"])
def test_what_was_never_published_cannot_be_withdrawn(published: World, id_: str) -> None:
    register = published.register()
    with pytest.raises(PublisherError, match="never published"):
        take_back(published, id_)
    assert published.register() == register


def test_an_unreadable_register_is_not_added_to(published: World) -> None:
    published.write("issues/register.jsonl", b"<<<<<<< HEAD\n" + published.register())
    with pytest.raises(PublisherError, match="line 1"):
        take_back(published, "b")


def test_a_reason_is_one_line_of_text(published: World) -> None:
    lines = published.register().count(b"\n")
    take_back(published, "b", " two\nlines\x00\ud800 ")
    assert published.register().count(b"\n") == lines + 1
    published.build()
    assert "two lines" in published.read("highlights/b/index.html")


def test_a_clone_knows_what_was_withdrawn(published: World, tmp_path: Path) -> None:
    take_back(published, "b", "gone")
    delete_highlight(published)
    published.build()
    clone = published.committed_copy(tmp_path / "clone")
    clone.build()
    assert clone.files() == published.files()
    assert clone.register() == published.register()


def test_a_name_may_be_used_again_and_its_issue_withdrawn_again(
    published: World, tmp_path: Path
) -> None:
    take_back(published, "i2026-01-05", "the first")
    published.issue("2026-01-05", "## New {#new}\n\nText.\n", id="second")
    published.build()
    assert "Text." in published.read("highlights/new/index.html")
    published.now += timedelta(days=1)
    take_back(published, "second", "the second one")
    delete_file(published)
    published.build()
    assert "the second one" in published.read("issues/2026-01-05/index.html")
    clone = published.committed_copy(tmp_path / "clone")
    clone.build()
    assert clone.files() == published.files()


def test_a_name_given_up_again_shows_what_was_withdrawn(published: World, tmp_path: Path) -> None:
    take_back(published, "i2026-01-05", "the first")
    published.issue("2026-01-05", "## N {#n}\n\nT.\n", id="second", date="2026-01-05T00:00:00Z")
    published.build()
    (published.folder / ISSUE).rename(published.folder / "issues/another.md")
    published.build()
    assert "the first" in published.read("issues/2026-01-05/index.html")
    clone = published.committed_copy(tmp_path / "clone")
    clone.build()
    assert clone.files() == published.files()


def test_an_issue_without_highlights_left_is_still_an_issue(published: World) -> None:
    take_back(published, "a")
    take_back(published, "b")
    report = published.build()
    assert (report.issues, report.highlights) == (2, 1)
    assert "issues/2026-01-05/email.html" in published.files()


def test_a_register_that_grows_during_a_build_is_read_by_the_next(published: World) -> None:
    """As when a merge brings in lines between the reading and the writing of the register."""
    lines: list[bytes] = []

    def withdraw_meanwhile(step: str, done: int, total: int) -> None:
        if step == "Making the site" and not lines:
            record = published.register().splitlines()[3].removesuffix(b"}")
            lines.append(record + b',"withdrawn":"2026-02-01T00:00:00Z"}\n')
            with (published.folder / "issues/register.jsonl").open("ab") as file:
                file.write(lines[0])

    published.issue("2026-01-07")
    published.build(progress=withdraw_meanwhile)
    assert lines
    assert b'"id":"b"' in lines[0]
    published.build()
    assert "b" not in entries(published)
