"""That the measurements measure what they say, and stay able to."""

import ast
from pathlib import Path

from publisher.preflight.publication import check_publication
from publisher.settings import load_settings
from publisher.site.build import build
from publisher.site.job import Job
from tests.benchmarks.archive import issue_date, write_archive
from tests.benchmarks.stages import STAGES

PACKAGE = Path(__file__).parents[2] / "publisher"


def test_every_function_of_a_stage_exists() -> None:
    defined = {
        f"{path.name}:{node.name}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    names = {
        name
        for plus, minus in STAGES.values()
        for written in (*plus, *minus)
        for name in written.split(">")
    }
    assert names - defined == set()


def test_the_archive_is_a_publication_without_faults(tmp_path: Path) -> None:
    write_archive(tmp_path, 3)
    settings = load_settings(tmp_path / "publisher.toml", {})
    job = Job(folder=tmp_path, settings=settings, output=tmp_path / "public", now=issue_date(3))
    report = build(job)
    assert (report.issues, report.highlights) == (3, 15)
    assert [p for p in report.problems if p not in check_publication(settings)] == []


def test_the_same_count_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_archive(tmp_path / name, 2)
    for path in (tmp_path / "one" / "issues").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / "issues" / path.name).read_bytes()
        assert 15_000 < path.stat().st_size < 17_000
