"""What was changed in a published issue and no correction covers yet, as operators look at it."""

from datetime import datetime
from pathlib import Path

import msgspec

from publisher.model.choices import OWN_WORDS
from publisher.render.changes import PartChange, compare_issues
from publisher.settings import Settings
from publisher.site.build import note_folder
from publisher.site.job import Job, open_index
from publisher.site.opening import open_archive
from publisher.site.scan import list_media, read_templates
from publisher.site.versions import find_uncovered


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """An issue's id, the version of its text now, and what differs from what was last covered.

    `concerned` are as those of a correction that would be about all of it.
    """

    issue: str
    version: str
    parts: tuple[PartChange, ...]
    concerned: tuple[str, ...] = ()


def compare_published(folder: Path, settings: Settings, now: datetime, slug: str) -> Compared:
    """Compare a published issue, as its file is now, with what it said; record nothing.

    Where it is not published, or nothing was changed, there are no parts.
    """
    job = Job(folder=folder, settings=settings, output=folder / "public", now=now)
    note_folder(job)
    with open_index(job) as index:
        media = {file.path: file.problem for file in list_media(folder)}
        archive = open_archive(job, index, read_templates(folder), media)
        issue = index.live_issue(slug)
        uncovered = find_uncovered(index, issue) if issue else None
        if issue is None or uncovered is None:
            return Compared(issue="", version="", parts=())
        if not uncovered.parts:
            return Compared(issue=issue.id, version=issue.version, parts=())
        base = min(uncovered.before, key=lambda each: (each.at, each.version))
        parts = compare_issues(base.issue, issue, archive.setting)
        concerned = tuple(each or OWN_WORDS for each in uncovered.parts)
        return Compared(issue=issue.id, version=issue.version, parts=parts, concerned=concerned)
