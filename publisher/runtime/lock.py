"""Who delivers: one process for each database, as the operating system's lock or the server's says.

The lock goes with the process that holds it, however that ends, so the next one can take over at
once; and nobody can take the work of one that lives.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from publisher.errors import PublisherError
from publisher.runtime.board import Begun, Board, read_begun
from publisher.store.engine_postgresql import DELIVERING, OPEN, SessionLock
from publisher.store.place import Place
from publisher.store.place_file import FilePlace
from publisher.store.place_server import ServerPlace


class DeliveryLock:
    """The lock of a database's delivery, held until it is released or the process ends.

    A server's is lost with the connection that holds it. It has no board where a process that lost
    it, and stands still, has the file.
    """

    def __init__(
        self, descriptor: int, session: SessionLock | None = None, *, has_board: bool = True
    ) -> None:
        self._descriptor = descriptor
        self._session = session
        self._has_board = has_board

    def is_held(self) -> bool:
        """Tell whether nobody else can have it; asks nobody."""
        return self._session is None or self._session.is_held()

    def mark(self, mark: str) -> None:
        """Write the mark beside the database (see `store.installation`)."""
        os.pwrite(self._descriptor, mark.encode("ascii"), 0)
        os.fsync(self._descriptor)

    def read_begun(self) -> Begun | None:
        """The deliveries whose bodies the last holder had begun; None where nobody knows."""
        return read_begun(self._descriptor) if self._has_board else None

    def make_board(self, places: int) -> Board | None:
        """A board of this process, in place of the last one."""
        return Board(self._descriptor, places) if self._has_board else None

    def release(self) -> None:
        if self._session is not None:
            self._session.release()
        # At once: a board's memory has the file open until it is collected as garbage.
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)


def try_lock(place: Place) -> DeliveryLock | None:
    """Take the lock; None where another process has it. Raises PublisherError."""
    try:
        place.beside.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise PublisherError(f"{place.beside.parent} cannot be made: {error.strerror}") from None
    if isinstance(place, ServerPlace):
        return _try_servers(place)
    descriptor = _lock(place.beside, fcntl.LOCK_EX)
    return None if descriptor is None else DeliveryLock(descriptor)


def _try_servers(place: ServerPlace) -> DeliveryLock | None:
    if (session := place.lock(DELIVERING)) is None:
        return None
    try:
        descriptor = _lock(place.beside, fcntl.LOCK_EX)
        if descriptor is not None:
            return DeliveryLock(descriptor, session)
        return DeliveryLock(_open(place.beside), session, has_board=False)
    except BaseException:
        session.release()
        raise


@contextmanager
def using(place: Place) -> Iterator[None]:
    """Keep the database from being replaced meanwhile. Raises PublisherError where it just is."""
    yield from _hold(place, "the database is being restored; try again later", is_shared=True)


@contextmanager
def replacing(place: Place) -> Iterator[None]:
    """Be the only one with the database. Raises PublisherError where another process has it."""
    others = "another process has the database open, such as `run`, `serve` or `send`; stop it"
    yield from _hold(place, others, is_shared=False)


def _hold(place: Place, otherwise: str, *, is_shared: bool) -> Iterator[None]:
    release = _hold_file(place.path, is_shared) if isinstance(place, FilePlace) else None
    if isinstance(place, ServerPlace):
        session = place.lock(OPEN, is_shared=is_shared)
        release = session.release if session else None
    if release is None:
        raise PublisherError(otherwise)
    try:
        yield
    finally:
        release()


def _hold_file(database: Path, is_shared: bool) -> Callable[[], None] | None:
    # A file of its own: a lock on the database itself would be SQLite's to lose.
    path = database.with_name(f"{database.name}-open")
    descriptor = _lock(path, fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX)
    return None if descriptor is None else partial(os.close, descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PublisherError(f"{path} cannot be opened: {error.strerror}") from None


def _lock(path: Path, kind: int) -> int | None:
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
