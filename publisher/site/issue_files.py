"""Issue files: making, importing and completing them. Written aside and renamed, never half."""

import os
import re
from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from email.utils import formataddr
from pathlib import Path, PurePath
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from publisher.errors import PublisherError
from publisher.intake.digest import Digest, read_digest
from publisher.intake.digest_lines import title_key
from publisher.intake.fields import ID, read_moment
from publisher.intake.ids import Minted, mint_ids
from publisher.intake.read import read_issue
from publisher.intake.text import MAX_BYTES, SUFFIXES, decode
from publisher.intake.tree import TreeError
from publisher.intake.write import HighlightText, IssueText, write_markdown_issue
from publisher.model.issue import Issue
from publisher.model.problem import Problem, has_errors
from publisher.model.publication import Publication
from publisher.site.identity import mint_id
from publisher.site.register import read_register
from publisher.site.replace import write_file
from publisher.site.scan import ISSUES, read_file, scan_issues

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_A_DATE = "write a day (2025-12-15) or a time with its offset from UTC (2025-12-15T07:00:00+08:00)"
_STATUS = "\nstatus: draft  # write ready here when it may be published\n"


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one imported file; `issue` and `path` are None where it was refused."""

    issue: str | None
    path: str | None
    highlights: tuple[dict[str, str], ...]
    problems: tuple[Problem, ...]


class Importing(msgspec.Struct, frozen=True, kw_only=True):
    """How to import: `date` as written (a day, an RFC 3339 time, or empty), `now` for its lack.

    `site` is where an export's posts were on the web, empty where nobody said.
    """

    folder: Path
    publication: Publication
    now: datetime
    date: str = ""
    is_ready: bool = False
    is_forced: bool = False
    site: str = ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.publication.time_zone)


class _Prepared(msgspec.Struct, frozen=True):
    """An issue to be written as NAME `slug`; `replaced` is the path of the one it replaces."""

    name: str
    slug: str
    issue: IssueText
    problems: tuple[Problem, ...]
    replaced: str | None


def import_digests(
    importing: Importing, digests: Sequence[tuple[str, bytes]]
) -> tuple[Imported, ...]:
    """Turn plain-text digests, by their files' names, into issue files; each alone may be refused.

    Raises PublisherError, with nothing written, where a date is none, two are for the same day,
    or an issue exists and `is_forced` is not set.
    """
    prepared = [_prepare(importing, name, data) for name, data in digests]
    places: dict[str, str] = {}
    for each in prepared:
        if isinstance(each, _Prepared):
            if first := places.get(each.slug):
                raise PublisherError(
                    f"{first} and {each.name} are both for {each.slug}; import them one by one,"
                    " each with a --date of its own, or join them"
                )
            places[each.slug] = each.name
    return tuple(
        _write(importing.folder, each) if isinstance(each, _Prepared) else each for each in prepared
    )


def _prepare(importing: Importing, name: str, data: bytes) -> _Prepared | Imported:
    slug, moment = _place(importing, name)
    text, problems = decode(data, name)
    digest = None
    if text is not None:
        digest, found = read_digest(text, name)
        problems = (*problems, *found)
    if digest is None:
        return Imported(issue=None, path=None, highlights=(), problems=problems)
    replaced = find_issue(importing.folder, slug)
    previous = _read_replaced(importing, replaced) if replaced else None
    issue = _issue_text(importing, digest, moment, previous)
    return _Prepared(name, slug, issue, problems, replaced)


def _write(folder: Path, prepared: _Prepared) -> Imported:
    issue, path = prepared.issue, f"{ISSUES}/{prepared.slug}.md"
    write_file(folder, path, write_markdown_issue(issue).encode())
    if prepared.replaced and prepared.replaced != path:
        (folder / prepared.replaced).unlink()
    highlights = tuple({"id": h.id, "title": h.title} for h in issue.highlights)
    return Imported(
        issue=prepared.slug, path=path, highlights=highlights, problems=prepared.problems
    )


def _place(importing: Importing, name: str) -> tuple[str, datetime]:
    """The issue's NAME and moment: `--date`, else the day a file is named after, else today."""
    if importing.date:
        return read_date(importing.date, importing.zone)
    stem = PurePath(name).stem
    if not _DAY.fullmatch(stem):
        stem = importing.now.astimezone(importing.zone).date().isoformat()
    moment = read_moment(stem, importing.zone)
    if moment is None:
        raise PublisherError(
            f"{name} is named after a day that does not exist; name it with --date"
        )
    return stem, moment


def read_date(text: str, zone: ZoneInfo) -> tuple[str, datetime]:
    """The NAME and the moment that a date on the command line means."""
    moment = read_moment(text, zone)
    if moment is None:
        raise PublisherError(f"--date {text!r} is no date; {_A_DATE}")
    return text.strip()[:10], moment


def _read_replaced(importing: Importing, path: str) -> Issue:
    """The issue that an import would replace. Raises PublisherError unless that is wanted."""
    if not importing.is_forced:
        raise PublisherError(
            f"{path} exists already, and nothing was written. Name another day with --date, or"
            " replace it with --force (highlights whose titles match keep their ids)"
        )
    data = read_file(importing.folder, path, MAX_BYTES + 1)
    issue, problems = read_issue(data, path, importing.zone)
    if issue is None:
        fault = next(problem for problem in problems if has_errors([problem]))
        raise PublisherError(
            f"{path} cannot be replaced, because its ids would be lost: {fault.message}"
            f" (line {fault.line or 1}). Correct it, or delete it if it was never published."
        )
    return issue


