"""kill -9 at any instant, several builds at once: the next build makes the site as from nothing."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import pytest

from publisher.site import parallel
from publisher.site.history import read_history
from publisher.site.job import hold_lock
from publisher.site.register import read_register
from publisher.site.withdraw import withdraw
from tests.site.searching import everything
from tests.site.world import SETTINGS, World


def write_issues(world: World, count: int) -> None:
    for number in range(count):
        name = (date(2025, 12, 1) + timedelta(days=number)).isoformat()
        body = f"## A {{#a{number} .film}}\n\nText.\n\n## B {{#b{number}}}\n\nText.\n"
        world.issue(name, body)


def assert_sound(world: World, folder: Path) -> None:
    """The register is whole, and a build gives what a build from nothing gives."""
    lines = world.register().splitlines(keepends=True)
    torn = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
    assert torn == b"" or torn not in lines
    assert all(isinstance(msgspec.json.decode(line), dict) for line in lines)
    assert not world.build().is_refused
    lines = world.register().splitlines()
    assert len(lines) == len(set(lines)), "a line stands twice"
    assert not read_register(world.folder)[1]
    told = world.history().splitlines()
    assert len(told) == len(set(told)), "a version stands twice"
    assert not read_history(world.folder)[1]
    clone = world.committed_copy(folder)
    clone.build()
    assert (clone.register(), clone.history()) == (world.register(), world.history())
    ours, fresh = world.files(), clone.files()
    assert sorted(ours) == sorted(fresh)
    assert [path for path in ours if ours[path] != fresh[path]] == []


# Calls into the system's own world, between which a process can die: what is written before one
# of them stays, what would come after it does not happen.
_STEPS = {
    *("replace", "write", "unlink", "mkdir", "rmdir", "fsync", "sync", "truncate", "ftruncate"),
    *("execute", "executescript", "commit", "flush"),
}


def count_steps(then: Callable[[int], None]) -> Callable[[FrameType, str, Any], None]:
    steps = 0

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal steps
        if event == "c_call" and argument.__name__ in _STEPS:
            steps += 1
            then(steps)

    return watch


def build_in_a_child(world: World, kill_at: int) -> int:
    """Build in a forked process that dies at its n-th step; without one, give their number."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        total = 0

        def note(step: int) -> None:
            nonlocal total
            total = step
            if step == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count_steps(note))
        world.build()
        sys.setprofile(None)
        os.write(writing, str(total).encode())
        os._exit(0)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    assert os.WIFSIGNALED(status) == (not answer)
    return int(answer or 0)


def change_much(world: World) -> None:
    """A new issue, an edit, a new name, a new tag, something withdrawn."""
    world.issue("2026-01-09", "## New {#new .stage}\n\nText.\n")
    world.replace("issues/2025-12-01.md", "## A", "## Better")
    (world.folder / "issues/2025-12-02.md").rename(world.folder / "issues/a-name.md")
    world.replace("issues/a-name.md", "status:", "date: 2025-12-02T00:00:00+01:00\nstatus:")
    withdraw(world.folder, world.settings, "a2", "", world.now)


