"""A disk that is full, read-only or not what it should be: one clear message, and all as it was."""

import os
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from publisher.site.job import CACHE
from tests.site.world import World

NOBODY = 65534


def refuse(world: World, before: Callable[[], None] | None = None) -> str:
    """Build; what stood there must still stand there. Gives the one line that is said."""
    files, register = world.files(), world.register()
    done = world.run("build", before=before)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert "defect" not in done.stderr
    assert world.files() == files
    assert world.register() == register
    return done.stderr


def limit(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.fixture
def built(world: World) -> World:
    world.issue("2026-01-05")
    world.build()
    return world


def test_a_file_that_cannot_be_written_whole(built: World) -> None:
    built.write("media/large.pdf", bytes(700_000))
    built.issue("2026-01-06", "## A {#a}\n\n[The study](media/large.pdf)\n")
    assert "public/media/large.pdf" in refuse(built, limit(600_000))
    assert not built.build().is_refused
    assert len(built.files()["media/large.pdf"]) == 700_000


def test_an_index_that_cannot_be_written(built: World) -> None:
    built.issue("2026-01-06")
    assert ".publisher/site-" in refuse(built, limit(20_000))
    assert not built.build().is_refused


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[Path, int], None]]:
    mounted = []

    def mount(folder: Path, kilobytes: int) -> None:
        folder.mkdir(exist_ok=True)
        size = f"size={kilobytes}k"
        command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
        if os.getuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a small disk can be made by root alone")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_for_the_site(world: World, small_disk: Callable[[Path, int], None]) -> None:
    small_disk(world.public, 300)
    world.issue("2026-01-05")
    world.build()
    files = world.files()
    world.issue("2026-01-06", "## A {#a}\n\n" + "Some words. " * 20_000)
    assert "full" in refuse(world)
    assert world.files() == files
    world.issue("2026-01-06", "## A {#a}\n\nFew words.")
    assert world.run("build").returncode == 0


def test_a_full_disk_for_everything(
    tmp_path: Path, small_disk: Callable[[Path, int], None]
) -> None:
    small_disk(tmp_path / "news", 1_200)
    world = World(tmp_path / "news")
    world.issue("2026-01-05")
    assert world.run("build").returncode == 0
    world.write("media/large.bin", bytes(500_000))
    world.issue("2026-01-06", "## A {#a}\n\n" + "Some words. " * 10_000)
    assert "full" in refuse(world)
    (world.folder / "media/large.bin").unlink()
    world.issue("2026-01-06")
    assert world.run("build").returncode == 0
    assert "issues/2026-01-06/index.html" in world.files()


@pytest.fixture
def foreign() -> Iterator[World]:
    """A publication of an account that is not the system's own, to which nothing is forbidden."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        world = World(Path(folder) / "news")
        world.issue("2026-01-05")
        # Here, so that all that it needs is imported before the account is changed.
        assert world.run_here("build") == 0
        for path in (world.folder, *world.folder.rglob("*")):
            if not os.getuid():
                os.chown(path, NOBODY, NOBODY)
        yield world
        for path in world.folder.rglob("*"):
            path.chmod(0o755)


def build_as_nobody(world: World) -> tuple[int, str]:
    """Run `publisher build` in a forked process of another account: exit status and messages."""
    said = world.folder.parent / "said"
    child = os.fork()
    if child == 0:
        with said.open("w") as file, redirect_stderr(file), redirect_stdout(StringIO()):
            if not os.getuid():
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            status = world.run_here("build")
        os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said.read_text()


@pytest.mark.parametrize("closed", ["public", "issues", CACHE])
def test_a_folder_that_must_not_be_written(foreign: World, closed: str) -> None:
    foreign.issue("2026-01-06")
    files, register = foreign.files(), foreign.register()
    for path in (foreign.folder / closed, *(foreign.folder / closed).rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    status, said = build_as_nobody(foreign)
    assert status == 2
    assert said.count("\n") == 1
    assert closed in said
    assert "defect" not in said
    assert (foreign.files(), foreign.register()) == (files, register)
    for path in (foreign.folder / closed, *(foreign.folder / closed).rglob("*")):
        path.chmod(0o755)
    assert build_as_nobody(foreign) == (0, "")
    assert "issues/2026-01-06/index.html" in foreign.files()


def test_an_issue_that_must_not_be_read(foreign: World) -> None:
    foreign.issue("2026-01-06").chmod(0)
    status, said = build_as_nobody(foreign)
    assert status == 1
    assert "issues/2026-01-06.md: error: the file cannot be read: Permission denied" in said


def test_a_file_in_the_place_of_the_site(built: World, capfd: pytest.CaptureFixture[str]) -> None:
    built.public.rename(built.folder / "old")
    built.write("public", "mine")
    assert built.run_here("build") == 2
    said = capfd.readouterr().err
    assert "public" in said
    assert said.count("\n") == 1
    assert built.public.read_text() == "mine"
    built.public.unlink()
    assert not built.build().is_refused
    assert built.files() == built.files(built.folder / "old")


@pytest.mark.parametrize("name", [CACHE, f"{CACHE}/lock", "issues/register.jsonl"])
def test_something_else_in_the_place_of_what_a_build_needs(
    world: World, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    world.issue("2026-01-05")
    if name == CACHE:
        world.write(name, "mine")
    else:
        (world.folder / name).mkdir(parents=True)
    assert world.run_here("build") == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert name in said
    assert "defect" not in said
    assert not world.files()
