"""Which entries a feed holds: live windows, and archive documents by month (RFC 5005)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import msgspec

from publisher.model.feed import Deletion, Entry, Feed
from publisher.model.issue import Issue
from publisher.model.problem import Problem
from publisher.preflight.feed import MAX_BYTES, check_feed
from publisher.render.atom import render_atom
from publisher.render.entries import entry_id, highlight_entry, issue_entry
from publisher.render.jsonfeed import render_json
from publisher.render.rss import render_rss
from publisher.render.views import TagView
from publisher.site.archive import Archive
from publisher.site.deletions import Gone
from publisher.site.index import moment_of
from publisher.site.order import effective_tags, places
from publisher.site.write import Output

# Above this many issues a live feed would pass the limit anyway; it bounds what is looked at.
_MOST_ISSUES = 1_000
# What an entry takes in a feed beside its content, about.
_ENTRY_BYTES = 600

FORMATS = (("atom", render_atom), ("rss", render_rss), ("json", render_json))

# A month's documents, of which there is one for each tag, hold the same entries.
_KEPT_ISSUES = 40

# The entries of one issue in one feed.
Choose = Callable[[Archive, Issue], list[Entry]]


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One recurring feed: its name below public/, its identity, and what it takes from an issue."""

    stem: str
    name: str
    title: str
    url: str
    choose: Choose
    tag: str = ""


def channels(archive: Archive) -> tuple[Channel, Channel]:
    """The two feeds of the whole publication: of highlights and of issues."""
    publication = archive.setting.publication
    of_issues = archive.setting.words().of_issues
    home = archive.setting.urls.home()
    return (
        Channel(
            stem="feed",
            name="highlights",
            title=publication.title,
            url=home,
            choose=choose_highlights,
        ),
        Channel(
            stem="issues",
            name="issues",
            title=f"{publication.title}: {of_issues}",
            url=home,
            choose=choose_issue,
        ),
    )


def tag_channel(archive: Archive, tag: TagView) -> Channel:
    return Channel(
        stem=f"tags/{tag.slug}/feed",
        name=f"tags/{tag.slug}",
        title=f"{archive.setting.publication.title}: {tag.label}",
        url=tag.url,
        choose=partial(choose_tagged, tag.slug),
        tag=tag.slug,
    )


def choose_highlights(archive: Archive, issue: Issue) -> list[Entry]:
    """The entries of an issue's highlights, kept for the next feed that holds them."""
    kept = archive.entries
    if issue.slug not in kept:
        if len(kept) >= _KEPT_ISSUES:
            kept.pop(next(iter(kept)))
        kept[issue.slug] = _make_entries(archive, issue)
    return kept[issue.slug]


def choose_tagged(tag: str, archive: Archive, issue: Issue) -> list[Entry]:
    entries = choose_highlights(archive, issue)
    return [entry for entry in entries if tag in {each.slug for each in entry.tags}]


def choose_issue(archive: Archive, issue: Issue) -> list[Entry]:
    dates = archive.dates(issue)[issue.id]
    full = archive.feeds.full_content
    return [issue_entry(issue, archive.setting, dates, full_content=full)]


def _make_entries(archive: Archive, issue: Issue) -> list[Entry]:
    dates = archive.dates(issue)
    return [
        highlight_entry(
            msgspec.structs.replace(highlight, tags=effective_tags(highlight, issue)),
            place,
            issue,
            archive.setting,
            dates[highlight.id],
            full_content=archive.feeds.full_content,
        )
        for place, highlight in places(issue)
    ]


def live_outputs(archive: Archive, channel: Channel) -> tuple[list[Output], list[Problem]]:
    """The live feed in its three formats, whole oldest issues dropped above the size limit.

    Where that or the window leaves out issues of the newest month, which is not over, so that
    nothing else holds them, the month's archive document as it stands now comes with the feed.
    A reader need not fetch again what stands at an address that it knows (RFC 5005, section 4), so
    that document's address says how far it goes.
    """
    issues = _window(archive, channel)
    groups = [channel.choose(archive, issue) for issue in issues]
    while True:
        entries = [entry for group in groups for entry in group]
        month = _month_beyond(archive, channel, issues[: len(groups)])
        until = issues[0].slug if month else ""
        gone = _gone_beside(archive, channel, issues[: len(groups)])
        feed = _make_feed(archive, channel, entries, gone, beyond=month, until=until)
        documents = [(suffix, render(feed)) for suffix, render in FORMATS]
        suffix, largest = max(documents, key=lambda document: len(document[1]))
        if len(largest) <= MAX_BYTES or len(groups) < 2:
            break
        groups = _drop_oldest(groups, len(largest))
    outputs = [Output(f"{channel.stem}.{ending}", data) for ending, data in documents]
    problems = check_feed(feed, largest, f"{channel.stem}.{suffix}")
    if month:
        issues = archive.issues(archive.index.live_slugs("AND month = ?", month))
        outputs.append(_archive_document(archive, channel, month, issues))
    return outputs, problems


