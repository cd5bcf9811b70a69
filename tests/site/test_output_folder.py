"""public/ as others may leave it: their own files, folders for files, links, leftovers, damage."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from publisher.site.job import CACHE
from tests.site.world import World


@pytest.fixture
def built(world: World) -> World:
    world.issue("2026-01-05", "## A {#a .film}\n\nText.\n")
    world.build()
    return world


def test_an_operators_own_files_stay(built: World) -> None:
    own = {"CNAME": b"daily.example", "favicon.ico": b"\0", ".well-known/x": b"y", "me/i.html": b""}
    for path, data in own.items():
        built.write(f"public/{path}", data)
    built.issue("2026-01-06")
    built.build()
    shutil.rmtree(built.folder / CACHE)
    built.build()
    files = built.files()
    assert {path: files.get(path) for path in own} == own


def test_leftovers_of_a_lost_index_are_removed(built: World) -> None:
    shutil.rmtree(built.folder / CACHE)
    before = built.files()
    stale = ["issues/2020-01-01/index.html", "tags/old/feed.atom", "highlights/x/y/z/index.html"]
    stale += ["archive/2019-01/feed.atom", "assets/site-0.css", "media/old.png", "sitemap-2019.xml"]
    for path in stale:
        built.write(f"public/{path}", "old")
    report = built.build()
    assert report.removed == len(stale)
    assert built.files() == before
    folders = {path for path in built.public.rglob("*") if path.is_dir()}
    assert all(any(folder.iterdir()) for folder in folders)


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_damaged_index_is_made_anew(built: World, is_whole: bool) -> None:
    before, register = built.files(), built.register()
    [index] = (built.folder / CACHE).glob("site-*.db")
    noise = random.Random(3).randbytes(index.stat().st_size)
    # The first page says what the file is; without it nothing can be opened.
    head = b"" if is_whole else index.read_bytes()[:4096]
    index.write_bytes(head + noise[len(head) :])
    for left in (built.folder / CACHE).glob("site-*.db-*"):
        left.unlink()
    assert not built.build().is_refused
    assert (built.files(), built.register()) == (before, register)


@pytest.mark.parametrize("text", ["", "not a database", "SQLite format 3\0"])
def test_an_index_that_is_none_is_made_anew(built: World, text: str) -> None:
    before = built.files()
    [index] = (built.folder / CACHE).glob("site-*.db")
    index.write_text(text)
    built.build()
    assert built.files() == before


def test_an_index_with_other_tables_is_made_anew(built: World) -> None:
    before = built.files()
    [index] = (built.folder / CACHE).glob("site-*.db")
    with sqlite3.connect(index) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute("DROP TABLE file")
        database.execute("CREATE TABLE file (path)")
        database.execute(f"PRAGMA user_version = {version}")
    database.close()
    built.build()
    assert built.files() == before


def test_a_lost_file_comes_back(built: World) -> None:
    before = built.files()
    for path in before:
        (built.public / path).unlink()
        assert built.build().written == 1, path
        assert built.files() == before


@pytest.mark.parametrize("path", ["index.html", "issues", "issues/2026-01-06", "tags/film"])
def test_a_folder_for_a_file_and_a_file_for_a_folder(built: World, path: str) -> None:
    target = built.public / path
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
    built.write(f"public/{path}" + ("/a/b" if path == "index.html" else ""), "mine")
    built.issue("2026-01-06", "## B {#b .film}\n\nText.\n")
    assert not built.build().is_refused
    fresh = built.committed_copy(built.folder.with_name("fresh"))
    fresh.build()
    assert built.files() == fresh.files()


def test_a_folder_where_a_file_would_be_removed(built: World) -> None:
    page = built.public / "tags/film/index.html"
    page.unlink()
    (page / "mine").mkdir(parents=True)
    built.replace("issues/2026-01-05.md", " .film", "")
    assert not built.build().is_refused
    assert (page / "mine").is_dir()


def test_a_link_in_the_place_of_a_page_is_replaced_not_followed(
    built: World, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.html"
    outside.write_text("mine")
    page = built.public / "issues/2026-01-05/index.html"
    page.unlink()
    page.symlink_to(outside)
    built.replace("issues/2026-01-05.md", "Text.", "News.")
    built.build()
    assert outside.read_text() == "mine"
    assert not page.is_symlink()
    assert "News." in page.read_text()


def test_a_site_elsewhere_and_through_a_link(built: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "www" / "deep"
    report = built.build(elsewhere)
    assert report.written == len(built.files())
    assert built.files(elsewhere) == built.files()
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    assert built.build(link).written == 0
    assert built.build(link / "inner").written > 0
    assert (elsewhere / "inner/index.html").exists()
    # Each folder is kept by itself.
    built.issue("2026-01-06")
    built.build()
    assert "issues/2026-01-06/index.html" not in built.files(elsewhere)
    built.build(elsewhere)
    assert "issues/2026-01-06/index.html" in built.files(elsewhere)


def test_two_folders_share_one_register(built: World, tmp_path: Path) -> None:
    built.build(tmp_path / "a")
    built.replace("issues/2026-01-05.md", "Text.", "News.")
    built.build(tmp_path / "a")
    register = built.register()
    built.build(tmp_path / "b")
    built.build()
    assert built.register() == register
    assert built.files() == built.files(tmp_path / "a") == built.files(tmp_path / "b")


@pytest.mark.parametrize(
    "output", [".", "..", "issues", "issues/x", "media", "templates/pages", CACHE, "/"]
)
def test_a_folder_with_the_publications_own_files_is_refused(
    built: World, capfd: pytest.CaptureFixture[str], output: str
) -> None:
    built.write("media/a.pdf", "mine")
    built.write("templates/pages/note.txt", "mine")
    before = built.files(built.folder)
    assert built.run_here("build", "--output", str(built.folder / output)) == 2
    assert "the publication itself is there" in capfd.readouterr().err
    after = built.files(built.folder)
    assert {p for p in before if before[p] != after.get(p)} <= {f"{CACHE}/lock"}


def test_a_folder_with_files_of_others_is_refused(
    built: World, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = tmp_path / "home/media/holiday.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert built.run_here("build", "--output", str(tmp_path / "home")) == 2
    assert "home/media" in capfd.readouterr().err
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == [mine]


def test_a_refused_build_leaves_nothing_behind(built: World) -> None:
    """Whether it is refused before or after the pages were made."""
    before = built.files()
    long_title = "T" * 99_999
    for id_, body in (
        ("[", "## B {#b}\n\nText.\n"),
        ("i2", "## B {#b}\n\n[x](javascript:x)\n"),
        ("i2", f"## {long_title} {{#b}}\n\nText.\n"),
    ):
        built.issue("2026-01-06", body, id=id_)
        assert built.build().is_refused
        assert built.files() == before
        assert not list(built.public.glob(".*"))
