"""A database in a file: whether it may be there, whether it was copied, what it leaves behind."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from publisher.store.engine_sqlite import connect_sqlite, explain_sqlite, raw_of
from publisher.store.errors import StoreError

# What SQLite's write-ahead log does not work on: its readers share memory, which a network does
# not (https://www.sqlite.org/wal.html, "Overview").
_NETWORKS = ("nfs", "cifs", "smb", "afs", "ncpfs", "fuse.sshfs", "fuse.glusterfs", "ceph", "9p2000")
_HELD_BUSY_MILLISECONDS = 1_000
# Looks for what it is given in a file, in a process of its own: closing a file takes away every
# lock that SQLite has on it in the same process (https://www.sqlite.org/howtocorrupt.html, 2.2).
_LOOK = """
import mmap, sys
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
    sys.exit(data.find(sys.stdin.buffer.read()) >= 0)
"""


class FilePlace:
    """An SQLite database's file."""

    copied = "is a copy, or was moved here from another disk"
    failures: tuple[type[Exception], ...] = (sqlite3.DatabaseError,)
    violations: tuple[type[Exception], ...] = (sqlite3.IntegrityError,)
    is_marked = True

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def beside(self) -> Path:
        return self.path.with_name(f"{self.path.name}-delivery")

    def explain(self, error: BaseException | None) -> str:
        return explain_sqlite(self.path, error)

    def exists(self) -> bool:
        return self.path.exists()

    def prepare(self) -> None:
        """Make the file readable by its owner alone: it holds the readers' addresses."""
        require_local(self.path)
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StoreError(
                f"the database {self.path} cannot be opened: {error.strerror}"
            ) from None

    def connect(self) -> Engine:
        return connect_sqlite(self.path)

    def bring_up_to_date(self, engine: Engine) -> None:
        from publisher.store.version import bring_up_to_date

        bring_up_to_date(engine, self.path)

    def find_home(self, connection: Connection) -> str:
        """Its inode, which a move keeps."""
        return str(self.path.stat().st_ino)

    def watch(self, connection: Connection) -> Callable[[], object]:
        raw = raw_of(connection)
        raw.execute(f"PRAGMA busy_timeout = {_HELD_BUSY_MILLISECONDS}")
        return lambda: raw.execute("PRAGMA data_version").fetchone()[0]

    def is_lost(self, connection: Connection) -> bool:
        return False

    def measure(self, connection: Connection) -> int:
        return self.path.stat().st_size

    def scrub(self, engine: Engine, emails: Sequence[str], seconds: float) -> bool:
        """Empty the log, and write the database anew where there is a trace in its file.

        SQLite's secure_delete overwrites what is deleted, but not the copies that it left where a
        full page was divided; about one address in 500 has such a one. Writing anew takes some
        seconds for each 100 MB, in which nobody else writes.
        """
        is_clean = _empty_log(engine, seconds)
        if not any(_is_in_file(self.path, email) for email in emails):
            return is_clean
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("VACUUM")
        finally:
            raw.close()
        return _empty_log(engine, seconds)


def _empty_log(engine: Engine, seconds: float) -> bool:
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA busy_timeout")
        usual: Any = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1_000)}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row: Any = cursor.fetchone()  # is it busy, pages in the log, pages taken out of it
        cursor.execute(f"PRAGMA busy_timeout = {usual[0]}")
        return bool(row[0] == 0)
    finally:
        raw.close()


def require_local(path: Path) -> None:
    """Raise StoreError where the file would be on a network file system."""
    kind = _kind_of_mount(path.resolve().parent)
    if kind.startswith(_NETWORKS):
        raise StoreError(
            f"{path} is on a network file system ({kind}), where SQLite can lose what it wrote;"
            " let database.url name a file on a disk of this machine"
        )


def _kind_of_mount(folder: Path) -> str:
    """The type of file system that a folder is on; empty where that cannot be told."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    kinds = {}
    for line in mounts:
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].encode().decode("unicode_escape")
        kinds[point] = after.split(" ")[0]
    around = [str(folder), *(str(parent) for parent in folder.parents)]
    return next((kinds[point] for point in around if point in kinds), "")


def _is_in_file(path: Path, text: str) -> bool:
    command = [sys.executable, "-I", "-S", "-c", _LOOK, str(path)]
    done = subprocess.run(  # noqa: S603 - our own program and file
        command, input=text.encode(), capture_output=True, check=False
    )
    return done.returncode != 0  # also where it could not look
