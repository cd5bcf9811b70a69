"""Where a database is: a file of this machine (SQLite), or a server's (PostgreSQL).

What differs between the two is asked of here, so that nobody else has to know which one it is.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine

# What begins the file in which a delivering process has its mark; runtime.board has its own place
# behind that.
MARK_LETTERS = 16


class Place(Protocol):
    """A database's place."""

    @property
    def name(self) -> str:
        """What it is called where it is spoken of; never with a password in it."""

    @property
    def url(self) -> str:
        """Its URL as the settings have it: it may have a password in it."""

    @property
    def copied(self) -> str:
        """What is said of a database that has come here from another place."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What the driver itself raises."""

    @property
    def violations(self) -> tuple[type[Exception], ...]:
        """Those of them that say that a rule of ours was broken."""

    @property
    def folder(self) -> Path:
        """A folder of this machine that the database is in, or is used from."""

    @property
    def beside(self) -> Path:
        """The file that is locked by who delivers on this machine, and that has their mark."""

    @property
    def is_marked(self) -> bool:
        """Tell whether an older state of the database is known by the mark beside it."""

    def explain(self, error: BaseException | None) -> str:
        """What was wrong, and a way out, in words."""

    def exists(self) -> bool:
        """Tell whether there is anything; of a server that cannot be asked it is taken for so."""

    def prepare(self) -> None:
        """Make what must be there before it is opened. Raises StoreError where it may not be."""

    def connect(self) -> Engine:
        """An engine with the promises that the ledger rests on."""

    def bring_up_to_date(self, engine: Engine) -> None:
        """Make the tables, or migrate them; a second process waits. Raises StoreError."""

    def find_home(self, connection: Connection) -> str:
        """What tells this database from a copy of it."""

    def watch(self, connection: Connection) -> Callable[[], object]:
        """Let a connection wait for nobody for long; what is given tells of others' changes.

        It gives another value than before where anybody else has changed the database since.
        """

    def is_lost(self, connection: Connection) -> bool:
        """Tell whether a connection has died."""

    def measure(self, connection: Connection) -> int:
        """The size of the database in bytes."""

    def scrub(self, engine: Engine, emails: Sequence[str], seconds: float) -> bool:
        """Take what was erased, these addresses too, out of the log and the files.

        False where somebody was still reading an older state after so many seconds.
        """


def find_place(url: str, folder: Path) -> Place:
    """The place that `database.url` names, seen from the publication's folder."""
    if url.startswith("sqlite:///"):
        from publisher.store.place_file import FilePlace

        return FilePlace(folder / url.removeprefix("sqlite:///"))
    from publisher.store.place_server import ServerPlace

    return ServerPlace(url, folder)


def read_mark(place: Place) -> str:
    """The mark in the file beside a database; empty where there is none."""
    try:
        with place.beside.open("rb") as file:
            return file.read(MARK_LETTERS).decode("ascii", "replace")
    except OSError:
        return ""
