"""The message of an issue, rendered from the folder's files."""

from datetime import datetime
from pathlib import Path

import msgspec
from jinja2 import Environment

from publisher.errors import PublisherError
from publisher.model.issue import Issue
from publisher.render.correction import CorrectionNote, render_correction
from publisher.render.email import RenderedMessage, render_message
from publisher.render.views import Greeting, Setting, language_of
from publisher.settings import Settings
from publisher.site.archive import Archive
from publisher.site.check import checking_job
from publisher.site.correct import Corrected
from publisher.site.index import Index
from publisher.site.job import Job, open_index
from publisher.site.media import used_media
from publisher.site.opening import open_archive
from publisher.site.scan import list_media, read_templates


class IssueMessage(msgspec.Struct, frozen=True):
    """An issue and its message, for anybody, and what others of the same issue are rendered with.

    `setting` knows the sizes of the issue's own images, and needs no index for that.
    """

    issue: Issue
    language: str
    rendered: RenderedMessage
    setting: Setting
    templates: Environment


def render_published(folder: Path, settings: Settings, now: datetime, slug: str) -> IssueMessage:
    """Render the message of a published issue, after a build.

    Raises PublisherError where it is not published.
    """
    job = Job(folder=folder, settings=settings, output=folder / "public", now=now)
    return _render(job, slug)


def render_welcome(
    folder: Path, settings: Settings, now: datetime, slug: str, greeting: Greeting
) -> IssueMessage:
    """Render the message that welcomes a reader with a published issue.

    Raises PublisherError where it is not published any more.
    """
    job = Job(folder=folder, settings=settings, output=folder / "public", now=now)
    return _render(job, slug, greeting)


def render_mailed_correction(
    folder: Path, settings: Settings, now: datetime, corrected: Corrected, subject: str
) -> RenderedMessage:
    """Render the message about a correction of a published issue, which answers `subject`.

    Raises PublisherError where the issue is not published any more.
    """
    job = Job(folder=folder, settings=settings, output=folder / "public", now=now)
    with open_index(job) as index:
        archive = open_published(job, index)
        issue = _require(archive, corrected.slug)
        note = CorrectionNote(
            issue=issue,
            note=corrected.note,
            at=corrected.at,
            changed=tuple(each for each in issue.highlights if each.id in corrected.highlights),
            has_own_words=corrected.has_own_words,
            changes_url=archive.setting.urls.changes(corrected.slug),
        )
        return render_correction(note, subject, archive.setting, archive.context.templates)


def render_checked(folder: Path, settings: Settings, now: datetime, slug: str) -> IssueMessage:
    """Render the message of an issue that was checked, a draft too; the same bytes, once built."""
    return _render(checking_job(folder, settings, now), slug)


def find_newest(folder: Path, settings: Settings, now: datetime) -> str:
    """The NAME of the newest issue of a built site; PublisherError where nothing is published."""
    job = Job(folder=folder, settings=settings, output=folder / "public", now=now)
    with open_index(job) as index:
        for slug in index.live_slugs(limit=1):
            return slug
    raise PublisherError(f"no issue in {folder / 'issues'} is published yet")


def _render(job: Job, slug: str, greeting: Greeting | None = None) -> IssueMessage:
    with open_index(job) as index:
        archive = open_published(job, index)
        issue = _require(archive, slug)
        setting, templates = archive.setting, archive.context.templates
        return IssueMessage(
            issue=issue,
            language=language_of(issue, setting.publication),
            rendered=render_message(issue, setting, templates, greeting),
            setting=msgspec.structs.replace(setting, media=measure(issue, setting)),
            templates=templates,
        )


def measure(issue: Issue, setting: Setting) -> dict[str, tuple[int, int]]:
    """The sizes of what an issue uses, apart from the index."""
    found = {path: setting.media.get(path) for path in used_media(issue, setting.urls)}
    return {path: size for path, size in found.items() if size}


def _require(archive: Archive, slug: str) -> Issue:
    issue = archive.issue(slug)
    if issue is None:
        raise PublisherError(f"the issue {slug} is not published")
    return issue


def open_published(job: Job, index: Index) -> Archive:
    """The published archive, to render messages from."""
    media = {file.path: file.problem for file in list_media(job.folder)}
    return open_archive(job, index, read_templates(job.folder), media)
