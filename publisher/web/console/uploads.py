"""Files of readers on their way into the database: looked at first, then imported, in a thread.

There is one upload at a time. Its files have no name on the disk, so that nothing of them is left
when they were imported, given up, or the console ends; what came of it is in the database.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import PurePath
from tempfile import TemporaryFile
from threading import Event, Lock, Thread
from typing import BinaryIO, Literal, cast

import msgspec
from sqlalchemy import Connection

from publisher.audience.chunk import Ask
from publisher.audience.files import Opened, join, open_one
from publisher.audience.importing import Importing, import_subscribers
from publisher.audience.looking import Look, look_at
from publisher.audience.standings import EVERYBODY
from publisher.audience.tally import Imported, ImportedFile
from publisher.errors import PublisherError
from publisher.model.operators import Actor
from publisher.store import audit, imports
from publisher.store.database import Database
from publisher.store.imports import ImportStatus
from publisher.store.keys import load_address_key

Stage = Literal["looking", "looked", "refused", "importing"]

# Who looks at a file for longer has gone home, and it is full of addresses.
_KEPT = timedelta(hours=1)
_NAME_CHARACTERS = 100
# A file of usual length is looked at within this, so that nobody has to wait for another page.
_AT_ONCE_SECONDS = 2.0
_STOP_SECONDS = 20.0


class BusyError(PublisherError):
    """Another file is being imported."""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """How the files stand: `token` names them in forms, `done` of `total` bytes were gone through.

    `look` is there once they were looked at, or `fault`, why one cannot be read; `everybody` is
    what all people in them are, where they do not say it; `left_alone` is what else was in an
    archive; `run` is the import's row in the database.
    """

    token: str
    name: str
    who: str
    at: datetime
    stage: Stage
    everybody: str = ""
    left_alone: tuple[ImportedFile, ...] = ()
    is_asking: bool = False
    look: Look | None = None
    fault: str = ""
    done: int = 0
    total: int = 0
    run: int = 0


class Uploads:
    """The files that are on their way together, or none."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.database = database
        self.clock = clock
        self._lock = Lock()
        self._upload: Upload | None = None
        self._open = ExitStack()
        self._opened: Opened | None = None
        self._stop = Event()
        self._thread: Thread | None = None
        with database.write() as connection:
            imports.end_left(connection, database.publication, clock())

    def find(self) -> Upload | None:
        """The file as it stands now."""
        with self._lock:
            upload = self._upload
            if upload and upload.stage != "importing" and self.clock() - upload.at > _KEPT:
                self._drop()
            return self._upload

    def take(
        self, files: Sequence[tuple[BinaryIO, str]], encoding: str, who: str, everybody: str = ""
    ) -> None:
        """Take files, with their names, in place of those only looked at, and look at them.

        Raises BusyError while others are being imported, PublisherError for no such encoding or no
        whole archive.
        """
        with ExitStack() as stack:
            opened = join([_open(stack, file, name, encoding) for file, name in files])
            with self._lock:
                if self._upload and self._upload.stage == "importing":
                    raise BusyError("another file is being imported; wait until it has been")
                self._drop()
                self._open, self._opened = stack.pop_all(), opened
                names = ", ".join(clean_name(name) for _, name in files)
                self._upload = Upload(
                    token=secrets.token_hex(8),
                    name=names[:_NAME_CHARACTERS],
                    who=who,
                    at=self.clock(),
                    stage="looking",
                    everybody=everybody,
                    left_alone=opened.left_alone,
                )
                self._start(self._look, self._upload, opened)
        self._wait()

    def start(self, token: str, actor: Actor, ask: Ask | None) -> int | None:
        """Begin to import the file that was looked at; None where it is not there any more."""
        with self._lock:
            upload, opened = self._upload, self._opened
            if not upload or not opened or upload.token != token or upload.stage != "looked":
                return None
            publication, now = self.database.publication, self.clock()
            with self.database.write() as connection:
                run = imports.begin(connection, publication, upload.name, actor, now)
                how = "each is asked to confirm" if ask else "vouched for"
                self._note(connection, actor, "import started", run, how)
            self._change(stage="importing", run=run, is_asking=bool(ask), done=0)
            self._start(self._import, opened, actor, ask, upload.everybody, run)
        self._wait()
        return run

    def give_up(self, token: str) -> bool:
        """Stop what goes on with a file, or forget it; False where it is not there any more.

        What was imported until then stays.
        """
        with self._lock:
            if not self._upload or self._upload.token != token:
                return False
            if self._upload.stage == "importing":
                self._stop.set()
            else:
                self._drop()
            return True

    def close(self) -> None:
        """Stop what goes on, between two chunks, and wait for it."""
        self._stop.set()
        if self._thread:
            self._thread.join(_STOP_SECONDS)
        with self._lock:
            self._drop()

    # In the thread

    def _look(self, upload: Upload, opened: Opened, stop: Event) -> None:
        token = upload.token
        try:
            importing = self._importing(stop, None, upload.everybody, is_dry=True)
            look = look_at(importing, *opened.sources)
            changes: dict[str, object] = {"stage": "looked", "look": look}
        except PublisherError as error:
            changes = {"stage": "refused", "fault": str(error)}
        except ValueError:
            return  # the file was closed: it was given up meanwhile
        with self._lock:
            if self._upload and self._upload.token == token:
                self._change(**changes)

    def _import(
        self, opened: Opened, actor: Actor, ask: Ask | None, everybody: str, run: int, stop: Event
    ) -> None:
        imported, fault = Imported(0, 0, 0, (), 0), ""
        status: ImportStatus = "failed"
        try:
            importing = self._importing(stop, ask, everybody, is_dry=False)
            imported = import_subscribers(importing, *opened.sources)
            status = "stopped" if stop.is_set() else "done"
        except PublisherError as error:
            fault = str(error)
        except Exception as error:  # or it would be running for ever
            fault = f"this is a defect of publisher: {type(error).__name__}"
        try:
            self._end(actor, run, status, fault, imported)
        finally:  # where the database fails, the next console says of it that it is over
            with self._lock:
                self._drop()

    def _end(
        self, actor: Actor, run: int, status: ImportStatus, fault: str, imported: Imported
    ) -> None:
        counts = (imported.added, imported.updated, imported.skipped, imported.rejected_total)
        lines = [imports.Line(*msgspec.structs.astuple(each)) for each in imported.rejected]
        said = "{:,} added, {:,} updated, {:,} skipped, {:,} rejected".format(*counts)
        with self.database.write() as connection:
            imports.end(
                connection,
                run,
                status,
                self.clock(),
                fault=fault,
                counts=counts,
                rejected=lines,
            )
            self._note(connection, actor, f"import {status}", run, said)

    def _importing(
        self, stop: Event, ask: Ask | None, everybody: str, *, is_dry: bool
    ) -> Importing:
        return Importing(
            database=self.database,
            secret=load_address_key(self.database),
            at=self.clock(),
            chance=os.urandom,
            progress=self._tell,
            ask=ask,
            everybody=EVERYBODY.get(everybody),
            is_dry=is_dry,
            is_stopped=stop.is_set,
        )

    def _tell(self, what: str, done: int, total: int) -> None:
        with self._lock:
            if self._upload:
                # It is gone through twice, and the first time is much the quicker.
                self._change(done=done // 10 if what == "Reading" else done, total=total)

    # With the lock

    def _start(self, work: Callable[..., None], *args: object) -> None:
        self._stop = Event()
        self._thread = Thread(target=work, args=(*args, self._stop), name="import")
        self._thread.start()

    def _change(self, **changes: object) -> None:
        if self._upload:
            self._upload = msgspec.structs.replace(self._upload, **changes)

    def _drop(self) -> None:
        self._stop.set()
        self._open.close()
        self._upload, self._opened = None, None

    def _wait(self) -> None:
        if self._thread:
            self._thread.join(_AT_ONCE_SECONDS)

    def _note(
        self, connection: Connection, actor: Actor, action: str, run: int, detail: str
    ) -> None:
        publication, now, about = self.database.publication, self.clock(), f"import {run}"
        audit.note(connection, publication, actor, action, now, about=about, detail=detail)


def _open(stack: ExitStack, file: BinaryIO, name: str, encoding: str) -> Opened:
    """Keep a file that a browser sends, as long as the stack is open."""
    aside = stack.enter_context(TemporaryFile())  # noqa: SIM115 - the stack closes it
    shutil.copyfileobj(file, aside)
    return open_one(stack, cast(BinaryIO, aside), clean_name(name), encoding)


def clean_name(text: str) -> str:
    """A file's name as it can be kept, whatever a browser says that it is."""
    name = PurePath(text.replace("\\", "/")).name
    printable = "".join(each if each.isprintable() else "\ufffd" for each in name)
    return printable[:_NAME_CHARACTERS] or "readers.csv"