def _gone(archive: Archive, channel: Channel) -> list[Gone]:
    """What was withdrawn of what a channel has; of which tags it had may not be known."""
    if channel.tag:
        return [each for each in archive.gone if channel.tag in each.tags and _is_part(each)]
    return [each for each in archive.gone if _is_part(each) == (channel.name == "highlights")]


def _is_part(gone: Gone) -> bool:
    return gone.kind == "highlight"


def _gone_beside(archive: Archive, channel: Channel, live: list[Issue]) -> list[Gone]:
    """What was withdrawn from among the issues of a live feed, or after them."""
    start = min((moment_of(issue.date) for issue in live if issue.date), default=0)
    return [each for each in _gone(archive, channel) if each.moment >= start]


def _month_beyond(archive: Archive, channel: Channel, live: list[Issue]) -> str:
    """The newest month, if it has issues that are not in the live feed; else nothing."""
    month = newest_month(archive)
    slugs = archive.index.live_slugs("AND month = ?", month)
    if channel.tag:
        sql = "SELECT DISTINCT slug FROM tagged WHERE month = ? AND tag = ?"
        slugs = [row[0] for row in archive.index.rows(sql, month, channel.tag)]
    return month if set(slugs) - {issue.slug for issue in live} else ""


def _drop_oldest(groups: list[list[Entry]], largest: int) -> list[list[Entry]]:
    """Drop most of the oldest issues that their share of the feed says, at least one."""
    sizes = [sum(len(entry.content) + _ENTRY_BYTES for entry in group) + 1 for group in groups]
    # Shares are an estimate, and no issue is dropped without need.
    excess = 0.9 * (largest - MAX_BYTES) / largest * sum(sizes)
    kept = len(groups) - 1
    dropped = sizes[kept]
    while kept > 1 and dropped + sizes[kept - 1] <= excess:
        kept -= 1
        dropped += sizes[kept]
    return groups[:kept]


def _window(archive: Archive, channel: Channel) -> list[Issue]:
    """The issues of the window counted back from the newest, at least `min_issues`."""
    if channel.tag:
        sql = (
            "SELECT DISTINCT moment, slug FROM tagged WHERE tag = ?"
            " ORDER BY moment DESC, slug DESC LIMIT ?"
        )
        rows = archive.index.rows(sql, channel.tag, _MOST_ISSUES)
    else:
        sql = (
            "SELECT moment, slug FROM file WHERE is_live = 1"
            " ORDER BY moment DESC, slug DESC LIMIT ?"
        )
        rows = archive.index.rows(sql, _MOST_ISSUES)
    newest = max(rows[0][0] if rows else 0, 0 if channel.tag else _newest_withdrawn(archive))
    start = newest - archive.feeds.window.total_seconds()
    least = archive.feeds.min_issues
    slugs = [slug for place, (moment, slug) in enumerate(rows) if place < least or moment >= start]
    return archive.issues(slugs)


def _newest_withdrawn(archive: Archive) -> int:
    """The moment of the newest issue that was taken back; 0 where there is none.

    It still bounds the window: without it entries would come back that had left the feed, and
    readers that forget those (Thunderbird, a day later) would show them as new.
    """
    return max(
        (moment_of(record.published) for record in archive.withdrawn if record.kind == "issue"),
        default=0,
    )


