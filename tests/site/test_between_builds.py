"""What one build leaves for the next: changes seen together, a death, another identity."""

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.site import build as building
from publisher.site.build import note_folder
from publisher.site.check import checking_job
from publisher.site.index import Index
from publisher.site.job import index_path
from publisher.site.state import site_job
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


def test_who_looks_again_at_what_was_never_built_finds_it_known(world: World) -> None:
    """Working it out anew takes seconds where an archive is large, and every page would wait."""
    now = datetime(2026, 1, 8, tzinfo=UTC)
    job = site_job(world.folder, world.settings, now)
    note_folder(job)
    with closing(Index(index_path(job), is_readonly=True)) as index:
        before = index.value("PRAGMA data_version")
        note_folder(job)
        assert index.value("PRAGMA data_version") == before
        world.issue("2026-01-08", "## Story {#new}\n\nText.\n")
        note_folder(job)
        assert index.value("PRAGMA data_version") != before
    assert world.build().issues == 4
    assert len(updated(world)) == 8


def test_a_preview_works_out_once_what_a_file_adds(world: World) -> None:
    job = checking_job(world.folder, world.settings, datetime(2026, 1, 8, tzinfo=UTC))

    def pending() -> dict[str, str]:
        note_folder(job)
        with closing(Index(index_path(job), is_readonly=True)) as index:
            return {each.id: each.hash for each in index.all_records("1", table="pending")}

    first = pending()
    assert len(first) == 6
    assert pending() == first
    world.issue("2026-01-07", "## Story {#h2026-01-07 .film}\n\nAnother text.\n")
    changed = {id for id, hash in pending().items() if first[id] != hash}
    assert changed == {"h2026-01-07", "i2026-01-07"}
