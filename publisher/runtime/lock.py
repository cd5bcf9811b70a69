"""Who delivers: one process for each database, as the operating system's lock says.

The lock goes with the process that holds it, however that ends, so the next one can take over at
once; and nobody can take the work of one that lives.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from publisher.errors import PublisherError
from publisher.runtime.board import Board, read_begun
from publisher.store.place import file_beside


class DeliveryLock:
    """The lock of a database's delivery, held until it is released or the process ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def mark(self, mark: str) -> None:
        """Write the mark beside the database (see `store.installation`)."""
        os.pwrite(self._descriptor, mark.encode("ascii"), 0)
        os.fsync(self._descriptor)

    def read_begun(self) -> set[int] | None:
        """The deliveries whose bodies the last holder had begun; None where nobody knows."""
        return read_begun(self._descriptor)

    def make_board(self, connections: int) -> Board:
        """A board of this process, in place of the last one."""
        return Board(self._descriptor, connections)

    def release(self) -> None:
        os.close(self._descriptor)


def try_lock(database: Path) -> DeliveryLock | None:
    """Take the lock; None where another process has it."""
    descriptor = _lock(file_beside(database), fcntl.LOCK_EX)
    return None if descriptor is None else DeliveryLock(descriptor)


@contextmanager
def using(database: Path) -> Iterator[None]:
    """Keep the database from being replaced meanwhile. Raises PublisherError where it just is."""
    yield from _hold(database, fcntl.LOCK_SH, "the database is being restored; try again later")


@contextmanager
def replacing(database: Path) -> Iterator[None]:
    """Be the only one with the database. Raises PublisherError where another process has it."""
    others = "another process has the database open, such as `run`, `serve` or `send`; stop it"
    yield from _hold(database, fcntl.LOCK_EX, others)


def _hold(database: Path, kind: int, otherwise: str) -> Iterator[None]:
    # A file of its own: a lock on the database itself would be SQLite's to lose.
    descriptor = _lock(database.with_name(f"{database.name}-open"), kind)
    if descriptor is None:
        raise PublisherError(otherwise)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(path: Path, kind: int) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PublisherError(f"{path} cannot be opened: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
