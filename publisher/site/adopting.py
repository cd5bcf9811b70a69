"""A former system's feed -> the guids and dates of what stands in issues/, before it is published.

An entry of the feed is an issue, or a highlight: by its guid, by the address that it had, or by its
title and day. What was published here already keeps its identity, which cannot change any more.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import msgspec

from publisher.intake.digest_lines import title_key
from publisher.intake.ids import mint_ids
from publisher.intake.moving.addresses import split_address
from publisher.intake.text import MAX_BYTES
from publisher.intake.tree import TreeError
from publisher.model.issue import Issue
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.feed_readers.documents import Document, Item
from publisher.site.identity import mint_id
from publisher.site.reading import read_all
from publisher.site.register import Record, read_register
from publisher.site.replace import write_file
from publisher.site.saving import hold_issues
from publisher.site.scan import read_file, scan_issues

# Feeds and exports may write a moment in other zones, and one of them the day alone.
_NEAR = timedelta(hours=36)


class Adopted(msgspec.Struct, frozen=True):
    """An entry that was found here: its guid, and the issue, and the highlight where it is one.

    `by` says how: by its `guid`, its `link`, or its `title`. `is_new` tells that something was
    written for it.
    """

    guid: str
    title: str
    issue: str
    highlight: str | None
    by: str
    is_new: bool


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a feed's entries: all of them are adopted, unmatched or published."""

    feed: str
    entries: int
    adopted: tuple[Adopted, ...]
    problems: tuple[Problem, ...]


class _Holder(msgspec.Struct, frozen=True):
    """An issue, or one of its highlights, as an entry may mean it."""

    issue: Issue
    highlight: str | None
    title: str
    guid: str
    links: frozenset[str]

    @property
    def id(self) -> str:
        return self.highlight or self.issue.id


class _Edits(msgspec.Struct):
    """What is to be written into one file."""

    fields: dict[str, str] = {}
    guids: dict[str, str] = {}


def adopt_feed(
    folder: Path, zone: ZoneInfo, name: str, document: Document, former: Mapping[str, str]
) -> Adoption:
    """Write a feed's guids and dates into the files that its entries are about.

    `former` are old paths of issues' pages, by which entries are known as well.
    """
    with hold_issues(folder):
        holders = list(_holders(folder, zone, former))
        adopting = _Adopting(holders, read_register(folder)[0].records, name)
        for item in document.items:
            adopting.adopt(item)
        for path, edits in sorted(adopting.edits.items()):
            _write(folder, path, edits)
    return Adoption(
        feed=name,
        entries=len(document.items),
        adopted=tuple(adopting.adopted),
        problems=tuple(adopting.problems),
    )


def _holders(folder: Path, zone: ZoneInfo, former: Mapping[str, str]) -> Iterator[_Holder]:
    links: dict[str, set[str]] = {}
    for old, new in former.items():
        links.setdefault(new, set()).add(_path_of(old))
    files = [file for file in scan_issues(folder) if not file.problem]
    for reading in read_all(folder, files, zone):
        issue = reading.issue
        if issue is None or not issue.id:
            continue
        known = links.get(f"/issues/{issue.slug}/", set()) | {f"/{issue.slug}"}
        yield _Holder(issue, None, issue.title, issue.guid, frozenset(known))
        for highlight in issue.highlights:
            if highlight.id:
                own = frozenset({_path_of(highlight.url)} if highlight.url else ())
                yield _Holder(issue, highlight.id, highlight.title, highlight.guid, own)


def _path_of(address: str) -> str:
    """What of an address stays the same when its host, its scheme or a last slash changes."""
    parts = split_address(address)
    path = unquote(parts.path).rstrip("/").removesuffix("/index.html").casefold()
    return f"{path}?{parts.query}" if parts.query and not parts.query.startswith("utm_") else path


class _Adopting:
    """Finds the holder of each entry, each of them once."""

    def __init__(self, holders: list[_Holder], records: dict[str, Record], name: str) -> None:
        self.records = records
        self.name = name
        self.left = {holder.id: holder for holder in holders}
        self.adopted: list[Adopted] = []
        self.problems: list[Problem] = []
        self.edits: dict[str, _Edits] = {}

    def adopt(self, item: Item) -> None:
        guid = item.id or item.link
        found = self._find(item, guid)
        if found is None:
            shown = item.link or guid
            self._report("feed-unmatched", title=item.title[:80], found=shown[:120])
            return
        holder, by = found
        del self.left[holder.id]
        record = self.records.get(holder.id)
        if record is not None and record.guid != guid:
            own = record.guid or holder.id
            self._report("feed-published", title=holder.title[:80], found=own)
            return
        is_new = self._edit(holder, guid, item.published or item.updated)
        slug, highlight = holder.issue.slug, holder.highlight
        self.adopted.append(Adopted(guid, holder.title, slug, highlight, by, is_new))

    def _report(self, rule: str, /, **values: str) -> None:
        self.problems.append(problem(rule, self.name, None, **values))

    def _find(self, item: Item, guid: str) -> tuple[_Holder, str] | None:
        day = item.published or item.updated
        path, title = _path_of(item.link or item.external), title_key(item.title)
        tests: tuple[tuple[str, Callable[[_Holder], bool]], ...] = (
            ("guid", lambda holder: bool(guid) and holder.guid == guid),
            ("link", lambda holder: bool(path) and path in holder.links),
            ("link", lambda holder: _ends_alike(path, holder)),
            ("title", lambda holder: bool(title) and _is_called(holder, title, day)),
        )
        for by, test in tests:
            found = [holder for holder in self.left.values() if test(holder)]
            # A post is an issue; its one highlight may have the same title.
            issues = [holder for holder in found if holder.highlight is None]
            if len(issues or found) == 1:
                return (issues or found)[0], by
        return None

    def _edit(self, holder: _Holder, guid: str, date: datetime | None) -> bool:
        """Note what is to be written; a highlight's date is its issue's, and stays."""
        edits = self.edits.get(holder.issue.path) or _Edits({}, {})
        if holder.highlight is None and holder.issue.guid != guid:
            edits.fields["guid"] = guid
        if holder.highlight and holder.guid != guid:
            edits.guids[holder.highlight] = guid
        is_other = date is not None and holder.issue.date != date
        if date and is_other and holder.highlight is None and holder.id not in self.records:
            edits.fields["date"] = date.replace(microsecond=0).isoformat()
        if edits.fields or edits.guids:
            self.edits[holder.issue.path] = edits
        return bool({"guid", "date"} & edits.fields.keys()) or holder.id in edits.guids


def _ends_alike(path: str, holder: _Holder) -> bool:
    """An address whose last name is an issue's: `/p/a-post` and issues/a-post.md."""
    return holder.highlight is None and path.rpartition("/")[2] == holder.issue.slug


def _is_called(holder: _Holder, title: str, day: datetime | None) -> bool:
    if title_key(holder.title) != title:
        return False
    own = holder.issue.date
    return day is None or own is None or abs(own - day) <= _NEAR


def _write(folder: Path, path: str, edits: _Edits) -> None:
    data = read_file(folder, path, MAX_BYTES + 1)
    try:
        minted = mint_ids(data, path, mint_id, fields=edits.fields, guids=edits.guids)
    except TreeError:  # it was read a moment ago; a file that has no place for a field stays
        return
    if minted.data != data:
        write_file(folder, path, minted.data)
