"""correct: say what was changed in a published issue, and why."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path, PurePath
from zoneinfo import ZoneInfo

import msgspec

from publisher.errors import PublisherError
from publisher.intake.fields import one_line
from publisher.model.choices import OWN_WORDS
from publisher.model.issue import Issue
from publisher.settings import Settings
from publisher.site.build import note_folder
from publisher.site.history import CorrectionLine
from publisher.site.index import Index
from publisher.site.issue_files import require_issue
from publisher.site.job import Job, open_index
from publisher.site.versions import Told, Uncovered, find_uncovered, read_notes

# Two or three sentences; what is longer belongs into the issue itself.
MAX_NOTE = 1_000


class UnchangedError(PublisherError):
    """Nothing was changed that no correction covers."""


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """A correction of the issue NAME `slug`: what changed between two versions, and why.

    `highlights` are the ids of those that changed; `has_own_words` tells that the issue's own
    words did. A build that is handed `lines` publishes and records it.
    """

    issue: str
    slug: str
    before: str
    after: str
    highlights: tuple[str, ...]
    has_own_words: bool
    note: str
    at: datetime

    @property
    def concerned(self) -> tuple[str, ...]:
        """What it is about: highlights, and OWN_WORDS where these were corrected."""
        return (*self.highlights, OWN_WORDS) if self.has_own_words else self.highlights

    @property
    def lines(self) -> tuple[CorrectionLine, ...]:
        groups = [self.highlights] if self.highlights else []
        groups += [()] if self.has_own_words else []
        return tuple(
            CorrectionLine(self.issue, self.at, self.before, self.after, group, self.note)
            for group in groups
        )


def plan_correction(
    folder: Path,
    settings: Settings,
    now: datetime,
    name: str,
    note: str,
    highlights: Sequence[str] = (),
) -> Corrected:
    """Find what a note on the issue NAME as its file is now is about, and record nothing yet.

    That is all that was changed since its last correction, or since it was published, or of this
    the named highlights. Raises PublisherError where there is nothing, and where it is not
    published.
    """
    words = one_line(note)
    if not words:
        raise PublisherError(
            '--note says nothing: say what was wrong, as in --note "The year is 1994."'
        )
    if len(words) > MAX_NOTE:
        found = f"--note has {len(words):,} characters, more than readers are to read"
        raise PublisherError(f"{found} ({MAX_NOTE:,}); say what was wrong and what is right")
    slug = PurePath(require_issue(folder, name)).stem
    job = Job(folder=folder, settings=settings, output=folder / "public", now=now)
    note_folder(job)
    with open_index(job) as index:
        issue = _require_published(index, slug)
        parts, bases = _choose(find_uncovered(index, issue), issue, highlights)
    zone = ZoneInfo(settings.publication.time_zone)
    return Corrected(
        issue=issue.id,
        slug=slug,
        before=min(bases, key=lambda base: (base.at, base.version)).version,
        after=issue.version,
        highlights=tuple(filter(None, parts)),
        has_own_words="" in parts,
        note=words,
        at=now.astimezone(zone).replace(microsecond=0),
    )


def recall_correction(
    folder: Path, settings: Settings, now: datetime, name: str
) -> Corrected | None:
    """The last correction of the issue NAME, where it led to what the issue says now.

    What was to follow it, such as a mailing, may have been kept from that.
    """
    slug = PurePath(require_issue(folder, name)).stem
    job = Job(folder=folder, settings=settings, output=folder / "public", now=now)
    note_folder(job)
    with open_index(job) as index:
        issue = _require_published(index, slug)
        led = [each for each in read_notes(index, issue) if each.after == issue.version]
    if not led:
        return None
    last = max(led, key=lambda each: (each.at, each.note))
    parts = [each.part for each in led if (each.at, each.note) == (last.at, last.note)]
    return Corrected(
        issue=issue.id,
        slug=slug,
        before=last.before,
        after=last.after,
        highlights=tuple(filter(None, parts)),
        has_own_words="" in parts,
        note=last.note,
        at=last.at,
    )


def _require_published(index: Index, slug: str) -> Issue:
    issue = index.live_issue(slug)
    if issue is None or not index.value("SELECT 1 FROM told WHERE issue = ?", issue.id):
        raise PublisherError(
            f"{slug} is not published as it stands, so that there is nothing to correct;"
            f" `publisher check {slug}` says what keeps it, `publisher build` publishes it"
        )
    return issue


def _choose(
    uncovered: Uncovered, issue: Issue, highlights: Sequence[str]
) -> tuple[list[str], list[Told]]:
    """The changed parts that a correction is to be about, and what each of them is compared with.

    Raises PublisherError where there are none, or others are named.
    """
    if not uncovered.parts:
        raise UnchangedError(
            f"nothing was changed in {issue.slug} since it was published or last corrected: write"
            " what is right into its file first"
        )
    changed = [part for part in uncovered.parts if part]
    for id_ in highlights:
        if id_ not in changed:
            what = f"; these were: {', '.join(changed)}" if changed else "; only its own words were"
            raise PublisherError(f"the highlight {id_!r} of {issue.slug} was not changed{what}")
    chosen = [
        (part, base)
        for part, base in zip(uncovered.parts, uncovered.before, strict=True)
        if not highlights or part in highlights
    ]
    return [part for part, _ in chosen], [base for _, base in chosen]
