"""A database of readers, and files to import into it."""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from publisher.audience.address import address_hash, parse_address
from publisher.audience.chunk import Ask
from publisher.audience.exporting import export_subscribers, read_all, write_csv
from publisher.audience.files import join, open_one
from publisher.audience.importing import Importing, import_subscribers
from publisher.audience.standings import EVERYBODY
from publisher.audience.tally import Imported, add_files
from publisher.model.audience import Consent, Subscriber
from publisher.store.database import Database, open_database
from publisher.store.keys import require_key
from publisher.store.subscribers import read_consents

URI = "tag:daily.example,2025:test"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def as_bytes(data: bytes | str) -> bytes:
    return data if isinstance(data, bytes) else data.encode()


class Readers:
    """An SQLite database in a folder, and what is done with it."""

    def __init__(self, folder: Path, publication: str = URI) -> None:
        self.folder = folder
        self.database: Database = open_database("sqlite:///publisher.db", folder, publication)
        with self.database.write() as connection:
            self.secret = require_key(connection, "address-key", os.urandom)

    def hash(self, email: str) -> bytes:
        return address_hash(parse_address(email).key, self.secret)

    def bring(
        self,
        data: bytes | str,
        name: str = "readers.csv",
        *,
        at: datetime | None = None,
        ask: Ask | None = None,
        progress: Callable[[str, int, int], None] = lambda *_: None,
    ) -> Imported:
        return self.bring_all({name: data}, at=at, ask=ask, progress=progress)

    def bring_all(
        self,
        files: Mapping[str, bytes | str],
        *,
        at: datetime | None = None,
        ask: Ask | None = None,
        everybody: str = "",
        progress: Callable[[str, int, int], None] = lambda *_: None,
        is_dry: bool = False,
    ) -> Imported:
        """Import files, or archives of them, at once."""
        importing = Importing(
            database=self.database,
            secret=self.secret,
            at=at or datetime.now(UTC),
            chance=os.urandom,
            progress=progress,
            ask=ask,
            everybody=EVERYBODY.get(everybody),
            is_dry=is_dry,
        )
        with ExitStack() as stack:
            opened = join(
                [open_one(stack, BytesIO(as_bytes(data)), name, "") for name, data in files.items()]
            )
            imported = import_subscribers(importing, *opened.sources)
            return add_files(imported, opened.left_alone)

    def all(self) -> list[Subscriber]:
        return list(read_all(self.database))

    def plain(self) -> list[tuple[str, str, str]]:
        return [(one.email, one.name, one.status) for one in self.all()]

    def get(self, email: str) -> Subscriber:
        return next(one for one in self.all() if one.email == email)

    def record(self, email: str) -> list[Consent]:
        id_ = self.get(email).id
        with self.database.read() as connection:
            return read_consents(connection, self.database.publication, [id_])[id_]

    def export(self) -> bytes:
        return b"".join(write_csv(export_subscribers(self.database)))

    def bytes_on_disk(self) -> bytes:
        """Everything in the database's files, the write-ahead log too."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.glob("publisher.db*")))
