"""What changed in published issues: their versions as they may be shown, and the task for them."""

import msgspec

from publisher.model.issue import Correction, Issue
from publisher.model.problem import Problem
from publisher.model.version import Version, Withdrawal
from publisher.preflight.catalogue import problem
from publisher.render.changes import render_changes_page
from publisher.site.archive import Archive
from publisher.site.index import Index
from publisher.site.register import Record
from publisher.site.result import Result
from publisher.site.versions import (
    Noted,
    Told,
    describe,
    find_uncovered,
    is_changed,
    line_of,
    read_notes,
    read_versions,
)
from publisher.site.write import Output


def make_changes(archive: Archive, slug: str) -> Result:
    """The page of an issue's changes, where it has any."""
    issue = archive.issue(slug)
    if issue is None or not is_changed(archive.index, issue):
        return Result(())
    versions = versions_of(archive.index, issue)
    published = archive.dates(issue)[issue.id].published
    page = render_changes_page(archive.context, versions, published)
    return Result((Output(f"issues/{slug}/changes/index.html", page),))


def versions_of(index: Index, issue: Issue) -> tuple[Version, ...]:
    """What a published issue said, oldest first and without what was withdrawn since.

    The last is what it says now.
    """
    told = read_versions(index, issue)
    ids = {h.id for each in told for h in each.issue.highlights}
    gone = {id_: r for id_, r in index.records(ids).items() if r.withdrawn}
    notes: list[set[Correction]] = [set() for _ in told]
    for note in read_notes(index, issue):
        if told:
            notes[_find_place(told, note)].add(Correction(note.at, note.note))
    return tuple(
        _show(told, place, gone, tuple(sorted(found, key=lambda each: (each.at, each.note))))
        for place, found in enumerate(notes)
    )


def _find_place(told: tuple[Told, ...], note: Noted) -> int:
    """Where the version stands that a note led to, or the one that there was when it was made."""
    exact = [place for place, each in enumerate(told) if each.version == note.after]
    earlier = [place for place, each in enumerate(told) if each.at <= note.at]
    return (exact or earlier or [0])[-1]


def _show(
    told: tuple[Told, ...], place: int, gone: dict[str, Record], notes: tuple[Correction, ...]
) -> Version:
    each = told[place]
    before = told[place - 1].issue.highlights if place else ()
    here = {highlight.id for highlight in each.issue.highlights}
    return Version(
        name=each.version,
        at=each.at,
        issue=msgspec.structs.replace(
            each.issue, highlights=tuple(h for h in each.issue.highlights if h.id not in gone)
        ),
        corrections=notes,
        withdrawals=tuple(
            Withdrawal(h.id, record.withdrawn, record.reason)
            for h in before
            if h.id not in here and (record := gone.get(h.id)) and record.withdrawn
        ),
    )


def check_changed(archive: Archive, issue: Issue) -> list[Problem]:
    """Say that an issue was changed since it was published, until a correction covers it."""
    parts = find_uncovered(archive.index, issue).parts
    if not parts:
        return []
    values = {"slug": issue.slug, "what": describe(parts, issue)}
    return [problem("published-changed", issue.path, line_of(parts, issue), **values)]
