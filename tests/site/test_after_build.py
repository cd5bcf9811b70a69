"""site.after_build: an operator's own command, after a change and until it has succeeded."""

import json
from pathlib import Path

import pytest

from publisher.site.after_build import owe_after_build, run_after_build
from tests.site.world import SETTINGS, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    log = 'echo "$PUBLISHER_OUTPUT $(pwd)" >> log; test ! -e fails'
    world = World(tmp_path / "news", f"{SETTINGS}\n[site]\nafter_build = '{log}'\n")
    world.issue("2026-01-05")
    return world


def runs(world: World) -> list[str]:
    log = world.folder / "log"
    return log.read_text().splitlines() if log.exists() else []


def test_it_runs_after_a_change_and_not_without_one(world: World) -> None:
    assert world.run_here("build") == 0
    assert runs(world) == [f"{world.public} {world.folder}"]
    assert world.run_here("build") == 0
    assert len(runs(world)) == 1
    world.replace("issues/2026-01-05.md", "Text", "News")
    assert world.run_here("build") == 0
    assert len(runs(world)) == 2


def test_it_knows_another_folder(world: World, tmp_path: Path) -> None:
    assert world.run_here("build", "--output", str(tmp_path / "www")) == 0
    assert runs(world) == [f"{tmp_path / 'www'} {world.folder}"]


def test_it_runs_when_something_was_only_removed(world: World) -> None:
    world.issue("2026-01-06")
    assert world.run_here("build") == 0
    assert world.run_here("withdraw", "h2026-01-06") == 0
    assert len(runs(world)) == 2


def test_its_failure_is_told_and_it_runs_again(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    world.write("fails", "")
    for number in (1, 2):
        assert world.run_here("build") == 2
        said = capfd.readouterr().err
        assert "after_build failed with exit status 1" in said
        assert "Traceback" not in said
        assert len(runs(world)) == number
    assert "issues/2026-01-05/index.html" in world.files()
    (world.folder / "fails").unlink()
    assert world.run_here("build") == 0
    assert world.run_here("build") == 0
    assert len(runs(world)) == 3


def test_it_does_not_run_for_a_refused_build(world: World) -> None:
    world.issue("2026-01-07", id="[")
    assert world.run_here("build") == 1
    assert runs(world) == []


def test_it_runs_though_the_build_was_killed_before_it(world: World) -> None:
    """The site has changed; nothing else would tell the next build so."""
    world.build()
    assert world.run_here("build") == 0
    assert len(runs(world)) == 1


def test_what_it_says_is_no_part_of_the_answer(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    world.replace("publisher.toml", "echo ", "echo said; echo ")
    assert world.run_here("build", "--json") == 0
    answer, said = capfd.readouterr()
    assert json.loads(answer)["issues"] == 1
    assert "said" in said


def test_nothing_is_owed_where_no_command_is_set(world: World) -> None:
    world.write("publisher.toml", SETTINGS)
    world.build()
    owe_after_build(world.folder)
    run_after_build(world.settings, world.folder, world.public, has_changed=True)
    assert runs(world) == []
