"""A draft issue of what sources have that is new, for an editor to prune."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from publisher.errors import PublisherError
from publisher.intake.write import HighlightText, IssueText, write_markdown_issue
from publisher.runtime.fetching import MOST_BYTES, name_agent
from publisher.runtime.reading import SECONDS, Progress, Reading, Status, open_reader
from publisher.runtime.shelf import Shelf
from publisher.settings import Settings
from publisher.site.identity import mint_id
from publisher.site.issue_files import find_issue, read_date
from publisher.site.linked import find_linked
from publisher.site.replace import write_new_file
from publisher.site.saving import hold_issues
from publisher.site.scan import ISSUES
from publisher.sources.addresses import absolute_url
from publisher.sources.choose import (
    Also,
    Choice,
    Chosen,
    Known,
    Wanted,
    choose,
    date_entries,
    name_source,
)
from publisher.sources.draft import Style, draft_issue
from publisher.sources.feed import read_feed
from publisher.sources.model import Feed, Source, UnreadableError
from publisher.sources.opml import is_opml, read_opml


class Drafting(msgspec.Struct, frozen=True, kw_only=True):
    """How to draft: from the list, feed or URL `origin`, whose path is seen from `base`.

    `date` is as written (a day, an RFC 3339 time, or empty); `most` is 0 for no limit.
    """

    folder: Path
    settings: Settings
    now: datetime
    origin: str
    base: Path
    since: timedelta
    most: int
    date: str = ""
    seconds: float = SECONDS


class Origin(msgspec.Struct, frozen=True):
    """What is to be read: sources, or the one feed of a file; `notes` on what cannot be."""

    sources: list[Source]
    notes: list[str] = []
    feed: Feed | None = None


class SourceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a source, and of how many of its entries (see Tally)."""

    name: str
    url: str
    status: Status
    reason: str
    entries: int
    taken: int
    folded: int
    known: int
    too_old: int
    left_over: int
    unusable: int


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """A highlight of the draft; `also` are others who tell the same."""

    id: str
    title: str
    url: str
    source: str
    also: tuple[Also, ...]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; `issue` and `path` are None where nothing was new, or nothing was read."""

    issue: str | None
    path: str | None
    since: datetime
    highlights: tuple[Drafted, ...]
    sources: tuple[SourceReport, ...]
    known: tuple[Known, ...]
    notes: tuple[str, ...]

    @property
    def is_unread(self) -> bool:
        """Tell whether nothing could be read of any source."""
        return all(each.status in ("failed", "gone") for each in self.sources)


def draft(drafting: Drafting, progress: Progress | None = None) -> Draft:
    """Read sources and write what is new into a draft.

    Raises PublisherError, with nothing asked, where the date is none, its issue exists, or the
    list cannot be read.
    """
    settings, now = drafting.settings, drafting.now
    zone = ZoneInfo(settings.publication.time_zone)
    moment = now.astimezone(zone).replace(second=0, microsecond=0)
    slug, date = read_date(drafting.date or moment.isoformat(), zone)
    require_free(drafting.folder, slug)
    origin = find_origin(drafting.origin, drafting.base)
    readings = _read(drafting, origin, progress)
    named = [(name_source(each.source, each.feed), each.feed or Feed()) for each in readings]
    wanted = Wanted(
        since=now - drafting.since,
        most=drafting.most,
        order=settings.sources.order,
        known=find_linked(drafting.folder),
    )
    choice = choose(named, wanted)
    style = Style(
        title=settings.publication.title,
        language=settings.publication.language,
        summary=settings.sources.summary,
        has_tags=settings.sources.categories,
    )
    issue = draft_issue(choice.chosen, style, date, mint_id)
    path = write_draft(drafting.folder, slug, issue) if issue.highlights else None
    return Draft(
        issue=slug if path else None,
        path=path,
        since=wanted.since,
        highlights=tuple(map(_report_highlight, issue.highlights, choice.chosen)),
        sources=_report_sources(readings, named, choice),
        known=choice.known,
        notes=tuple(origin.notes),
    )


def require_free(folder: Path, slug: str) -> None:
    """Raise PublisherError where there is an issue of a NAME."""
    if existing := find_issue(folder, slug):
        raise PublisherError(f"{existing} exists already; name another day with --date")


def find_origin(origin: str, base: Path) -> Origin:
    """What is to be read. Raises PublisherError where that is nothing."""
    if "://" in origin:
        url = absolute_url("", origin)
        if not url:
            raise PublisherError(f"{origin} is no http(s) URL of a feed, or has a password in it")
        return Origin([Source(url)])
    path = base / origin
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UnreadableError(f"it is longer than {MOST_BYTES:,} bytes")
        if not is_opml(data):
            return Origin([Source(path.name)], feed=read_feed(data))
        sources, wrong = read_opml(data)
    except FileNotFoundError:
        raise PublisherError(
            f"there is no {origin}: write it (OPML, as feed readers export it), or name a list, a"
            " feed's file or its URL with --from"
        ) from None
    except OSError as error:
        raise PublisherError(f"{origin} cannot be read: {error.strerror}") from None
    except UnreadableError as error:
        raise PublisherError(f"{origin} cannot be used: {error}") from None
    if not sources:
        raise PublisherError(f"{origin} names no feed: an outline of it needs an xmlUrl")
    return Origin(sources, [f"{origin}, {each}" for each in wrong])


def _read(drafting: Drafting, origin: Origin, progress: Progress | None) -> Sequence[Reading]:
    if origin.feed:
        feed, _ = date_entries(origin.feed, {}, drafting.now)
        return [Reading(source=origin.sources[0], status="fetched", feed=feed)]
    shelf = Shelf(drafting.folder)
    shelf.tidy()
    reader = open_reader(
        shelf,
        drafting.now,
        name_agent(drafting.settings.as_publication().url),
        drafting.settings.sources.allow_private,
        drafting.seconds,
    )
    return reader.read_all(origin.sources, progress)


def write_draft(folder: Path, slug: str, issue: IssueText) -> str:
    """Write a draft where there is no issue yet. Raises PublisherError where one has come."""
    path = f"{ISSUES}/{slug}.md"
    with hold_issues(folder):
        require_free(folder, slug)
        try:
            write_new_file(folder, path, write_markdown_issue(issue).encode())
        except FileExistsError:
            raise PublisherError(f"{path} has just come; name another day with --date") from None
    return path


def _report_highlight(highlight: HighlightText, chosen: Chosen) -> Drafted:
    return Drafted(
        id=highlight.id,
        title=chosen.entry.title,
        url=chosen.entry.url,
        source=chosen.source,
        also=chosen.also,
    )


def _report_sources(
    readings: Sequence[Reading], named: Sequence[tuple[str, Feed]], choice: Choice
) -> tuple[SourceReport, ...]:
    return tuple(
        SourceReport(
            name=name,
            url=reading.source.url,
            status=reading.status,
            reason=reading.reason,
            **msgspec.structs.asdict(tally),
        )
        for reading, (name, _), tally in zip(readings, named, choice.tallies, strict=True)
    )
