"""Issue files: making, importing and completing them. Written aside and renamed, never half."""

import os
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from publisher.errors import PublisherError
from publisher.intake.digest import Digest, read_digest
from publisher.intake.fields import read_moment
from publisher.intake.ids import Minted, mint_ids
from publisher.intake.read import SUFFIXES, read_issue
from publisher.intake.text import MAX_BYTES, decode
from publisher.intake.tree import TreeError
from publisher.intake.write import HighlightText, IssueText, write_markdown_issue
from publisher.model.issue import Issue
from publisher.model.problem import Problem
from publisher.model.publication import Publication
from publisher.site.identity import mint_id
from publisher.site.register import sync_folder
from publisher.site.scan import ISSUES, read_file

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one imported file; `issue` and `path` are None where it was refused."""

    issue: str | None
    path: str | None
    highlights: tuple[dict[str, str], ...]
    problems: tuple[Problem, ...]


class Importing(msgspec.Struct, frozen=True, kw_only=True):
    """How to import: `date` as written (a day, an RFC 3339 time, or empty), `now` for its lack."""

    folder: Path
    publication: Publication
    now: datetime
    date: str = ""
    is_ready: bool = False
    is_forced: bool = False

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.publication.time_zone)


def import_digest(importing: Importing, data: bytes, name: str) -> Imported:
    """Turn a plain-text digest into an issue file.

    Raises PublisherError where the date is no date, or where the issue exists and `is_forced` is
    not set.
    """
    slug, moment = _place(importing, name)
    path = f"{ISSUES}/{slug}.md"
    previous = _previous(importing, slug)
    text, problems = decode(data, name)
    digest = None
    if text is not None:
        digest, found = read_digest(text, name)
        problems = (*problems, *found)
    if digest is None:
        return Imported(issue=None, path=None, highlights=(), problems=problems)
    issue = _issue_text(importing, digest, moment, previous)
    write_file(importing.folder, path, write_markdown_issue(issue).encode())
    highlights = tuple({"id": h.id, "title": h.title} for h in issue.highlights)
    return Imported(issue=slug, path=path, highlights=highlights, problems=problems)


def _place(importing: Importing, name: str) -> tuple[str, datetime]:
    """The issue's NAME and moment: `--date`, else the day a file is named after, else today."""
    written = importing.date
    if not written and _DAY.fullmatch(Path(name).stem):
        written = Path(name).stem
    written = written or importing.now.astimezone(importing.zone).date().isoformat()
    moment = read_moment(written, importing.zone)
    if moment is None:
        raise PublisherError(
            f"--date {written!r} is no date; write a day (2025-12-15) or a time with its offset"
            " (2025-12-15T07:00:00+08:00)"
        )
    return written.strip()[:10], moment


def _previous(importing: Importing, slug: str) -> Issue | None:
    """The issue that an import would replace. Raises PublisherError unless that is wanted."""
    path = find_issue(importing.folder, slug)
    if path is None:
        return None
    if not importing.is_forced:
        raise PublisherError(
            f"{path} exists; name another day with --date, or replace it with --force (the ids of"
            " highlights whose titles match are kept)"
        )
    if not path.endswith(".md"):
        raise PublisherError(f"{path} exists and is no Markdown; remove it first")
    data = read_file(importing.folder, path, MAX_BYTES)
    return read_issue(data, path, importing.zone)[0]


def _issue_text(
    importing: Importing, digest: Digest, moment: datetime, previous: Issue | None
) -> IssueText:
    known = {_folded(h.title): h for h in previous.highlights} if previous else {}
    highlights = []
    for highlight in digest.highlights:
        old = known.pop(_folded(highlight.title), None)
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
        guid=previous.guid if previous else "",
        introduction=digest.introduction,
        highlights=tuple(highlights),
    )


def _folded(title: str) -> str:
    return " ".join(title.casefold().split())


def new_issue(
    folder: Path, publication: Publication, now: datetime, date: str = "", source: str = ""
) -> str:
    """Make a draft and return its path: empty of content, or like the issue NAME `source`.

    Raises PublisherError where the date is none, the issue exists, or the source does not.
    """
    zone = ZoneInfo(publication.time_zone)
    written = date or now.astimezone(zone).replace(second=0, microsecond=0).isoformat()
    moment = read_moment(written, zone)
    if moment is None:
        raise PublisherError(f"--date {date!r} is no date; write a day such as 2025-12-15")
    slug = written.strip()[:10]
    if existing := find_issue(folder, slug):
        raise PublisherError(f"{existing} exists; name another day with --date")
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
    write_file(folder, path, write_markdown_issue(draft).encode())
    return path


def _copy_issue(folder: Path, source: str, slug: str, moment: datetime) -> str:
    path = require_issue(folder, source)
    text, _ = decode(read_file(folder, path, MAX_BYTES), path)
    copy = f"{ISSUES}/{slug}{Path(path).suffix}"
    try:
        minted = mint_ids(text or "", path, mint_id, is_fresh=True)
    except TreeError as error:
        raise PublisherError(f"{path}, line {error.line}: {error}") from None
    fresh = _set_field(minted.text, path, "date", moment.isoformat())
    fresh = _set_field(fresh, path, "status", "draft")
    write_file(folder, copy, fresh.encode())
    return copy


def _set_field(text: str, path: str, key: str, value: str) -> str:
    """Set a top-level field of an issue's text that has an id already."""
    quote = '"' if path.endswith(".json") else ""
    line = re.compile(rf"^(\s*{quote}{key}{quote}\s*:\s*)[^\n,]*(,?)$", re.MULTILINE)
    head, mark, rest = text.partition("highlights") if quote else text.partition("\n---\n")
    if line.search(head):
        return line.sub(rf"\g<1>{quote}{value}{quote}\g<2>", head, count=1) + mark + rest
    first = re.compile(rf"^(\s*){quote}id{quote}\s*:", re.MULTILINE)
    added = rf"\g<1>{quote}{key}{quote}: {quote}{value}{quote}{',' if quote else ''}\n\g<0>"
    return first.sub(added, head, count=1) + mark + rest


def write_ids(folder: Path, slug: str, *, is_fresh: bool) -> tuple[str, Minted]:
    """Mint ids into an issue's file, keeping its line ends and all else; give its path."""
    path = require_issue(folder, slug)
    data = read_file(folder, path, MAX_BYTES + 1)
    text, problems = decode(data, path)
    if text is None:
        raise PublisherError(f"{path}: {problems[0].message}")
    try:
        minted = mint_ids(text, path, mint_id, is_fresh=is_fresh)
    except TreeError as error:
        raise PublisherError(f"{path}, line {error.line}: {error}") from None
    if minted.text != text:
        ends = "\r\n" if b"\r\n" in data else "\n"
        mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
        write_file(folder, path, mark + minted.text.replace("\n", ends).encode())
    return path, minted


def find_issue(folder: Path, slug: str) -> str | None:
    """The path of the issue NAME, whichever form its file has."""
    for suffix in SUFFIXES:
        path = f"{ISSUES}/{slug}{suffix}"
        if (folder / path).exists():
            return path
    return None


def require_issue(folder: Path, slug: str) -> str:
    path = find_issue(folder, slug) if re.fullmatch(r"[a-z0-9][a-z0-9-]*", slug) else None
    if path is None:
        raise PublisherError(f"there is no issue {slug!r} in {folder / ISSUES}")
    return path


def write_file(folder: Path, path: str, data: bytes) -> None:
    """Replace a file as a whole, durably; other programs see the old one or the new one."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.new")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(target)
    sync_folder(target.parent)
