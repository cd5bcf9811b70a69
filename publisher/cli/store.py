"""The publication's database, as commands open it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from publisher.runtime.lock import using
from publisher.settings import Settings
from publisher.store.database import Database, open_database
from publisher.store.place import find_place


def has_store(folder: Path, settings: Settings) -> bool:
    """Tell whether there is a database; one that only builds a site needs none."""
    return find_place(settings.database.url, folder).exists()


@contextmanager
def open_store(folder: Path, settings: Settings) -> Iterator[Database]:
    """Open the database of the publication in `folder`; raises StoreError where it cannot be."""
    with using(find_place(settings.database.url, folder)):
        database = open_database(settings.database.url, folder, settings.publication.id)
        try:
            yield database
        finally:
            database.close()
