"""What was read -> what a draft is made of: new, each story once, and counted by its source."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from publisher.sources.addresses import page_key, without_tracking
from publisher.sources.model import Entry, Feed, Source
from publisher.sources.same import Stories, Wording, read_wording

Order = Literal["newest", "source"]

# A clock that goes ahead by so much is one; a date beyond it is none.
_AHEAD = timedelta(hours=1)
_NAME_CHARACTERS = 80
_JOINTS = (" - ", " – ", " — ", " | ", " · ")


class Also(msgspec.Struct, frozen=True):
    """Where else a story is told."""

    source: str
    url: str


class Chosen(msgspec.Struct, frozen=True):
    """An entry for the draft: whose it is, and who tells the same."""

    entry: Entry
    source: str
    also: tuple[Also, ...] = ()


class Tally(msgspec.Struct, frozen=True):
    """What became of a source's entries, each of which is in one of the numbers behind the first.

    `folded` tell what another one tells; `known` are in an issue or a draft already; `left_over`
    are more than were wanted; `unusable` have no link or no title.
    """

    entries: int = 0
    taken: int = 0
    folded: int = 0
    known: int = 0
    too_old: int = 0
    left_over: int = 0
    unusable: int = 0


class Known(msgspec.Struct, frozen=True):
    """An entry that was left out, since the issue NAME has it already."""

    title: str
    url: str
    issue: str


class Choice(msgspec.Struct, frozen=True):
    """What was chosen, in the draft's order, and what became of all else, source by source."""

    chosen: tuple[Chosen, ...]
    tallies: tuple[Tally, ...]
    known: tuple[Known, ...]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a draft is to have: entries since a moment, at most so many (0: all).

    `known` are issues' NAMEs by the keys of the pages that they link to.
    """

    since: datetime
    most: int
    order: Order = "newest"
    known: Mapping[str, str] = {}


class _Candidate(msgspec.Struct):
    """An entry with its place: of its source in the list, and of the story it belongs to."""

    place: int
    entry: Entry
    source: str
    key: str
    wording: Wording
    also: list[Also] = []


def name_source(source: Source, feed: Feed | None) -> str:
    """What a source is called: by the editor, by itself, or by its host."""
    name = source.name or (feed.title if feed else "") or urlsplit(source.url).hostname or ""
    return name[:_NAME_CHARACTERS].strip()


def date_entries(
    feed: Feed, seen: Mapping[str, datetime], now: datetime
) -> tuple[Feed, dict[str, datetime]]:
    """Date those that have no date, or one to come, by when they were first seen here.

    Gives what was seen, too: of the entries that this concerns, by their pages' keys.
    """
    first: dict[str, datetime] = {}
    entries = []
    for entry in feed.entries:
        if entry.date is None or entry.date > now + _AHEAD:
            key = page_key(entry.url)
            date = first[key] = first.get(key) or seen.get(key, now)
            entry = msgspec.structs.replace(entry, date=date)
        entries.append(entry)
    return msgspec.structs.replace(feed, entries=tuple(entries)), first


def choose(feeds: Sequence[tuple[str, Feed]], wanted: Wanted) -> Choice:
    """Choose from feeds, by their names and in their order, which is that of their weight.

    Of one story in several sources, the first source's is taken, and the others are named with it.
    """
    counts = [{"entries": len(f.entries) + f.unusable, "unusable": f.unusable} for _, f in feeds]
    known: list[Known] = []
    fresh: list[_Candidate] = []
    for place, (name, feed) in enumerate(feeds):
        for candidate in _newest_first(place, name, feed):
            entry = candidate.entry
            if entry.date is None or entry.date < wanted.since:
                _count(counts[place], "too_old")
            elif issue := wanted.known.get(candidate.key):
                _count(counts[place], "known")
                known.append(Known(entry.title, entry.url, issue))
            else:
                fresh.append(candidate)
    stories = _fold(fresh, counts)
    if wanted.order == "newest":
        stories.sort(key=lambda each: each.entry.date or wanted.since, reverse=True)
    end = wanted.most or len(stories)
    for at, candidate in enumerate(stories):
        _count(counts[candidate.place], "taken" if at < end else "left_over")
    chosen = [Chosen(each.entry, each.source, tuple(each.also)) for each in stories[:end]]
    return Choice(tuple(chosen), tuple(Tally(**each) for each in counts), tuple(known))


def _newest_first(place: int, name: str, feed: Feed) -> list[_Candidate]:
    candidates = []
    for entry in feed.entries:
        source = entry.source[:_NAME_CHARACTERS].strip() or name
        title = _without_names(entry.title, {source, name, feed.title})
        entry = msgspec.structs.replace(entry, title=title, url=without_tracking(entry.url))
        key = page_key(entry.url)
        candidates.append(_Candidate(place, entry, source, key, read_wording(title), []))
    candidates.sort(key=lambda each: each.entry.date.timestamp() if each.entry.date else 0.0)
    return candidates[::-1]


def _without_names(title: str, names: set[str]) -> str:
    """A title without the name of who tells it, which stands beside it anyway."""
    for joint in _JOINTS:
        head, found, tail = title.rpartition(joint)
        if found and head.strip() and tail.strip().casefold() in {n.casefold() for n in names}:
            return head.strip()
    return title


def _fold(candidates: list[_Candidate], counts: list[dict[str, int]]) -> list[_Candidate]:
    """One candidate for each story; it is given the others, which are counted."""
    by_page: dict[str, _Candidate] = {}
    stories = Stories(each.wording for each in candidates)
    first: list[_Candidate] = []
    for candidate in candidates:
        leader = by_page.get(candidate.key)
        if leader is None and (at := stories.find(candidate.wording)) is not None:
            leader = first[at]
        by_page.setdefault(candidate.key, leader or candidate)
        if leader is None:
            first.append(candidate)
            stories.add(candidate.wording)
            continue
        _count(counts[candidate.place], "folded")
        also = Also(candidate.source, candidate.entry.url)
        if candidate.source not in (leader.source, *(each.source for each in leader.also)):
            leader.also.append(also)
    return first


def _count(counts: dict[str, int], what: str) -> None:
    counts[what] = counts.get(what, 0) + 1
