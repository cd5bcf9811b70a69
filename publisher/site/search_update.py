"""The build's last step for the server: what it searches is what is public now."""

import os
from collections.abc import Collection, Iterable
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from publisher.errors import PublisherError
from publisher.site.index import Index, moment_of, remove_index
from publisher.site.job import Job, search_path
from publisher.site.search_index import SearchError, SearchIndex
from publisher.site.search_rows import make_rows
from publisher.site.search_stamp import STAMP, has_stamp


def update_search(job: Job, index: Index, changed: Collection[str]) -> None:
    """Put the issues that changed, by NAME, into the file that the server searches.

    Where all changed, or that file is not the one that this index knows, a new one is made. Raises
    PublisherError where it cannot be written.
    """
    path = search_path(job.folder, job.output)
    stamp = str(int(index.get(STAMP) or 0) + 1)
    count = int(index.value("SELECT COUNT(*) FROM file WHERE is_live = 1"))
    is_part = has_stamp(path, index.get(STAMP)) and len(changed) < count
    if not (is_part and _write_some(job, index, path, stamp, changed)):
        _write_all(job, index, path, stamp)
    index.set(STAMP, stamp)


def _write_some(job: Job, index: Index, path: Path, stamp: str, changed: Iterable[str]) -> bool:
    """Replace issues in the file; False where that cannot be done."""
    try:
        _write(job, index, SearchIndex(path), stamp, changed)
    except SearchError:  # it may be damaged further inside
        return False
    return True


def _write_all(job: Job, index: Index, path: Path, stamp: str) -> None:
    """Write the file anew, while what there is can still be searched. Raises PublisherError."""
    aside = path.with_suffix(".new")
    try:
        remove_index(aside)
        _write(job, index, SearchIndex(aside, is_aside=True), stamp, index.live_slugs())
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        remove_index(path)
        aside.replace(path)
    except (SearchError, OSError) as error:
        raise PublisherError(f"{aside} cannot be written: {error}") from error


def _write(job: Job, index: Index, opened: SearchIndex, stamp: str, slugs: Iterable[str]) -> None:
    publication = job.settings.as_publication()
    zone = ZoneInfo(publication.time_zone)
    with closing(opened) as search, search.changing(stamp):
        for slug in slugs:
            if not search.is_aside:
                search.remove(slug)
            issue = index.live_issue(slug)
            if issue is not None and issue.date is not None:
                day = issue.date.astimezone(zone).date().isoformat()
                search.add(slug, moment_of(issue.date), day, make_rows(issue, publication))
