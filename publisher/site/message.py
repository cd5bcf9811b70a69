"""The message of a published issue, rendered from the folder's files."""

from datetime import datetime
from pathlib import Path

from publisher.errors import PublisherError
from publisher.render.email import RenderedMessage, render_message
from publisher.settings import Settings
from publisher.site.job import Job, open_archive, open_index
from publisher.site.scan import read_templates, scan_media


def render_newest_message(
    folder: Path, settings: Settings, now: datetime
) -> tuple[str, RenderedMessage]:
    """Render the message of the newest issue of a built site; give the issue's NAME too.

    Raises PublisherError where nothing is published.
    """
    job = Job(folder=folder, settings=settings, output=folder / "public", now=now)
    media = frozenset(file.path for file in scan_media(folder))
    with open_index(job) as index:
        archive = open_archive(job, index, read_templates(folder), media)
        for slug in index.live_slugs(limit=1):
            if (issue := archive.issue(slug)) is not None:
                return slug, render_message(issue, archive.setting, archive.context.templates)
    raise PublisherError(f"no issue in {folder / 'issues'} is published yet")
