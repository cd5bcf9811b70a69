"""CSV -> subscribers: a stream of any size, in chunks that are each written as a whole.

Files of which any cannot be read to its end are refused before anything is written. An import that
was stopped is run again: who is there already is passed over.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from itertools import islice

import msgspec

from publisher.audience.chunk import Ask, Chunk, Foreseen
from publisher.audience.columns import Columns, find_columns
from publisher.audience.entries import Entry, Refusal, read_entries
from publisher.audience.records import Progress, Source, check_records
from publisher.audience.standings import Standing
from publisher.audience.tally import Imported, Tally
from publisher.store.database import Database

# A transaction of so many takes half a second, in which delivery waits; in smaller ones the
# indexes, whose keys come in no order, are written over and over.
_CHUNK = 20_000


class Importing(msgspec.Struct, frozen=True, kw_only=True):
    """What an import needs: a key for addresses, the time, `chance(n)` for n random bytes.

    With `ask`, new subscribers are unconfirmed, and each is asked. With `everybody`, people are
    that where their file does not say something worse. One that is dry writes nothing: it tells
    what would come of it, and of very many it may count somebody twice. It ends between two chunks
    once `is_stopped`, and keeps what it has done.
    """

    database: Database
    secret: bytes
    at: datetime
    chance: Callable[[int], bytes]
    progress: Progress
    ask: Ask | None = None
    everybody: Standing | None = None
    is_dry: bool = False
    is_stopped: Callable[[], bool] = lambda: False


class Readable(msgspec.Struct, frozen=True):
    """A file whose header was read: it is in the line `header`."""

    source: Source
    columns: Columns
    header: int


def import_subscribers(importing: Importing, *sources: Source) -> Imported:
    """Import files. Raises PublisherError, and has written nothing, where one cannot be read."""
    files = [read_header(importing, source) for source in sources]
    sizes = {id(file): file.source.measure() for file in files}
    total, done = sum(sizes.values()), 0
    for file in files:
        check_records(file.source, importing.progress)
    tally = Tally()
    foreseen = Foreseen() if importing.is_dry else None
    # Those of who left come first, so that no other one brings in who is in both.
    for file in sorted(files, key=lambda file: not file.columns.has_left):
        system = file.columns.system
        tally.begin(file.source.name, system.name, "" if importing.everybody else system.note)
        _import(importing, file, tally, foreseen, done, total)
        tally.end()
        done += sizes[id(file)]
    return tally.sum_up()


def read_header(importing: Importing, source: Source) -> Readable:
    """Find a file's columns. Raises PublisherError where it has none."""
    source, columns, header = find_columns(source)
    if importing.everybody and not columns.has_left:
        columns = msgspec.structs.replace(columns, everybody=importing.everybody)
    return Readable(source, columns, header)


def _import(
    importing: Importing,
    file: Readable,
    tally: Tally,
    foreseen: Foreseen | None,
    done: int,
    total: int,
) -> None:
    with closing(read_entries(file.source, file.columns, file.header)) as entries:
        while not importing.is_stopped() and (chunk := list(islice(entries, _CHUNK))):
            _take(importing, file.source.name, chunk, tally, foreseen)
            importing.progress("Importing", done + file.source.file.tell(), total)


def _take(
    importing: Importing,
    origin: str,
    entries: list[Entry | Refusal],
    tally: Tally,
    foreseen: Foreseen | None,
) -> None:
    # As the database keeps it, so that what this import changed can be told.
    at = importing.at.replace(microsecond=importing.at.microsecond // 1_000 * 1_000)
    database, is_dry = importing.database, importing.is_dry
    with database.read() if is_dry else database.write() as connection:
        chunk = Chunk(connection, database.publication, at, origin, tally, foreseen)
        is_asking = importing.ask is not None
        chunk.decide(entries, importing.secret, importing.chance, is_asking=is_asking)
        if not is_dry:
            chunk.write(importing.ask)
