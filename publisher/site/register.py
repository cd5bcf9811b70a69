"""issues/register.jsonl: the append-only record of what was published.

One JSON object a line. The last state of an id does not depend on the order of the lines, so that
two branches that both published can be merged by keeping the lines of both.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from publisher.model.issue import Highlight, Issue
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.site.identity import hash_highlight, hash_issue
from publisher.site.lines import append_lines, read_header
from publisher.site.scan import read_file

PATH = "issues/register.jsonl"

Moment = Annotated[datetime, Meta(tz=True)]


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one published id.

    `slug` is an issue's NAME, `issue` the id of the issue that a highlight was last published in,
    `moved` when either became another, `former` the NAMEs that it had before, in their alphabet's
    order. `guid` is the identity that was adopted when it was first published, and stays.
    `withdrawn` is when it was taken back, for good.
    """

    id: str
    kind: Literal["issue", "highlight"]
    published: Moment
    updated: Moment
    hash: str
    slug: str = ""
    issue: str = ""
    moved: Moment | None = None
    former: tuple[str, ...] = ()
    guid: str = ""
    withdrawn: Moment | None = None
    reason: str = ""


class Register(msgspec.Struct, frozen=True):
    """The register's content: the publication's id at its beginning, and the state of each id."""

    publication: str
    records: dict[str, Record]


def read_register(folder: Path) -> tuple[Register, tuple[Problem, ...]]:
    """Read the register; a missing one is empty. What cannot be read is an error with its line."""
    try:
        data = read_file(folder, PATH)
    except FileNotFoundError:
        data = b""
    return parse_register(data)


def parse_register(data: bytes) -> tuple[Register, tuple[Problem, ...]]:
    """Fold the lines into the state of each id, whatever their order."""
    records: dict[str, Record] = {}
    publication = ""
    problems = []
    decode = msgspec.json.Decoder(Record).decode
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            if (header := read_header(line)) is not None:
                publication = publication or header
            elif number < len(lines):  # a last line without its end is a torn write: never counted
                problems.append(problem("register-unreadable", PATH, number, path=PATH))
            continue
        known = records.get(record.id)
        records[record.id] = _merge(known, record) if known else record
    return Register(publication, records), tuple(problems)


def _merge(one: Record, other: Record) -> Record:
    """Join two records of one id: earliest publication, latest update, withdrawn for good.

    Content and place may have been changed in two branches, so each is taken by itself. Registers
    of before there was `former` hold an issue's earlier NAMEs as well: each in a line of its own.
    """
    first = min(one, other, key=lambda r: (r.published, r.updated, r.hash, r.guid))
    late = max(one, other, key=lambda r: (r.updated, r.hash))
    placed = max(one, other, key=lambda r: (r.moved or r.published, r.slug, r.issue))
    withdrawals = sorted((r.withdrawn, r.reason) for r in (one, other) if r.withdrawn)
    return msgspec.structs.replace(
        late,
        published=first.published,
        guid=first.guid,
        slug=placed.slug,
        issue=placed.issue,
        moved=placed.moved,
        former=_former({*one.former, *other.former, one.slug, other.slug}, placed.slug),
        withdrawn=withdrawals[0][0] if withdrawals else None,
        reason=withdrawals[0][1] if withdrawals else "",
    )


def _former(slugs: set[str], slug: str) -> tuple[str, ...]:
    """The NAMEs that are not the present one; highlights have none."""
    return tuple(sorted(slugs - {slug, ""}))


def append_register(folder: Path, publication: str, records: Iterable[Record]) -> None:
    """Append records durably: written whole, synced, and never after half a line."""
    append_lines(folder, PATH, publication, [msgspec.json.encode(record) for record in records])


def record_issue(issue: Issue, known: Mapping[str, Record], now: datetime) -> list[Record]:
    """The records that publishing an issue as it stands now adds: new, changed and moved ids.

    A first `updated` is the issue's date plus k seconds, k being the highlight's place (the issue
    itself has 0). A later one is `now`, each id's a second apart, since W3C's rules flag entries
    that were updated in the same second.
    """
    if issue.date is None:
        raise ValueError(f"{issue.path} has no date")
    highlights = [
        _first(highlight, place, issue)
        for place, highlight in enumerate(issue.highlights, 1)  # a withdrawn one keeps its place
        if not _is_withdrawn(known.get(highlight.id))
    ]
    wanted = [
        Record(
            id=issue.id,
            kind="issue",
            published=issue.date,
            updated=issue.date,
            hash=hash_issue(issue, {record.id: record.hash for record in highlights}),
            slug=issue.slug,
            guid=issue.guid,
        ),
        *highlights,
    ]
    changed = [record for record in wanted if (k := known.get(record.id)) and k.hash != record.hash]
    moments = {
        record.id: now.replace(microsecond=0) - timedelta(seconds=len(changed) - 1 - place)
        for place, record in enumerate(changed)
    }
    return [
        record
        for new in wanted
        if (record := _next(known.get(new.id), new, moments.get(new.id), now)) is not None
    ]


def _first(highlight: Highlight, place: int, issue: Issue) -> Record:
    assert issue.date is not None  # noqa: S101 - checked by the only caller
    moment = issue.date + timedelta(seconds=place)
    return Record(
        id=highlight.id,
        kind="highlight",
        published=moment,
        updated=moment,
        hash=hash_highlight(highlight),
        issue=issue.id,
        guid=highlight.guid,
    )


def _next(
    known: Record | None, new: Record, moment: datetime | None, now: datetime
) -> Record | None:
    """The record that follows a known one, or None where nothing changed."""
    if known is None:
        return new
    updated, moved = known.updated, known.moved
    if moment is not None:
        updated = _after(updated, moment)
    if (known.slug, known.issue) != (new.slug, new.issue):
        moved = _after(moved or known.published, now.replace(microsecond=0))
    following = msgspec.structs.replace(
        known,
        updated=updated,
        hash=new.hash,
        slug=new.slug,
        issue=new.issue,
        moved=moved,
        former=_former({*known.former, known.slug}, new.slug),
    )
    return following if following != known else None


def _after(earlier: datetime, moment: datetime) -> datetime:
    """The moment, or the second after an earlier one that a clock that was wrong has recorded."""
    return max(moment.astimezone(earlier.tzinfo), earlier + timedelta(seconds=1))


def _is_withdrawn(record: Record | None) -> bool:
    return record is not None and record.withdrawn is not None
