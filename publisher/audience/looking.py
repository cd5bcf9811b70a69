"""Files of readers as they are understood, before anything of them is imported."""

from contextlib import closing
from itertools import islice

import msgspec

from publisher.audience.columns import Columns, find_header
from publisher.audience.entries import Entry, Refusal, read_entries
from publisher.audience.importing import Importing, Readable, import_subscribers, read_header
from publisher.audience.records import Source
from publisher.audience.tally import Imported

_SAMPLES = 5
_HEADERS = 40
_CHARACTERS = 80
# What a person is shown a column to be taken for.
_MEANINGS = (
    ("status", ("status", "switch")),
    ("suppressed", ("suppressed",)),
    ("language", ("language",)),
    ("paused until", ("paused_until",)),
    ("when they agreed", ("asked", "confirmed")),
    ("from where they agreed", ("asked_from", "confirmed_from")),
    ("when they left", ("ended", "failed")),
    ("why they left", ("why",)),
)


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


class LookedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file: whose export it is, its columns and its first lines."""

    name: str
    system: str
    note: str
    columns: tuple[Column, ...]
    samples: tuple[Sample, ...]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What files are understood as, and what would come of importing them now."""

    files: tuple[LookedFile, ...]
    outcome: Imported


def look_at(importing: Importing, *sources: Source) -> Look:
    """Look at files; the importing is dry. Raises PublisherError where one cannot be read."""
    files = tuple(_look_at(read_header(importing, source)) for source in sources)
    return Look(files=files, outcome=import_subscribers(importing, *sources))


def _look_at(file: Readable) -> LookedFile:
    header = find_header(file.source)
    with closing(read_entries(file.source, file.columns, file.header)) as entries:
        samples = tuple(_sample(each) for each in islice(entries, _SAMPLES))
    return LookedFile(
        name=file.source.name,
        system=file.columns.system.name,
        note=file.columns.system.note,
        columns=_describe(file.columns, header.cells if header else []),
        samples=samples,
    )


def _describe(columns: Columns, cells: list[str]) -> tuple[Column, ...]:
    meanings = {columns.email: "address"} | dict.fromkeys(columns.name, "name")
    for meaning, places in _MEANINGS:
        for each in places:
            place = getattr(columns, each)
            if place is not None:
                meanings[place] = meaning
    shown = list(enumerate(cells))[:_HEADERS]
    return tuple(Column(cell[:_CHARACTERS], meanings.get(place, "")) for place, cell in shown)


def _sample(entry: Entry | Refusal) -> Sample:
    if isinstance(entry, Refusal):
        return Sample(entry.line, entry.value[:_CHARACTERS], "", entry.reason, is_readable=False)
    standing = entry.standing
    note = standing.reason or standing.status or ""
    return Sample(entry.line, entry.address.email, entry.name, note, is_readable=True)
