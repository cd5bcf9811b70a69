"""check: everything that build would say, drafts and future issues included, writing nothing."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path, PurePath

from publisher.model.problem import Problem, in_reading_order
from publisher.preflight.publication import check_publication
from publisher.settings import Settings
from publisher.site.build import build
from publisher.site.index import Index
from publisher.site.issue_files import require_issue
from publisher.site.job import CACHE, Job, Progress, open_index
from publisher.site.numbering import find_misnumbered
from publisher.site.scan import scan_media
from publisher.site.vanished import find_vanished


def check(
    folder: Path,
    settings: Settings,
    now: datetime,
    names: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> tuple[Problem, ...]:
    """Find every problem at once; with `names`, those of these issues only, their pages included.

    Raises PublisherError where an issue is named that does not exist.
    """
    paths = [require_issue(folder, name) for name in names]
    job = checking_job(folder, settings, now, progress)
    report = build(job)
    media = {file.path for file in scan_media(folder)}
    with open_index(job) as index:
        standing = [*index.problems_where("1"), *index.all_found(), *find_vanished(index)]
        standing += find_misnumbered(index)
        wanted = _files_of(index, paths)
    problems = in_reading_order([*report.problems, *standing, *check_publication(settings, media)])
    return tuple(p for p in problems if p.file in wanted) if names else problems


def checking_job(
    folder: Path, settings: Settings, now: datetime, progress: Progress | None = None
) -> Job:
    """A build of everything that keeps nothing but what it found."""
    return Job(
        folder=folder,
        settings=settings,
        output=folder / CACHE / "check",
        now=now,
        is_preview=True,
        is_discarded=True,
        progress=progress,
    )


def _files_of(index: Index, paths: Iterable[str]) -> set[str]:
    """The files that problems of these issues are reported in."""
    files: set[str] = set()
    for path in paths:
        slug = PurePath(path).stem
        ids = index.rows("SELECT id FROM ident WHERE path = ?", path)
        files |= {path, f"issues/{slug}/index.html"}
        files |= {f"highlights/{id_}/index.html" for (id_,) in ids}
    return files
