"""An export's bytes -> text, rows and moments, whatever was done to them on the way."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from publisher.intake.moving.post import DamagedError, Export
from publisher.intake.text import drop_forbidden
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

# A cell holds a whole post: csv itself stops at 131,072 characters.
_LONGEST_CELL = 20_000_000
_HEADER = re.compile(r"\W+")


def place(export: Export, path: str) -> str:
    """What to call a file of an export in messages."""
    return export.name if path == export.name else f"{export.name}:{path}"


def read_text(export: Export, path: str) -> tuple[str, tuple[Problem, ...]]:
    """A file's text with `\\n` line ends; what is no UTF-8 is read as Windows-1252.

    Raises DamagedError.
    """
    return to_text(export.read(path), place(export, path))


def to_text(data: bytes, file: str) -> tuple[str, tuple[Problem, ...]]:
    found: tuple[Problem, ...] = ()
    try:
        is_wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        if error.encoding.startswith("utf-16"):
            raise DamagedError("it is UTF-16 that breaks off") from None
        if b"\0" in data[:4096]:
            raise DamagedError("it is no text") from None
        line = data.count(b"\n", 0, error.start) + 1
        found = (problem("import-encoding", file, line),)
        text = data.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n"), found


def read_json(text: str) -> Any:
    """Parse a JSON document. Raises DamagedError with the line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        is_early = error.pos >= len(text.rstrip())
        what = "it breaks off" if is_early else error.msg
        raise DamagedError(f"it is no whole JSON: {what} (line {error.lineno})") from None
    except (RecursionError, ValueError):
        raise DamagedError("it is no JSON that can be read") from None


def strings(value: object) -> tuple[str, ...]:
    """The words in a list of JSON; none where it is something else."""
    if not isinstance(value, list):
        return ()
    return tuple(each for each in value if isinstance(each, str) and each.strip())


class Row:
    """A row of a CSV file by its columns' names, however those are written; `line` is its last."""

    def __init__(self, cells: Mapping[str, str], line: int, is_short: bool) -> None:
        self.cells = cells
        self.line = line
        self.is_short = is_short

    def damage(self, file: str) -> tuple[Problem, ...]:
        """A row that breaks off, as the last one of a download may."""
        found = "the row has fewer cells than there are columns"
        return (problem("import-damaged", file, self.line, found=found),) if self.is_short else ()

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def column_names(text: str) -> tuple[str, ...]:
    """The names in a CSV's first row: lower case, words joined by `_`; none where it has none."""
    try:
        row = next(csv.reader(_lines(text)), [])
    except csv.Error:
        return ()
    return tuple(_name(cell) for cell in row)


def read_rows(text: str) -> Iterator[Row]:
    """The rows of a CSV with a header. Raises DamagedError where it is none."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        reader = csv.reader(_lines(text))
        names = [_name(cell) for cell in next(reader, [])]
        line = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                cells = dict(zip(names, (drop_forbidden(cell) for cell in row), strict=False))
                yield Row(cells, line, len(row) < len(names))
            line = reader.line_num + 1
    except csv.Error as error:
        raise DamagedError(f"it is no CSV that can be read: {error}") from None
    finally:
        csv.field_size_limit(before)


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _name(cell: str) -> str:
    return _HEADER.sub("_", cell.strip().lower()).strip("_")


# As Mailchimp, spreadsheets and people write them, and ISO 8601 with what fromisoformat refuses.
_FORMS = (
    *("%Y-%m-%d %H:%M:%S %Z", "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M %z", "%Y/%m/%d %H:%M:%S"),
    *("%Y/%m/%d", "%b %d, %Y %I:%M %p", "%b %d, %Y %H:%M", "%b %d, %Y", "%B %d, %Y %I:%M %p"),
    *("%B %d, %Y", "%d %B %Y", "%d %b %Y", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M", "%m/%d/%Y"),
    *("%m/%d/%y %I:%M %p", "%m/%d/%y %H:%M", "%m/%d/%y"),
)
_EPOCH = re.compile(r"-?\d{9,13}")


def read_moment(written: object) -> datetime | None:
    """Read a moment as exports write it; naive where it has no offset, None where it is none."""
    text = str(written if written is not None else "").strip()
    moment = _parse(re.sub(r"\s*\(.*\)$", "", text)) if text else None
    if moment is None or not 1900 <= moment.year <= 9000:
        return None
    return moment.replace(microsecond=0)


def _parse(text: str) -> datetime | None:
    if _EPOCH.fullmatch(text):  # Ghost had milliseconds, beehiiv's API has seconds
        seconds = int(text) / (1000 if len(text.lstrip("-")) > 11 else 1)
        return datetime.fromtimestamp(seconds, UTC)
    with suppress(ValueError):
        return datetime.fromisoformat(re.sub(r" (?=[+-]\d\d:?\d\d$)", "", text))
    for form in _FORMS:
        with suppress(ValueError):
            moment = datetime.strptime(text, form)  # noqa: DTZ007 - naive where it says nothing
            return moment.replace(tzinfo=UTC) if form.endswith("%Z") else moment
    with suppress(ValueError, IndexError):
        return parsedate_to_datetime(text)
    return None


def with_offset_of(local: str, universal: str) -> datetime | None:
    """A moment that is written twice, by the wall clock and in UTC: so its offset is known."""
    wall, utc = read_moment(local), read_moment(universal)
    if wall is None or utc is None or wall.tzinfo or utc.tzinfo:
        return None
    offset = wall - utc
    if abs(offset) > timedelta(hours=26) or offset % timedelta(minutes=1):
        return utc.replace(tzinfo=UTC)
    return wall.replace(tzinfo=timezone(offset) if abs(offset) < timedelta(hours=24) else UTC)
