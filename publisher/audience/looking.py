"""A file of readers as it is understood, before anything of it is imported."""

from contextlib import closing
from itertools import islice

import msgspec

from publisher.audience.columns import Columns, Entry, Refusal, find_columns
from publisher.audience.importing import Imported, Importing, import_subscribers, read_entries
from publisher.audience.records import Source, read_records

_SAMPLES = 5
_HEADERS = 40
_CHARACTERS = 80


class Column(msgspec.Struct, frozen=True):
    """A column: what its header says, and what it is taken for; empty where it is left alone."""

    header: str
    meaning: str


class Sample(msgspec.Struct, frozen=True):
    """One of the first lines; `note` is what becomes of them, or why they cannot be read."""

    line: int
    email: str
    name: str
    note: str
    is_readable: bool


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A file's columns and first lines, and what would come of importing it now."""

    columns: tuple[Column, ...]
    samples: tuple[Sample, ...]
    outcome: Imported


def look_at(importing: Importing, source: Source) -> Look:
    """Look at a file; the importing is dry. Raises PublisherError where it cannot be read."""
    found, columns, line = find_columns(source)
    with closing(read_records(found)) as records:
        cells = next(record.cells for record in records if record.line == line)
    with closing(read_entries(found, columns, line)) as entries:
        samples = tuple(_sample(each) for each in islice(entries, _SAMPLES))
    return Look(
        columns=_describe(columns, cells),
        samples=samples,
        outcome=import_subscribers(importing, source),
    )


def _describe(columns: Columns, cells: list[str]) -> tuple[Column, ...]:
    meanings = {columns.email: "address"} | dict.fromkeys(columns.name, "name")
    for meaning, place in (
        ("status", columns.status),
        ("suppressed", columns.suppressed),
        ("language", columns.language),
        ("paused until", columns.paused_until),
    ):
        if place is not None:
            meanings[place] = meaning
    shown = list(enumerate(cells))[:_HEADERS]
    return tuple(Column(cell[:_CHARACTERS], meanings.get(place, "")) for place, cell in shown)


def _sample(entry: Entry | Refusal) -> Sample:
    if isinstance(entry, Refusal):
        return Sample(entry.line, entry.value[:_CHARACTERS], "", entry.reason, is_readable=False)
    standing = entry.standing
    note = standing.reason or standing.status or "passed over"
    return Sample(entry.line, entry.address.email, entry.name, note, is_readable=True)
