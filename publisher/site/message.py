"""The message of a published issue, rendered from the folder's files."""

from datetime import datetime
from pathlib import Path

import msgspec

from publisher.errors import PublisherError
from publisher.render.email import RenderedMessage, render_message
from publisher.render.views import language_of
from publisher.settings import Settings
from publisher.site.job import Job, open_index
from publisher.site.opening import open_archive
from publisher.site.scan import list_media, read_templates


class IssueMessage(msgspec.Struct, frozen=True):
    """The message of the issue NAME `slug`, for anybody."""

    slug: str
    language: str
    rendered: RenderedMessage


def render_newest_message(folder: Path, settings: Settings, now: datetime) -> IssueMessage:
    """Render the message of the newest issue of a built site.

    Raises PublisherError where nothing is published.
    """
    job = Job(folder=folder, settings=settings, output=folder / "public", now=now)
    media = {file.path: file.problem for file in list_media(folder)}
    with open_index(job) as index:
        archive = open_archive(job, index, read_templates(folder), media)
        for slug in index.live_slugs(limit=1):
            if (issue := archive.issue(slug)) is not None:
                message = render_message(issue, archive.setting, archive.context.templates)
                language = language_of(issue, archive.setting.publication)
                return IssueMessage(slug, language, message)
    raise PublisherError(f"no issue in {folder / 'issues'} is published yet")
