"""The feeds as a build would make them now, without one: nothing is written or published."""

from datetime import datetime
from pathlib import Path

from publisher.errors import PublisherError
from publisher.model.problem import Problem
from publisher.settings import Settings
from publisher.site.build import note_folder
from publisher.site.feed_files import is_feed
from publisher.site.index import Index
from publisher.site.job import CACHE, Job, open_index
from publisher.site.opening import open_archive
from publisher.site.scan import read_templates, scan_media
from publisher.site.tasks import run_task


def make_feeds(folder: Path, settings: Settings, now: datetime) -> dict[str, bytes]:
    """The publication's live feeds by their paths.

    Raises PublisherError where the issues have errors, so that there would be no build.
    """
    # An output folder that is never made, so that the index is one of its own.
    job = Job(folder=folder, settings=settings, output=folder / CACHE / "ahead", now=now)
    note_folder(job, is_foreseen=True)
    with open_index(job) as index:
        found = index.problems_where("state IN ('unreadable', 'broken')")
        _require_sound([each for each in found if each.level == "error"])
        return _run(job, index)


def _run(job: Job, index: Index) -> dict[str, bytes]:
    media = {file.path: file.problem for file in scan_media(job.folder)}
    archive = open_archive(job, index, read_templates(job.folder), media)
    outputs = run_task(archive, "feeds", "").outputs
    return {output.path: output.data for output in outputs if is_feed(output.path)}


def _require_sound(problems: list[Problem]) -> None:
    if problems:
        first = problems[0]
        raise PublisherError(
            f"{first.file}: {first.message}; `publisher check` says all that would stop a build"
        )
