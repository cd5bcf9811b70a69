"""An export as it lies on the disk: a folder or a zip archive of files, and the list of them.

It is written aside and renamed, so that it is whole or not there; nobody but its owner may read it.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, cast
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

import msgspec

from publisher.errors import PublisherError
from publisher.store.tables import Described

FORMAT = 1
MANIFEST = "export.json"
_ZIP = ".zip"
# Of a zip's members, whose own times would make of one content two archives.
_THEN = (1980, 1, 1, 0, 0, 0)
_PART = 1 << 20
# Parts of a path as this program writes them; no way out of a folder, on no system.
_SAFE = re.compile(r"(?!\.{1,2}(/|\Z))[^/\\:\0]+(?:/(?!\.{1,2}(/|\Z))[^/\\:\0]+)*")


class Listed(msgspec.Struct, frozen=True):
    """A file of an export: its size in bytes and its SHA-256, in hexadecimal digits."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is in an export: of which publication, by which schema, each table and each file."""

    format: int
    schema: str
    publication: str
    row: int
    made_at: str
    with_secrets: bool
    tables: dict[str, Described]
    keys: dict[str, str]
    left_out: tuple[str, ...]
    files: dict[str, Listed]


class Packing:
    """An export that is being written; `write` opens one file of it after the other."""

    def __init__(self, folder: Path | None, archive: ZipFile | None) -> None:
        self._folder = folder
        self._archive = archive
        self.files: dict[str, Listed] = {}

    @contextmanager
    def write(self, path: str) -> Iterator["Counted"]:
        """A file to write; it is in the list once it is closed."""
        with self._open(path) as file:
            counted = Counted(file)
            yield counted
        self.files[path] = Listed(counted.size, counted.hash.hexdigest())

    @contextmanager
    def _open(self, path: str) -> Iterator[IO[bytes]]:
        if self._archive is not None:
            member = ZipInfo(path, _THEN)
            member.compress_type = ZIP_DEFLATED
            member.external_attr = 0o600 << 16
            with self._archive.open(member, "w", force_zip64=True) as file:
                yield file
        elif self._folder is not None:
            target = self._folder / path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())


class Counted:
    """A file that knows how much was written to it, and its hash."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = 0
        self.hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)
        self.hash.update(data)


@contextmanager
def packing(target: Path) -> Iterator[Packing]:
    """Write an export to a folder, or to a file whose name ends in .zip, neither of which is there.

    Raises PublisherError where it is there, or cannot be written.
    """
    if os.path.lexists(target):
        raise PublisherError(f"{target} is there already; name another one")
    if not target.parent.is_dir():
        raise PublisherError(f"there is no folder {target.parent}")
    aside = target.with_name(f".{target.name}.new")
    _remove(aside)
    try:
        if target.suffix == _ZIP:
            with _make_zip(aside) as archive:
                yield Packing(None, archive)
        else:
            aside.mkdir(mode=0o700)
            yield Packing(aside, None)
        aside.rename(target)
    except OSError as error:
        raise PublisherError(f"{target} cannot be written: {error.strerror or error}") from None
    finally:
        _remove(aside)


@contextmanager
def _make_zip(aside: Path) -> Iterator[ZipFile]:
    descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w+b") as file:
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            yield archive
        file.flush()
        os.fsync(file.fileno())


def _remove(aside: Path) -> None:
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside)
    with suppress(FileNotFoundError):
        aside.unlink()


class Opening(Protocol):
    """Opens a file by its path within an export."""

    def __call__(self, path: str) -> BinaryIO: ...


class Parcel:
    """An export that is read."""

    def __init__(self, name: str, open_file: Opening) -> None:
        self._open = open_file
        self.name = name
        self.manifest = self._read_manifest()

    def open(self, path: str) -> BinaryIO:
        """Open a file of it. Raises PublisherError where it is not there."""
        try:
            return self._open(path)
        except (KeyError, OSError):
            raise PublisherError(f"{self.name} is not whole: {path} is missing") from None

    def check(self) -> None:
        """Read every file once. Raises PublisherError where one is not as it was written."""
        for path, listed in self.manifest.files.items():
            if not _SAFE.fullmatch(path):
                raise PublisherError(f"{self.name} names a file {path[:60]!r}, which is no path")
            found = Counted(cast(IO[bytes], _Nowhere()))
            with self.open(path) as file:
                self._pour(file, found, path)
            if (found.size, found.hash.hexdigest()) != (listed.bytes, listed.sha256):
                raise PublisherError(f"{self.name} is damaged: {path} is not as it was written")

    def _pour(self, file: BinaryIO, found: Counted, path: str) -> None:
        try:
            while part := file.read(_PART):
                found.write(part)
        except (BadZipFile, OSError, EOFError) as error:
            raise PublisherError(f"{self.name} is damaged: {path}: {error}") from None

    def _read_manifest(self) -> Manifest:
        try:
            with self._open(MANIFEST) as file:
                data = file.read()
        except (KeyError, OSError):
            raise PublisherError(f"{self.name} is no export: it has no {MANIFEST}") from None
        try:
            number = msgspec.json.decode(data, type=dict[str, Any]).get("format")
            if number != FORMAT:
                raise PublisherError(
                    f"{self.name} is of a format {number!r} that this publisher does not know"
                )
            return msgspec.json.decode(data, type=Manifest)
        except msgspec.DecodeError as error:
            raise PublisherError(f"{self.name}: {MANIFEST} is damaged: {error}") from None


class _Nowhere:
    def write(self, data: bytes) -> None:
        pass


@contextmanager
def opening(source: Path) -> Iterator[Parcel]:
    """Open an export, a folder or a zip archive. Raises PublisherError where it is none."""
    if source.is_dir():
        yield Parcel(str(source), lambda path: (source / path).open("rb"))
        return
    if not source.is_file():
        raise PublisherError(f"there is no export {source}")
    try:
        with ZipFile(source) as archive:
            yield Parcel(str(source), lambda path: cast(BinaryIO, archive.open(path)))
    except BadZipFile as error:
        raise PublisherError(f"{source} is no export: {error}") from None