def test_a_build_killed_between_any_two_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All in the one process that is killed: helpers of its own would count steps too.
    monkeypatch.setattr(parallel, "_WORTHWHILE", 10_000)
    world = World(tmp_path / "news")
    write_issues(world, 3)
    world.build()
    change_much(world)
    snapshot = tmp_path / "snapshot"
    shutil.copytree(world.folder, snapshot)
    steps = build_in_a_child(world, 0)
    expected, register = world.files(), sorted(world.register().splitlines())
    searched = everything(world)
    assert steps > 200
    chance = random.Random(20260301)
    # The last third is where things become public.
    late = range(steps * 2 // 3, steps)
    for at in [*chance.sample(range(1, steps), 3), *chance.sample(late, 6), steps - 1, steps]:
        shutil.rmtree(world.folder)
        shutil.copytree(snapshot, world.folder)
        build_in_a_child(world, at)
        assert not world.build().is_refused
        assert world.files() == expected, f"killed at step {at}"
        assert everything(world) == searched, f"killed at step {at}"
        assert sorted(world.register().splitlines()) == register
    assert_sound(world, tmp_path / "fresh")


def begin(world: World) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        world.command("build"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=world.folder
    )


def test_the_command_killed_at_random_instants(tmp_path: Path) -> None:
    """The real process with the processes that help it, again and again in one folder."""
    world = World(tmp_path / "news")
    write_issues(world, 10)
    chance = random.Random(9)
    started = time.monotonic()
    whole = begin(world)
    assert whole.wait() == 0
    seconds = time.monotonic() - started
    for turn in range(3):
        world.issue(f"2026-02-{turn + 10}")
        world.replace(f"issues/2025-12-0{turn + 1}.md", "## A", f"## Better {turn}")
        # Other settings too, so that all of the site is written each time.
        world.write("publisher.toml", SETTINGS.replace("Test Daily", f"Daily {turn}"))
        process = begin(world)
        time.sleep(chance.uniform(0.2, 1.0) * seconds)
        process.kill()
        process.wait()
    assert_sound(world, tmp_path / "fresh")
    assert not list(world.public.glob(".*"))


def test_many_builds_and_withdrawals_at_once(tmp_path: Path) -> None:
    world = World(tmp_path / "news")
    write_issues(world, 10)
    builders = [begin(world) for _ in range(3)]
    for number in range(5):
        world.issue(f"2026-02-{number + 10}")
        while f'"b{number}"'.encode() not in world.register():
            time.sleep(0.01)
        withdraw(world.folder, world.settings, f"b{number}", "", world.now)
    for builder in builders:
        assert builder.wait() == 0, builder.stderr and builder.stderr.read()
    assert_sound(world, tmp_path / "fresh")
    records = read_register(world.folder)[0].records
    assert {id_ for id_, r in records.items() if r.withdrawn} == {f"b{n}" for n in range(5)}


def test_a_second_build_waits_for_the_first(world: World) -> None:
    world.issue("2026-01-05")
    with hold_lock(world.folder):
        process = begin(world)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.7)
        assert not world.public.exists()
    assert process.wait(30) == 0
    assert world.files()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_stopped_leaves_no_word_of_python(tmp_path: Path, sent: int) -> None:
    world = World(tmp_path / "news")
    write_issues(world, 10)
    process = subprocess.Popen(
        world.command("build"), stderr=subprocess.PIPE, cwd=world.folder, start_new_session=True
    )
    _wait_until_made(world, process)
    os.killpg(process.pid, sent) if sent == signal.SIGINT else process.terminate()
    _, errors = process.communicate(timeout=30)
    assert process.returncode in (130, -sent)
    assert b"Traceback" not in errors
    assert b"Error" not in errors
    assert_sound(world, tmp_path / "fresh")


def test_a_helper_that_is_killed_ends_the_build_with_a_word(tmp_path: Path) -> None:
    """As the system does when the memory is full."""
    world = World(tmp_path / "news")
    write_issues(world, 16)
    process = begin(world)
    _wait_until_made(world, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        pytest.skip("this system does not tell a process's children")
    helpers = [int(pid) for pid in children.read_text().split()]
    if not helpers:
        process.kill()
        pytest.skip("one processor, no helpers")
    os.kill(helpers[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert errors.count(b"\n") == 1
    assert b"was killed" in errors
    assert not world.files()
    assert_sound(world, tmp_path / "fresh")


def _wait_until_made(world: World, process: subprocess.Popen[bytes]) -> None:
    staging = world.public / ".publisher-staging"
    while not (staging.exists() and len(list(staging.iterdir())) > 10):
        assert process.poll() is None
        time.sleep(0.005)
