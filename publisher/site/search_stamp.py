"""Which state the file is in that the server searches; each build asks, and most ask no more."""

import sqlite3
from contextlib import closing
from pathlib import Path

# Under this name the build's index has the stamp of the file that it knows.
STAMP = "search"
# Raise it when the tables change: a file of another version is thrown away.
VERSION = 1


def open_readonly(path: Path) -> sqlite3.Connection:
    """Open the file for reading. Raises sqlite3.DatabaseError where it is none of ours."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        if not read_version(db):
            raise sqlite3.DatabaseError("there is nothing in it")
    except BaseException:
        db.close()
        raise
    return db


def read_version(db: sqlite3.Connection) -> int:
    """The version of a file's tables, 0 where it is new. Raises sqlite3.DatabaseError."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, VERSION):
        raise sqlite3.DatabaseError("it is of another version")
    return version


def has_stamp(path: Path, stamp: str) -> bool:
    """Tell whether a file is there, is whole as far as can be seen, and bears a stamp."""
    try:
        with closing(open_readonly(path)) as db:
            return bool(db.execute("SELECT value FROM stamp").fetchone() == (stamp,))
    except sqlite3.DatabaseError:
        return False
