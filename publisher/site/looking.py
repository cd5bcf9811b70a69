"""One issue as it will be published, whatever its state, and also before it is saved."""

from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec

from publisher.intake.read import read_issue
from publisher.model.issue import Issue
from publisher.model.problem import Problem, in_reading_order
from publisher.settings import Settings
from publisher.site.archive import Archive
from publisher.site.build import note_folder
from publisher.site.check import checking_job
from publisher.site.index import Index, Task
from publisher.site.job import Job, index_path
from publisher.site.make import check_pages, try_task
from publisher.site.media import FreshMedia
from publisher.site.opening import open_archive
from publisher.site.plan import with_provisional_ids
from publisher.site.register import Record, record_issue
from publisher.site.scan import list_media, read_templates


class Look(msgspec.Struct, frozen=True):
    """An issue's renditions by their paths in public/, and what is wrong with them.

    `issue` is None where its file cannot be read; there are no renditions then.
    """

    issue: Issue | None
    files: Mapping[str, bytes]
    problems: tuple[Problem, ...] = ()

    def text(self, path: str) -> str | None:
        data = self.files.get(path)
        return data.decode("utf-8", "replace") if data is not None else None


class _Unsaved(Archive):
    """The archive with one issue as it is being written, in place of what its file says."""

    def __init__(self, archive: Archive, issue: Issue, now: datetime) -> None:
        sizes = FreshMedia(archive.index, archive.folder)
        setting = msgspec.structs.replace(archive.setting, media=sizes)
        super().__init__(
            archive.index,
            archive.folder,
            msgspec.structs.replace(archive.context, setting=setting),
            archive.feeds,
            archive.media,
            archive.stylesheet,
            archive.card_font,
        )
        self.unsaved = issue
        self.now = now

    def issue(self, slug: str) -> Issue | None:
        if slug == self.unsaved.slug:
            return self.index.published_part(self.unsaved)
        return super().issue(slug)

    def written(self, issue: Issue) -> Issue:
        return self.unsaved if issue.slug == self.unsaved.slug else super().written(issue)

    def dates(self, issue: Issue) -> dict[str, Record]:
        if issue.slug != self.unsaved.slug:
            return super().dates(issue)
        known = self.index.records([issue.id, *(h.id for h in issue.highlights)])
        new = {record.id: record for record in record_issue(issue, known, self.now)}
        return known | new


def look_at_saved(folder: Path, settings: Settings, now: datetime, slug: str, *tasks: str) -> Look:
    """Render an issue as its file said when the folder was last read.

    `tasks` are `issue`, `page`, `feeds`.
    """
    job = checking_job(folder, settings, now)
    with closing(_open(job)) as index:
        archive = _archive(job, index)
        return _look(archive, archive.issue(slug), slug, tasks)


def look_at_text(
    folder: Path, settings: Settings, now: datetime, path: str, data: bytes, *tasks: str
) -> Look:
    """Render an issue's text that is not saved; its problems are those of the text and of these."""
    job = checking_job(folder, settings, now)
    with closing(_open(job)) as index:
        archive = _archive(job, index)
        issue, problems = read_issue(data, path, archive.setting.zone)
        if issue is None:
            return Look(None, {}, in_reading_order(problems))
        issue = with_provisional_ids(issue, now)
        look = _look(_Unsaved(archive, issue, now), issue, issue.slug, tasks)
        return msgspec.structs.replace(look, problems=in_reading_order((*problems, *look.problems)))


def _open(job: Job) -> Index:
    """What the last check knows; where there was none, what the folder holds."""
    if not index_path(job).exists():
        note_folder(job)
    return Index(index_path(job), is_readonly=True)


def _archive(job: Job, index: Index) -> Archive:
    media = {file.path: file.problem for file in list_media(job.folder)}
    return open_archive(job, index, read_templates(job.folder), media)


def _look(archive: Archive, issue: Issue | None, slug: str, tasks: tuple[str, ...]) -> Look:
    if issue is None:
        return Look(None, {})
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for task in (each for kind in tasks for each in _tasks(archive, issue, kind)):
        result = try_task(archive, task)
        files |= {output.path: output.data for output in result.outputs}
        problems += result.problems
        problems += check_pages(result.outputs)
    files |= {f"assets/{archive.stylesheet[0]}": archive.stylesheet[1]}
    return Look(issue, files, in_reading_order(problems))


def _tasks(archive: Archive, issue: Issue, kind: str) -> list[Task]:
    if kind != "feeds":
        return [(kind, issue.slug)]
    assert issue.date is not None  # noqa: S101 - one was made up where the file has none
    # An issue that the live feeds hold no more stands in its month's documents (RFC 5005).
    return [("feeds", ""), ("month", f"{issue.date.astimezone(archive.setting.zone):%Y-%m}")]
