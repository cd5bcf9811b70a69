"""check: everything that build would say, drafts and future issues included, writing nothing."""

from datetime import datetime
from pathlib import Path

from publisher.errors import PublisherError
from publisher.model.problem import Problem, in_reading_order
from publisher.preflight.publication import check_publication
from publisher.settings import Settings
from publisher.site.build import build
from publisher.site.job import CACHE, Job, Progress, open_index
from publisher.site.scan import scan_issues, scan_media


def check(
    folder: Path,
    settings: Settings,
    now: datetime,
    names: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> tuple[Problem, ...]:
    """Find every problem at once; with `names`, those of these issues only.

    Raises PublisherError where an issue is named that does not exist.
    """
    paths = _paths_of(folder, names)
    job = Job(
        folder=folder,
        settings=settings,
        output=folder / CACHE / "check",
        now=now,
        is_preview=True,
        is_discarded=True,
        progress=progress,
    )
    report = build(job)
    media = {file.path for file in scan_media(folder)}
    with open_index(job) as index:
        standing = [*index.problems_where("1"), *index.all_found()]
    problems = in_reading_order([*report.problems, *standing, *check_publication(settings, media)])
    return tuple(p for p in problems if p.file in paths) if names else problems


def _paths_of(folder: Path, names: tuple[str, ...]) -> set[str]:
    by_name: dict[str, set[str]] = {}
    for file in scan_issues(folder):
        name = file.path.rpartition("/")[2]
        by_name.setdefault(name.rpartition(".")[0], set()).add(file.path)
    for name in names:
        if name not in by_name:
            raise PublisherError(f"there is no issue {name!r} in {folder / 'issues'}")
    return {path for name in names for path in by_name[name]}