def month_outputs(archive: Archive, month: str) -> list[Output]:
    """The archive documents of a month that is over: of both feeds, and of each tag's in it.

    A month is over when a later one has an issue. Its documents then stay as they are until an
    entry of theirs changes, as RFC 5005, section 4, wants; a client that knows one need not look
    at older ones. They carry no link to later documents, so that nothing but that changes them.
    """
    issues = archive.issues(archive.index.live_slugs("AND month = ?", month))
    if not issues or month >= newest_month(archive):
        return []
    tags = archive.index.rows("SELECT DISTINCT tag FROM tagged WHERE month = ? ORDER BY 1", month)
    named = [tag for (slug,) in tags if (tag := archive.tag(slug))]
    return [
        _archive_document(archive, channel, month, issues)
        for channel in (*channels(archive), *(tag_channel(archive, tag) for tag in named))
    ]


def _archive_document(
    archive: Archive, channel: Channel, month: str, issues: list[Issue]
) -> Output:
    """A month's document; it may be empty, so that the chain leads on behind it."""
    entries = [entry for issue in issues for entry in channel.choose(archive, issue)]
    gone = [each for each in _gone(archive, channel) if each.month == month]
    feed = _make_feed(archive, channel, entries, gone, month)
    return Output(_document(channel, month), render_atom(feed))


def newest_month(archive: Archive) -> str:
    sql = "SELECT month FROM file WHERE is_live = 1 ORDER BY moment DESC, slug DESC LIMIT 1"
    return archive.index.value(sql) or ""


def _document(channel: Channel, month: str) -> str:
    return f"archive/{month}/{channel.stem}.atom"


def _make_feed(
    archive: Archive,
    channel: Channel,
    entries: list[Entry],
    gone: list[Gone],
    month: str = "",
    beyond: str = "",
    until: str = "",
) -> Feed:
    """Put a document together: a month's, or a live one, with `beyond` as its newest archive.

    `until` is the NAME of the newest issue in that archive document, while its month is not over.
    """
    publication, urls = archive.setting.publication, archive.setting.urls
    stem = _document(channel, month).removesuffix(".atom") if month else channel.stem
    previous = beyond or _previous_month(archive, channel, month)
    address = urls.path(_document(channel, previous)) if previous else ""
    return Feed(
        id=f"{publication.id}/feeds/{channel.name}",
        title=channel.title,
        description=publication.description,
        url=channel.url,
        stem=urls.path(stem),
        language=publication.language,
        updated=_updated(archive, entries, gone, is_whole=not (month or channel.tag)),
        entries=tuple(entries),
        deletions=tuple(
            Deletion(
                id=entry_id(publication.id, each.id, each.guid), when=each.when, reason=each.reason
            )
            for each in gone
        ),
        authors=tuple(filter(None, [publication.author])),
        rights=publication.rights,
        logo=archive.logo_url,
        tags_url=urls.path("tags/"),
        hub="" if month else archive.feeds.hub,
        is_archive=bool(month),
        current=urls.path(f"{channel.stem}.atom") if month else "",
        previous=f"{address}?until={until}" if until else address,
    )


def _previous_month(archive: Archive, channel: Channel, month: str) -> str:
    """The newest month before `month`, or before the newest of all, that has a document."""
    before = month or newest_month(archive)
    if channel.tag:
        sql = "SELECT MAX(month) FROM tagged WHERE tag = ? AND month < ?"
        return archive.index.value(sql, channel.tag, before) or ""
    sql = "SELECT MAX(month) FROM file WHERE is_live = 1 AND month < ?"
    return archive.index.value(sql, before) or ""


def _updated(
    archive: Archive, entries: list[Entry], gone: list[Gone], *, is_whole: bool
) -> datetime:
    """When anything in the feed last changed; the publication's beginning where it is empty.

    A withdrawal changes the feeds of the whole publication, however long ago it stood there.
    """
    moments = [*(entry.updated for entry in entries), *(each.when for each in gone)]
    if is_whole:
        moments += [record.withdrawn for record in archive.withdrawn if record.withdrawn]
    if not moments:
        return _beginning(archive.setting.publication.id)
    return max(moments).astimezone(archive.setting.zone)


def _beginning(publication_id: str) -> datetime:
    """The date in a tag: URI (RFC 4151, section 2.1)."""
    match = re.search(r",(\d{4})(?:-(\d\d))?(?:-(\d\d))?:", publication_id)
    year, month, day = (int(part or 1) for part in match.groups()) if match else (1970, 1, 1)
    try:
        return datetime(year, month, day, tzinfo=UTC)
    except ValueError:  # no such day
        return datetime(max(year, 1), 1, 1, tzinfo=UTC)
