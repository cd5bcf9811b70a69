"""Other systems' exports on the disk: a file, a zip or a folder, read within bounds.

Nothing is unpacked onto the disk, and no path of an archive is ever a path of ours.
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from publisher.errors import PublisherError
from publisher.intake.moving.post import DamagedError, Export

# A thousand posts of 100 KB with what HTML of mails adds to them: exports are smaller than this.
MOST_BYTES = 256_000_000
# What all of an archive may be when it is unpacked, as far as it is read.
MOST_UNPACKED = 2_000_000_000
_MOST_FILES = 200_000
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
# Folders that say something of what is in them; any other that is around everything does not.
_TELLING = ("_posts", "_drafts", "posts", "emails", "content", "campaigns_content", "media")


class FileExport:
    """A single file."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.paths: Sequence[str] = (name,)
        self._data = data

    def read(self, path: str) -> bytes:
        return self._data


class ZipExport:
    """An archive, whose files are read one by one; `odd` are names that lead out of it."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
            entries = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise DamagedError(f"the zip breaks off or is damaged ({error})") from None
        if len(entries) > _MOST_FILES:
            raise DamagedError(
                f"the zip has {len(entries):,} files; at most {_MOST_FILES:,} are read"
            )
        self._left = MOST_UNPACKED
        known = {_inner_path(entry): entry for entry in entries if not entry.filename.endswith("/")}
        self.odd = tuple(sorted(e.filename for e in entries if not _inner_path(e) and _is_odd(e)))
        known.pop("", None)
        top = _common_top(list(known))
        self._entries = {path.removeprefix(top): entry for path, entry in known.items()}
        self.paths: Sequence[str] = tuple(sorted(self._entries))

    def read(self, path: str) -> bytes:
        entry = self._entries[path]
        limit = min(MOST_BYTES, self._left)
        if entry.file_size > limit:
            raise DamagedError(f"it has {entry.file_size:,} bytes, more than are read")
        try:
            with self._zip.open(entry) as file:
                data = file.read(limit + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            raise DamagedError(f"it cannot be unpacked ({error})") from None
        except (RuntimeError, NotImplementedError):
            raise DamagedError("it is encrypted, or packed in a way that is not known") from None
        if len(data) > limit:
            raise DamagedError("it says that it is small, and is not")
        self._left -= len(data)
        return data


class FolderExport:
    """A folder with all that is in it; links are not followed."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        base = folder.resolve().name
        self._top = f"{base}/" if base in _TELLING else ""
        self.paths: Sequence[str] = tuple(sorted(self._list()))

    def _list(self) -> list[str]:
        found: list[str] = []
        for above, folders, files in os.walk(self._folder):
            folders[:] = [name for name in folders if not _is_hidden(name)]
            inner = Path(above).relative_to(self._folder)
            paths = [inner / name for name in files if not _is_hidden(name) or name in _MARKS]
            found += [f"{self._top}{path.as_posix()}" for path in paths]
            if len(found) > _MOST_FILES:
                raise DamagedError(f"the folder has more than {_MOST_FILES:,} files")
        return [path for path in found if _is_text(path)]

    def read(self, path: str) -> bytes:
        target = self._folder / path.removeprefix(self._top)
        try:
            return _read_regular(target)
        except OSError as error:
            raise DamagedError(f"it cannot be read ({error.strerror})") from None


# What the Buttondown CLI leaves, by which its folder is known.
_MARKS = (".buttondown-sync.json", ".buttondown.json")


def open_export(path: Path, name: str) -> Export:
    """Open what is at a path. Raises PublisherError where nothing is, or DamagedError."""
    if path.is_dir():
        return FolderExport(name, path)
    try:
        data = _read_regular(path)
    except FileNotFoundError:
        raise PublisherError(f"there is no file {name} (looked for in {Path.cwd()})") from None
    except OSError as error:
        raise PublisherError(f"{name} cannot be read: {error.strerror}") from None
    return as_export(data, name)


def as_export(data: bytes, name: str) -> Export:
    """What a file's bytes are: an archive or itself. Raises DamagedError."""
    return ZipExport(name, data) if data.startswith((_ZIP, _EMPTY_ZIP)) else FileExport(name, data)


def _read_regular(path: Path) -> bytes:
    with open(path, "rb", opener=lambda p, flags: os.open(p, flags | os.O_NONBLOCK)) as file:
        is_pipe = not stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        os.set_blocking(file.fileno(), True)
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES and not is_pipe:
        raise OSError(0, f"it has more than {MOST_BYTES:,} bytes")
    return data[:MOST_BYTES]


def _inner_path(entry: zipfile.ZipInfo) -> str:
    """An entry's path; empty for what is a link, hidden, or leads out of the archive."""
    path = entry.filename.replace("\\", "/")
    parts = path.split("/")
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    is_hidden = parts[0] == "__MACOSX" or (_is_hidden(parts[-1]) and parts[-1] not in _MARKS)
    if is_link or is_hidden or _is_odd(entry) or not _is_text(path):
        return ""
    return "/".join(part for part in parts if part not in ("", "."))


def _is_odd(entry: zipfile.ZipInfo) -> bool:
    path = entry.filename.replace("\\", "/")
    return path.startswith("/") or ".." in path.split("/") or ":" in path.split("/")[0]


def _common_top(paths: list[str]) -> str:
    """The folder that is around everything, where it is there only because a folder was zipped."""
    tops = {path.partition("/")[0] for path in paths}
    if len(tops) != 1 or any("/" not in path for path in paths):
        return ""
    (top,) = tops
    return "" if top in _TELLING else f"{top}/"


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _is_text(path: str) -> bool:
    """Names in bytes of another encoding cannot be said in a message or in JSON."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