def _issue_text(
    importing: Importing, digest: Digest, moment: datetime, previous: Issue | None
) -> IssueText:
    known = {title_key(h.title): h for h in reversed(previous.highlights)} if previous else {}
    highlights = []
    for highlight in digest.highlights:
        old = known.pop(title_key(highlight.title), None)
        highlights.append(
            HighlightText(
                id=(old.id if old else "") or mint_id(),
                title=highlight.title,
                paragraphs=highlight.paragraphs,
                guid=old.guid if old else "",
            )
        )
    return IssueText(
        id=(previous.id if previous else "") or mint_id(),
        title=digest.title or importing.publication.title,
        date=moment.isoformat(),
        status="ready" if importing.is_ready else "draft",
        introduction=digest.introduction,
        highlights=tuple(highlights),
        **(_kept_fields(previous) if previous else {}),
    )


def _kept_fields(issue: Issue) -> dict[str, Any]:
    """What a digest does not say of an issue stays as it is, above all that it is never mailed."""
    return {
        "number": issue.number,
        "summary": issue.summary,
        "language": issue.language,
        "authors": tuple(
            formataddr((p.name, p.email)) if p.email else p.name for p in issue.authors
        ),
        "tags": tuple(tag.label for tag in issue.tags),
        "mail": issue.mail,
        "guid": issue.guid,
    }


def new_issue(
    folder: Path, publication: Publication, now: datetime, date: str = "", source: str = ""
) -> str:
    """Make a draft and return its path: empty of content, or a copy of the issue NAME `source`.

    Raises PublisherError where the date is none, the issue exists, or the source does not.
    """
    zone = ZoneInfo(publication.time_zone)
    moment = now.astimezone(zone).replace(second=0, microsecond=0)
    slug, moment = read_date(date or moment.isoformat(), zone)
    if existing := find_issue(folder, slug):
        raise PublisherError(
            f"{existing} exists already; write there, or name another day with --date"
        )
    if source:
        return _copy_issue(folder, source, slug, moment)
    draft = IssueText(
        id=mint_id(),
        title=publication.title,
        date=moment.isoformat(),
        highlights=(
            HighlightText(id=mint_id(), title="TODO: a headline", paragraphs=("TODO: its text.",)),
        ),
    )
    path = f"{ISSUES}/{slug}.md"
    text = write_markdown_issue(draft).replace("\nstatus: draft\n", _STATUS, 1)
    write_file(folder, path, text.encode())
    return path


def _copy_issue(folder: Path, source: str, slug: str, moment: datetime) -> str:
    """Copy an issue as it stands, but for its ids, its date and its status."""
    path = require_issue(folder, source)
    fields = {"date": moment.isoformat(), "status": "draft"}
    copy = f"{ISSUES}/{slug}{PurePath(path).suffix}"
    write_file(folder, copy, _mint(folder, path, is_fresh=True, fields=fields).data)
    return copy


class WrittenIds(msgspec.Struct, frozen=True):
    """How many ids were written into the file at `path`.

    `given_up` are ids that are published and now stand in no file any more.
    """

    path: str
    count: int
    given_up: tuple[str, ...]


def write_ids(folder: Path, name: str, zone: ZoneInfo, *, is_fresh: bool) -> WrittenIds:
    """Mint ids into an issue's file and leave the rest of it as it is, byte for byte."""
    path = require_issue(folder, name)
    before = _ids_in(folder, path, zone) if is_fresh else ()
    minted = _mint(folder, path, is_fresh=is_fresh)
    if minted.count:
        write_file(folder, path, minted.data)
    return WrittenIds(path, minted.count, _given_up(folder, before))


def _mint(
    folder: Path, path: str, *, is_fresh: bool, fields: dict[str, str] | None = None
) -> Minted:
    data = read_file(folder, path, MAX_BYTES + 1)
    try:
        return mint_ids(data, path, mint_id, is_fresh=is_fresh, fields=fields)
    except TreeError as error:
        raise PublisherError(f"{path}, line {error.line}: {error}") from None


def _ids_in(folder: Path, path: str, zone: ZoneInfo) -> tuple[str, ...]:
    issue, _ = read_issue(read_file(folder, path, MAX_BYTES + 1), path, zone)
    return (issue.id, *(h.id for h in issue.highlights)) if issue else ()


def _given_up(folder: Path, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the ids that readers know, and that no issue file has any more."""
    records = read_register(folder)[0].records if ids else {}
    known = [id_ for id_ in ids if id_ in records and not records[id_].withdrawn]
    if not known:
        return ()
    files = [file for file in scan_issues(folder) if not file.problem]
    texts = [read_file(folder, file.path, MAX_BYTES) for file in files]
    return tuple(id_ for id_ in known if not any(id_.encode() in text for text in texts))


def find_issue(folder: Path, slug: str) -> str | None:
    """The path of the issue NAME, whichever form its file has."""
    for suffix in SUFFIXES:
        path = f"{ISSUES}/{slug}{suffix}"
        if os.path.lexists(folder / path):
            return path
    return None


def require_issue(folder: Path, name: str) -> str:
    """The path of the issue that is meant by its NAME, or by its file."""
    slug = slug_of(name)
    path = find_issue(folder, slug) if ID.fullmatch(slug) else None
    if path is None:
        slugs = sorted(PurePath(file.path).stem for file in scan_issues(folder))
        near = get_close_matches(slug, slugs, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        hint = hint or (f"; the newest is {slugs[-1]}" if slugs else "; it has none yet")
        raise PublisherError(f"there is no issue {name!r} in {folder / ISSUES}{hint}")
    if (folder / path).is_symlink():
        raise PublisherError(f"{path} is a link; only real files are read")
    return path


def slug_of(name: str) -> str:
    """The NAME in what people type for it: also a path such as issues/2025-12-15.md."""
    path = PurePath(name)
    return path.stem if path.suffix in SUFFIXES else path.name
