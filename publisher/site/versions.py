"""The versions of issues and the notes on their changes, as the index has them from the history."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from publisher.model.issue import Correction, Highlight, Issue
from publisher.model.problem import Problem
from publisher.site.history import (
    CorrectionLine,
    History,
    VersionLine,
    read_history,
    read_text,
    write_text,
)
from publisher.site.identity import hash_parts, version_of
from publisher.site.index import Index


class Told(msgspec.Struct, frozen=True):
    """What an issue said from `at` on."""

    at: datetime
    version: str
    issue: Issue


class Noted(msgspec.Struct, frozen=True):
    """A correction of an issue; `part` is a highlight's id, or empty for the issue's own words."""

    part: str
    at: datetime
    before: str
    after: str
    note: str


def note_history(
    index: Index, folder: Path, signature: str, added: Sequence[CorrectionLine]
) -> tuple[Problem, ...]:
    """Take over a history that somebody else changed, with the corrections that a build adds.

    Those are not in the file yet: a build that comes to nothing leaves it to the next one to read
    the file again. What is wrong with it is given back.
    """
    if index.get("history") == signature and not added:
        return ()
    history, problems = read_history(folder)
    if problems:
        return problems
    changed = _take_versions(index, history)
    changed |= _take_corrections(index, (*history.corrections, *added))
    for id_ in changed:
        index.run("DELETE FROM told WHERE issue = ? AND is_pending = 1", id_)
        index.reread_holders(id_)
    index.set("history", "" if added else signature)
    return ()


def _take_versions(index: Index, history: History) -> set[str]:
    """Give the ids of the issues of which other versions are known now."""
    rows = {
        (each.issue, _key(each.at), each.version): bytes(each.text)
        for each in reversed(history.versions)  # where two say the same, the first in their order
    }
    sql = "SELECT issue, at, version, text FROM told WHERE is_pending = 0"
    known = {(issue, at, version): text for issue, at, version, text in index.rows(sql)}
    gone = known.keys() - rows.keys()
    new = [key for key, text in rows.items() if known.get(key) != text]
    for key in gone:
        index.run("DELETE FROM told WHERE issue = ? AND at = ? AND version = ?", *key)
    for key in new:
        index.run("INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?, 0)", *key, rows[key])
    return {key[0] for key in (*gone, *new)}


def _take_corrections(index: Index, corrections: Iterable[CorrectionLine]) -> set[str]:
    """Give the ids of the issues and highlights that have other notes now."""
    rows = {
        (each.issue, part, _key(each.at), each.before, each.after, each.note)
        for each in corrections
        for part in each.highlights or ("",)
    }
    known = set(index.rows("SELECT issue, part, at, before, after, note FROM noted"))
    for row in known - rows:
        where = "issue = ? AND part = ? AND at = ? AND before = ? AND after = ? AND note = ?"
        index.run(f"DELETE FROM noted WHERE {where}", *row)  # noqa: S608 - fixed
    for row in rows - known:
        index.run("INSERT INTO noted VALUES (?, ?, ?, ?, ?, ?)", *row)
    return {id_ for row in known ^ rows for id_ in row[:2] if id_}


def with_history(index: Index, issue: Issue) -> Issue:
    """An issue with the notes on it and on its highlights, and with its version's name.

    A highlight keeps its notes when it moves to another issue.
    """
    notes: dict[str, list[Correction]] = {}
    sql = (
        "SELECT DISTINCT part, at, note FROM noted WHERE (issue = ? AND part = '')"
        " OR (part <> '' AND part IN (SELECT value FROM json_each(?))) ORDER BY at, note"
    )
    ids = msgspec.json.encode([highlight.id for highlight in issue.highlights]).decode()
    for part, at, note in index.rows(sql, issue.id, ids):
        notes.setdefault(part, []).append(Correction(datetime.fromisoformat(at), note))
    return msgspec.structs.replace(
        issue,
        version=version_of(index.published_part(issue)),
        corrections=tuple(notes.get("", ())),
        highlights=tuple(_annotate(h, notes) for h in issue.highlights),
    )


def _annotate(highlight: Highlight, notes: dict[str, list[Correction]]) -> Highlight:
    found = notes.get(highlight.id)
    return msgspec.structs.replace(highlight, corrections=tuple(found)) if found else highlight


def note_version(index: Index, issue: Issue, at: datetime) -> None:
    """Note what an issue is to say from its register's date on, where that is something new."""
    index.run("DELETE FROM told WHERE issue = ? AND is_pending = 1", issue.id)
    sql = "SELECT at, version FROM told WHERE issue = ? ORDER BY at DESC, version DESC LIMIT 1"
    for last, version in index.rows(sql, issue.id):
        if version == issue.version:
            return
        # Two branches, or a clock that was wrong, may have told of another later.
        at = max(at, datetime.fromisoformat(last) + timedelta(seconds=1))
    text = write_text(index.published_part(issue))
    sql = "INSERT INTO told VALUES (?, ?, ?, ?, 1)"
    index.run(sql, issue.id, _key(at), issue.version, text)


