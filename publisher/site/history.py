"""issues/history.jsonl: what published issues said at which time, and what was noted on changes.

One JSON object a line, beside the register and kept as it is: append-only, committed, the same
whatever the order of its lines, so that two branches are merged by keeping the lines of both.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from publisher.model import content as c
from publisher.model.issue import Highlight, Issue, Person, Tag
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.site.lines import append_lines, read_header
from publisher.site.scan import read_file

PATH = "issues/history.jsonl"

Moment = Annotated[datetime, Meta(tz=True)]


class VersionLine(msgspec.Struct, frozen=True, tag_field="kind", tag="version"):
    """What an issue said from `at` on: `version` names it, `text` is a Text."""

    issue: str
    version: str
    at: Moment
    text: msgspec.Raw


class CorrectionLine(msgspec.Struct, frozen=True, tag_field="kind", tag="correction"):
    """A note on what was changed between two versions.

    `highlights` are the ids that it concerns; none means the issue's own words.
    """

    issue: str
    at: Moment
    before: str = msgspec.field(name="from")
    after: str = msgspec.field(name="to")
    highlights: tuple[str, ...]
    note: str


Line = VersionLine | CorrectionLine


class Text(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that readers see of an issue, in a form that stays (decision 13)."""

    title: str = ""
    number: int | None = None
    date: Moment | None = None
    summary: str = ""
    language: str = ""
    authors: tuple[Person, ...] = ()
    tags: tuple[Tag, ...] = ()
    introduction: c.Blocks = ()
    highlights: tuple[Highlight, ...] = ()


class History(msgspec.Struct, frozen=True):
    """The lines, each once, in the order of their times."""

    versions: tuple[VersionLine, ...]
    corrections: tuple[CorrectionLine, ...]


def write_text(issue: Issue) -> bytes:
    """Write an issue's text as JSON; withdrawn highlights must have been left out."""
    values = {name: getattr(issue, name) for name in Text.__struct_fields__}
    values["date"] = issue.date.astimezone(UTC) if issue.date else None
    values["introduction"] = _without_lines(issue.introduction)
    values["highlights"] = tuple(
        msgspec.structs.replace(h, guid="", line=0, corrections=(), body=_without_lines(h.body))
        for h in issue.highlights
    )
    return msgspec.json.encode(Text(**values))


def _without_lines(value: Any) -> Any:
    """The same nodes, as if none of them had been read from a file."""
    if isinstance(value, tuple):
        return tuple(_without_lines(item) for item in value)
    if not isinstance(value, c.Node):
        return value
    names = value.__struct_fields__
    return type(value)(
        *(0 if name == "line" else _without_lines(getattr(value, name)) for name in names)
    )


_read_text = msgspec.json.Decoder(Text).decode


def read_text(data: bytes, slug: str, path: str, id_: str) -> Issue:
    """An issue as a text of it says, with what a text does not say."""
    text = _read_text(data)
    values = {name: getattr(text, name) for name in Text.__struct_fields__}
    return Issue(slug=slug, path=path, id=id_, status="ready", **values)


def read_history(folder: Path) -> tuple[History, tuple[Problem, ...]]:
    """Read the history; a missing one is empty. What cannot be read is an error with its line."""
    try:
        data = read_file(folder, PATH)
    except FileNotFoundError:
        data = b""
    return parse_history(data)


def parse_history(data: bytes) -> tuple[History, tuple[Problem, ...]]:
    """Sort the lines by their times; the same line twice is there once."""
    found: dict[tuple[Any, ...], Line] = {}
    problems = []
    decode = msgspec.json.Decoder(Line).decode
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            each = decode(line)
            if isinstance(each, VersionLine):
                _read_text(each.text)
            found[_order(each)] = each
        except (msgspec.MsgspecError, UnicodeDecodeError):
            # A last line without its end is a torn write: never counted.
            if read_header(line) is None and number < len(lines):
                problems.append(problem("register-unreadable", PATH, number, path=PATH))
    ordered = [found[key] for key in sorted(found)]
    versions = tuple(each for each in ordered if isinstance(each, VersionLine))
    corrections = tuple(each for each in ordered if isinstance(each, CorrectionLine))
    return History(versions, corrections), tuple(problems)


def _order(line: Line) -> tuple[Any, ...]:
    if isinstance(line, VersionLine):
        return 0, line.at, line.issue, line.version, bytes(line.text)
    return 1, line.at, line.issue, line.highlights, line.after, line.before, line.note


def append_history(folder: Path, publication: str, lines: Iterable[Line]) -> None:
    """Append lines durably: written whole, synced, and never after half a line."""
    append_lines(folder, PATH, publication, [msgspec.json.encode(line) for line in lines])
