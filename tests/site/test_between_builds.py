"""What one build leaves for the next: changes seen together, a death, another identity."""

import json
from pathlib import Path

import pytest

from publisher.site import build as building
from publisher.site.write import Staging
from tests.site.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "news")
    for day in ("2026-01-05", "2026-01-06", "2026-01-07"):
        world.issue(day, f"## Story {{#h{day} .film}}\n\nText of {day}.\n")
    return world


def updated(world: World) -> list[str]:
    records = [json.loads(line) for line in world.register().splitlines()[1:]]
    latest = {record["id"]: record["updated"] for record in records}
    return sorted(latest.values())


def test_issues_that_are_corrected_together_have_times_of_their_own(world: World) -> None:
    world.build()
    for day in ("2026-01-05", "2026-01-06", "2026-01-07"):
        world.issue(day, f"## Story {{#h{day} .film}}\n\nText of {day}, corrected.\n")
    report = world.build()
    assert len(set(updated(world))) == 6
    assert "entry-updated-repeated" not in {problem.rule for problem in report.problems}


def test_a_build_that_died_among_the_moves_leaves_nothing_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.build()
    world.issue("2026-01-07", "## Story {#h2026-01-07 .secret}\n\nText.\n")

    class Died(BaseException):
        pass

    move = Staging.publish

    def die(staging: Staging, paths: list[str]) -> None:
        move(staging, [path for path in paths if "secret" in path])
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(Staging, "publish", die)
        with pytest.raises(Died):
            world.build()
    assert list(world.public.rglob("*secret*"))
    world.issue("2026-01-07", "## Story {#h2026-01-07 .film}\n\nText of 2026-01-07.\n")
    world.build()
    assert not list(world.public.rglob("*secret*"))


def test_another_publication_id_is_said(world: World) -> None:
    assert not world.build().problems
    settings = world.folder / "publisher.toml"
    settings.write_text(settings.read_text().replace("2025:test", "2026:other"))
    for _ in range(2):
        (problem,) = [p for p in world.build().problems if p.rule == "publication-id-changed"]
        assert "tag:daily.example,2025:test" in problem.message


def test_lost_files_of_a_large_archive_are_all_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_LOOKED_FOR", 1)
    world.build()
    before = world.files()
    for path in ("issues/2026-01-05/index.html", "issues/2026-01-07/index.html"):
        (world.public / path).unlink()
    world.build()
    assert world.files() == before
