"""The issues as they are in the folder, drafts too, without publishing anything."""

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec

from publisher.model.issue import Status
from publisher.settings import Settings
from publisher.site.build import note_folder
from publisher.site.index import Index, moment_of
from publisher.site.job import Job, index_path, open_index
from publisher.site.plan import Reading
from publisher.site.records import sign_records
from publisher.site.scan import File, list_media, read_templates, scan_issues


class IssueState(msgspec.Struct, frozen=True, kw_only=True):
    """An issue as it is written now. `changed_at` is its file's last change."""

    id: str
    slug: str
    date: datetime
    changed_at: datetime
    status: Status
    mail: bool
    highlights: int
    has_errors: bool


def read_states(
    folder: Path, settings: Settings, now: datetime, since: datetime
) -> list[IssueState]:
    """The issues dated since a moment that can be read; what is not readable has no date."""
    job = site_job(folder, settings, now)
    note_folder(job)
    return find_states(job, since)


def site_job(folder: Path, settings: Settings, now: datetime) -> Job:
    """The build of the site, whose index knows what is public."""
    return Job(folder=folder, settings=settings, output=folder / "public", now=now)


def find_states(job: Job, since: datetime) -> list[IssueState]:
    """The same, as the folder was when it was last read; no build is waited for."""
    states = []
    with closing(Index(index_path(job), is_readonly=True)) as index:
        index.db.execute("BEGIN")  # all that is asked is of one moment
        sql = "SELECT path, state FROM file WHERE moment >= ? AND state <> 'unreadable'"
        for path, state in index.rows(sql, moment_of(since)):
            issue = index.issue(path)
            changed_at = _changed_at(job.folder / path)
            if issue.date is None or changed_at is None:
                continue
            part = index.published_part(issue)
            states.append(
                IssueState(
                    id=issue.id,
                    slug=issue.slug,
                    date=issue.date,
                    changed_at=changed_at,
                    status=issue.status,
                    mail=issue.mail,
                    highlights=len(part.highlights),
                    has_errors=state == "broken" or index.is_withdrawn(issue.id),
                )
            )
    return states


def find_readings(job: Job, paths: Iterable[str]) -> dict[str, Reading]:
    """What files said when the folder was last read, by their paths.

    Who has a file's bytes too sees by its signature whether these are the same.
    """
    readings = {}
    with closing(Index(index_path(job), is_readonly=True)) as index:
        for path in paths:
            if (known := index.reading(path)) is not None:
                signature, issue, problems = known
                readings[path] = Reading(File(path, signature), issue, problems)
    return readings


def _changed_at(path: Path) -> datetime | None:
    """When a file was last written, renamed or put here, which no program can set.

    None where it is gone since it was listed.
    """
    try:
        return datetime.fromtimestamp(path.lstat().st_ctime, UTC)
    except FileNotFoundError:
        return None


class Waiting(msgspec.Struct, frozen=True):
    """An issue that is ready, and whose date was still to come at the last build."""

    date: datetime
    path: Path

    def is_unchanged_since(self, moment: float) -> bool:
        """Tell whether its file was last written before a moment, in seconds since 1970."""
        changed_at = _changed_at(self.path)
        return changed_at is not None and changed_at.timestamp() <= moment


def read_waiting(folder: Path, settings: Settings, now: datetime) -> list[Waiting]:
    """The issues that the last build left for their date to come."""
    with open_index(site_job(folder, settings, now)) as index:
        sql = "SELECT path, moment FROM file WHERE is_live = 0 AND state = 'ready'"
        rows = index.rows(f"{sql} AND moment > ?", moment_of(now))
    return [Waiting(datetime.fromtimestamp(at, UTC), folder / path) for path, at in rows]


class Look(msgspec.Struct, frozen=True):
    """A folder at one moment: `files` is another string where any of its files has changed.

    `register` is that of the register and the history, which builds write. `newest` is the last
    change of an issue's file, in seconds since 1970.
    """

    files: str
    register: str
    newest: float

    @property
    def signature(self) -> str:
        return f"{self.files} {self.register}"


def look_at(folder: Path) -> Look:
    """Look at a folder without reading its issues. Raises PublisherError as read_templates does."""
    issues = scan_issues(folder)
    known = [(file.path, file.signature) for file in (*issues, *list_media(folder))]
    changes = [_changed_at(folder / file.path) for file in issues if not file.problem]
    return Look(
        files=sha256(repr((known, sorted(read_templates(folder).items()))).encode()).hexdigest(),
        register=" ".join(sign_records(folder).values()),
        newest=max((each.timestamp() for each in changes if each is not None), default=0.0),
    )