def pending_versions(index: Index) -> list[VersionLine]:
    """What this build adds to the history."""
    # SQLite would carry the texts along while it sorts, which takes most of the time.
    rows = index.rows("SELECT at, issue, version, text FROM told WHERE is_pending = 1")
    return [
        VersionLine(id_, version, datetime.fromisoformat(at), msgspec.Raw(text))
        for at, id_, version, text in sorted(rows, key=itemgetter(0, 1))
    ]


def is_changed(index: Index, issue: Issue) -> bool:
    """Tell whether an issue has said something else since it was published, as far as is known."""
    return int(index.value("SELECT COUNT(*) FROM told WHERE issue = ?", issue.id)) > 1


def read_versions(index: Index, issue: Issue) -> tuple[Told, ...]:
    """What an issue said, oldest first; the last is what it says now."""
    sql = "SELECT at, version, text FROM told WHERE issue = ? ORDER BY at, version"
    return tuple(
        Told(datetime.fromisoformat(at), version, read_text(text, issue.slug, issue.path, issue.id))
        for at, version, text in index.rows(sql, issue.id)
    )


def read_notes(index: Index, issue: Issue) -> tuple[Noted, ...]:
    """The corrections of an issue, oldest first; of several highlights, one for each."""
    sql = "SELECT part, at, before, after, note FROM noted WHERE issue = ? ORDER BY at, note, part"
    return tuple(
        Noted(part, datetime.fromisoformat(at), *rest)
        for part, at, *rest in index.rows(sql, issue.id)
    )


def read_last_text(index: Index, issue: str, id_: str) -> Issue | None:
    """The last text of an issue that had an id in it, or was it; None where none is known."""
    sql = "SELECT text FROM told WHERE issue = ? AND is_pending = 0 ORDER BY at DESC, version DESC"
    for (text,) in index.rows(sql, issue):
        found = read_text(text, "", "", issue)
        if id_ == issue or any(highlight.id == id_ for highlight in found.highlights):
            return found
    return None


def mark_changed_issues(index: Index) -> None:
    """Mark the pages of changes, whose former versions may hold what was withdrawn."""
    sql = "SELECT slug FROM file WHERE is_live = 1 AND issue IN (SELECT issue FROM told"
    for (slug,) in index.rows(f"{sql} GROUP BY issue HAVING COUNT(*) > 1)"):
        index.mark("changes", slug)


class Uncovered(msgspec.Struct, frozen=True):
    """What was changed since its last correction, or since it was published where it has none.

    `parts` are ids of highlights, and the empty one for the issue's own words, in the issue's
    order; `before` is, for each, the version that it is compared with.
    """

    parts: tuple[str, ...]
    before: tuple[Told, ...]


def find_uncovered(index: Index, issue: Issue) -> Uncovered:
    """Find what no correction covers yet of a published issue."""
    names = index.rows("SELECT DISTINCT version FROM told WHERE issue = ?", issue.id)
    if names in ([], [(issue.version,)]):  # nearly all issues
        return Uncovered((), ())
    told, notes = read_versions(index, issue), read_notes(index, issue)
    gone = {h.id for each in told for h in each.issue.highlights if index.is_withdrawn(h.id)}
    present = hash_parts(issue)
    found = [
        (part, base)
        for part in present
        if _has_changed(part, issue, base := _find_base(part, told, notes), present, gone)
    ]
    return Uncovered(tuple(part for part, _ in found), tuple(base for _, base in found))


def _find_base(part: str, told: tuple[Told, ...], notes: tuple[Noted, ...]) -> Told:
    """The version that the last correction of a part left, or else the first."""
    last = next((note for note in reversed(notes) if note.part == part), None)
    if last is None:
        return told[0]
    exact = [each for each in told if each.version == last.after]
    earlier = [each for each in told if each.at <= last.at]
    return (exact or earlier or told)[-1 if exact or earlier else 0]


def _has_changed(
    part: str, issue: Issue, base: Told, present: dict[str, str], gone: set[str]
) -> bool:
    before = hash_parts(base.issue)
    if part or present[part] != before[part]:
        return present[part] != before.get(part)
    # The order of what was there, and what has gone elsewhere, is the issue's own affair.
    stayed = [h.id for h in issue.highlights if h.id in before]
    return stayed != [h.id for h in base.issue.highlights if h.id not in gone]


def _key(moment: datetime) -> str:
    """A time whose text sorts as it does."""
    return moment.astimezone(UTC).isoformat()


def describe(parts: Sequence[str], issue: Issue) -> str:
    """Say in words which parts of an issue are meant."""
    titles = {h.id: h.title or h.id for h in issue.highlights}
    return ", ".join(f"“{titles[part]}”" if part else "its own words" for part in parts)


def line_of(parts: Sequence[str], issue: Issue) -> int:
    """Where the first of these parts stands in the issue's file."""
    lines: dict[str, Any] = {h.id: h.line for h in issue.highlights}
    return lines.get(parts[0], 0) or 1
