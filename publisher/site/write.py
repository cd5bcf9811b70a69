"""Outputs -> public/: written aside, made durable together, then moved into place one by one.

Until the first move nothing of the old site is touched; a crash during the moves leaves whole
files only, and the index still knows what is to be done again.
"""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Literal

import msgspec

from publisher.site.lines import sync_folder

State = Literal["written", "unchanged"]

_STAGING = ".publisher-staging"
# A sync of one file takes 0.3 ms on an ordinary disk; a build after one issue writes some 40.
_MANY_FILES = 200
_SECOND = 1_000_000_000
# Folders whose whole content is ours. Beside them an operator may keep files of their own
# (a favicon, a CNAME), which no build touches.
OWN_FOLDERS = (
    *("archive", "assets", "cards", "feeds", "highlights", "issues", "media", "search", "tags"),
)


class Output(msgspec.Struct, frozen=True):
    """A file of the site: its path in public/, and its bytes."""

    path: str
    data: bytes


class Staging:
    """A folder inside the output folder, so that moving out of it is a rename.

    It is flat, a file's name being the digest of its path: making and removing a folder for each
    page would take longer than writing the pages.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = output / _STAGING

    def open(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)  # what a killed build left behind
        self.folder.mkdir(parents=True)

    def put(self, output: Output) -> State:
        """Write an output aside, unless the site has these very bytes."""
        current = f"{self.output}/{output.path}"
        if _read(current) == output.data:
            return "unchanged"
        try:
            with open(self._aside(output.path), "wb") as file:
                file.write(output.data)
        except OSError as error:  # a full disk is reported without a name
            raise OSError(error.errno, error.strerror, current) from None
        return "written"

    def _aside(self, path: str) -> str:
        return f"{self.folder}/{sha256(path.encode()).hexdigest()}"

    def sync(self) -> None:
        """Make everything written aside durable, file by file or all at once.

        For many files one sync of the system costs less, though it waits for others' writes too.
        """
        files = list(self.folder.iterdir())
        if len(files) > _MANY_FILES:
            os.sync()
            return
        for path in files:
            with path.open("rb") as file:
                os.fsync(file.fileno())

    def sync_folders(self, paths: list[str]) -> None:
        """Make the names of files that were moved into place durable."""
        folders = {(self.output / path).parent for path in paths}
        if len(folders) > _MANY_FILES:
            os.sync()
            return
        for folder in sorted(folders):
            sync_folder(folder)

    def publish(self, paths: Iterable[str]) -> None:
        """Move files into place, in the given order."""
        for path in paths:
            target, aside = f"{self.output}/{path}", Path(self._aside(path))
            _date_after(aside, target)
            try:
                aside.replace(target)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                self._make_room(path)
                aside.replace(target)

    def _make_room(self, path: str) -> None:
        """Make the target's folder; a file where a folder must be, or the reverse, gives way."""
        target = self.output / path
        with suppress(OSError):  # nearly always it is that one folder that is not there
            target.parent.mkdir()
            return
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        for part in reversed(PurePath(path).parents[:-1]):
            folder = self.output / part
            if not folder.is_dir():
                folder.unlink(missing_ok=True)
                folder.mkdir()

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _date_after(file: Path, former: str) -> None:
    """Give a file a later time than the one that it replaces has, in whole seconds.

    HTTP tells no more of it (Last-Modified): two builds in one second would look like one to who
    asks by that.
    """
    try:
        before = os.lstat(former).st_mtime_ns
    except OSError:  # there is none
        return
    own = file.stat()
    if own.st_mtime_ns // _SECOND <= before // _SECOND:
        later = (before // _SECOND + 1) * _SECOND + own.st_mtime_ns % _SECOND
        os.utime(file, ns=(own.st_atime_ns, later))


def _read(path: str) -> bytes | None:
    """Read a file; None where there is none, or a link in its place."""
    try:
        with open(path, "rb", opener=_open_itself) as file:
            return file.read()
    except OSError:
        return None


def _open_itself(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def remove(output: Path, paths: Iterable[str]) -> int:
    """Remove files that are no longer part of the site, and folders that this leaves empty."""
    removed = 0
    for path in paths:
        target = output / path
        try:
            target.unlink()
            removed += 1
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        for parent in target.parents:
            if parent == output:
                break
            try:
                parent.rmdir()
            except OSError:
                break
    return removed


def list_own(output: Path) -> list[str]:
    """List every file in the folders that are ours, for a site whose index was lost."""
    found = [
        f"{Path(root).relative_to(output).as_posix()}/{name}"
        for folder in OWN_FOLDERS
        for root, _, names in os.walk(output / folder)
        for name in names
    ]
    parts = ("sitemap-[0-9][0-9][0-9][0-9].xml", "sitemap-site.xml")
    return found + [path.name for part in parts for path in output.glob(part)]


def find_missing(output: Path, paths: Iterable[str]) -> list[str]:
    """Those of the paths that are no longer there."""
    prefix = f"{output}/"
    return [path for path in paths if not os.path.lexists(prefix + path)]
