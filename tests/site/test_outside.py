"""No file outside the publication's folder is read or published, and no pipe is waited for."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from publisher.site.scan import read_file
from tests.site.reading import rules
from tests.site.world import World

SECRET = b"STOLEN-SECRET"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    signal.alarm(30)
    yield
    signal.alarm(0)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    text = b"---\nid: x\nstatus: ready\ntitle: %s\n---\n\n## A {#x1}\n\n%s\n" % (SECRET, SECRET)
    for name in ("2026-01-09.md", "a.png", "a.txt"):
        (folder / name).write_bytes(text)
    return folder


def assert_nothing_stolen(world: World) -> None:
    for path, data in world.files().items():
        assert SECRET not in data, path
        assert b"root:" not in data, path
        assert not (world.public / path).is_symlink()


@pytest.mark.parametrize("name", ["2026-01-09.md", "2026-01-09.yaml", "2026-01-09.json"])
def test_a_link_for_an_issue_is_refused(world: World, outside: Path, name: str) -> None:
    world.issue("2026-01-05")
    (world.folder / "issues" / name).symlink_to(outside / "2026-01-09.md")
    report = world.build()
    assert report.is_refused
    [problem] = report.problems
    assert (problem.rule, problem.file) == ("file-unreadable", f"issues/{name}")
    assert "link" in problem.message
    assert_nothing_stolen(world)


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero", "/dev/stdin", "nowhere", "x.md"])
def test_links_to_all_sorts_of_things(world: World, target: str) -> None:
    (world.folder / "issues/x.md").symlink_to(target)
    assert rules(world.build()) == {"file-unreadable"}


def test_a_link_for_the_folder_of_issues_is_refused(world: World, outside: Path) -> None:
    (world.folder / "issues").rmdir()
    (world.folder / "issues").symlink_to(outside)
    report = world.build()
    assert report.is_refused
    assert [(p.rule, p.file) for p in report.problems] == [("file-unreadable", "issues")]


def test_the_publications_folder_itself_may_be_a_link(world: World, tmp_path: Path) -> None:
    world.issue("2026-01-05")
    (tmp_path / "linked").symlink_to(world.folder)
    linked = World(tmp_path / "linked")
    assert linked.build().issues == 1
    assert linked.files() == world.files()


@pytest.mark.parametrize("link", ["media", "media/in", "media/in/a.png"])
def test_links_among_media_are_not_followed(world: World, outside: Path, link: str) -> None:
    target = outside / "a.png" if link.endswith("png") else outside
    (world.folder / link).parent.mkdir(parents=True, exist_ok=True)
    (world.folder / link).symlink_to(target)
    path = {"media": "media/a.png"}.get(link, "media/in/a.png")
    world.issue("2026-01-05", f'## A {{#a image="{path}" alt="x"}}\n\n![y]({path}) [z]({path})\n')
    report = world.build()
    assert not report.is_refused
    assert rules(report) & {"media-missing", "media-unreadable"}
    assert path not in world.files()
    assert_nothing_stolen(world)


@pytest.mark.parametrize(
    "written",
    [
        *("../publisher.toml", "media/../publisher.toml", "/publisher.toml", "publisher.toml"),
        *("media/%2e%2e/publisher.toml", "media/%2e%2e%2fpublisher.toml", "media/..%2fissues/x.md"),
        *("media/..\\publisher.toml", "media/%00/../../publisher.toml", "/etc/passwd", "//etc/x"),
        *("file:///etc/passwd", "media//etc/passwd", "media/", "media", "media/.", "media/.."),
        *("issues/2026-01-05.md", "issues/register.jsonl", ".publisher/lock", "media/.hidden.png"),
        *("https://daily.example/media/../publisher.toml", "media/%252e%252e/publisher.toml"),
        *("media/%ff.png", "media/\udcff.png", "media/a.png/../../publisher.toml", "media/a b.txt"),
    ],
)
def test_addresses_lead_to_no_other_file(world: World, written: str) -> None:
    world.write("media/.hidden.png", SECRET)
    world.write("media/unused.txt", SECRET)
    text = written.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    body = f'## A {{#a image="{text}" alt="x"}}\n\n![y](<{text}>) [z](<{text}>)\n'
    world.issue("2026-01-05", body)
    world.build()
    assert not [path for path in world.files() if path.startswith("media/")]
    for path, data in world.files().items():
        assert b"postal_address" not in data, path
    assert_nothing_stolen(world)


def test_pipes_and_sockets_are_not_waited_for(world: World) -> None:
    world.issue("2026-01-05", '## A {#a image="media/p.png" alt="x"}\n\nText.\n')
    (world.folder / "media").mkdir()
    os.mkfifo(world.folder / "media/p.png")
    report = world.build()
    assert not report.is_refused
    assert "media-unreadable" in rules(report)
    os.mkfifo(world.folder / "issues/p.md")
    assert rules(world.build()) == {"file-unreadable"}


def test_a_folder_named_like_an_issue_is_none(world: World) -> None:
    world.issue("2026-01-05")
    world.write("issues/2026-01-06.md/inner.md", "x")
    world.write("issues/deeper/2026-01-07.md", "x")
    assert world.build().issues == 1


def test_a_name_in_another_encoding_is_said(world: World) -> None:
    name = os.fsencode(world.folder / "issues") + b"/\xe9t\xe9.md"
    with open(name, "w") as file:
        file.write("text")
    [problem] = world.build().problems
    assert problem.rule == "file-unreadable"
    assert problem.file == "issues/\ufffdt\ufffd.md"


def test_what_editors_leave_beside_their_files_is_let_be(world: World) -> None:
    world.issue("2026-01-05")
    for name in (".2026-01-05.md.swp", "2026-01-05.md~", "#2026-01-05.md#", ".x.md", "notes.txt"):
        world.write(f"issues/{name}", b"\xff")
    assert world.build().issues == 1


def replace_by(path: Path, kind: str, outside: Path) -> None:
    path.unlink()
    if kind == "link":
        path.symlink_to(outside)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "nothing"])
def test_a_file_that_is_replaced_after_it_was_listed(
    world: World, outside: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The list is made first, and somebody is quick."""
    building: Any = sys.modules["publisher.site.build"]
    world.issue("2026-01-05")
    world.build()
    victim = world.issue("2026-01-06")
    picture = world.write("media/a.png", b"x")
    listed = building.list_media

    def list_and_replace(folder: Path) -> object:
        files = listed(folder)
        replace_by(picture, kind, outside / "a.png")
        return files

    def scan_and_replace(folder: Path) -> object:
        files = scanned(folder)
        replace_by(victim, kind, outside / "2026-01-09.md")
        return files

    scanned = building.scan_issues
    monkeypatch.setattr(building, "scan_issues", scan_and_replace)
    assert rules(world.build()) == {"file-unreadable"}
    monkeypatch.setattr(building, "scan_issues", scanned)
    victim.rmdir() if kind == "folder" else victim.unlink(missing_ok=True)
    world.issue("2026-01-06", "## A {#x}\n\n![Lights](media/a.png)\n")
    monkeypatch.setattr(building, "list_media", list_and_replace)
    report = world.build()
    assert not report.is_refused
    assert "media-unreadable" in rules(report)
    assert "media/a.png" not in world.files()
    assert_nothing_stolen(world)


@pytest.mark.parametrize("path", ["a/../../x", "../x", "in/a.txt", "pipe", "in", "", "lost", "/x"])
def test_reading_below_a_folder_stays_below_it(tmp_path: Path, path: str) -> None:
    folder, outside = tmp_path / "below", tmp_path / "beside"
    for each in (folder / "a", outside):
        each.mkdir(parents=True)
    (outside / "a.txt").write_bytes(SECRET)
    (tmp_path / "x").write_bytes(SECRET)
    (folder / "in").symlink_to(outside)
    os.mkfifo(folder / "pipe")
    with pytest.raises(OSError, match=r".") as caught:
        read_file(folder, path)
    assert caught.value.filename == path


def test_reading_stops_at_its_limit(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_bytes(b"0123456789")
    assert read_file(tmp_path, "a/b", 4) == b"0123"
    assert read_file(tmp_path, "a/b") == b"0123456789"
