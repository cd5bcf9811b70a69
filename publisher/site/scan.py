"""The publication's folder -> its files, each with a signature that changes when the file does."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from publisher.intake.read import SUFFIXES

ISSUES, MEDIA, TEMPLATES = "issues", "media", "templates"
# Measured from their headers by Pillow; what else stands in media/ is copied without a size.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".bmp", ".ico")


class File(msgspec.Struct, frozen=True):
    """A file by its path relative to the publication's folder.

    `signature` holds inode, size and change time, which a writer cannot set. `problem` says why
    the file must not be read.
    """

    path: str
    signature: str
    problem: str = ""


def scan_issues(folder: Path) -> list[File]:
    """List the issue files, by name. Only regular files within the folder are read."""
    return [
        file
        for file in _scan(folder, ISSUES, is_deep=False)
        if file.path.endswith(SUFFIXES) and not _is_hidden(file.path)
    ]


def scan_media(folder: Path) -> list[File]:
    """List the files in media/ that may be published: regular ones, no links."""
    return [
        file
        for file in _scan(folder, MEDIA, is_deep=True)
        if not file.problem and not _is_hidden(file.path)
    ]


def read_templates(folder: Path) -> dict[str, str]:
    """Read the packaged templates and lay the publication's own over them, file by file."""
    sources = _read_tree(packaged("templates"))
    own = folder / TEMPLATES
    if own.is_dir() and not own.samefile(packaged("templates")):
        sources |= _read_tree(own)
    return sources


def packaged(name: str) -> Path:
    """Where the packaged `templates` or `sample` are: in the wheel, or in the checkout."""
    package = Path(__file__).parent.parent
    wheel = package / "packaged" / name
    if wheel.is_dir():
        return wheel
    return package.parent / name if name == TEMPLATES else package.parent


def _read_tree(folder: Path) -> dict[str, str]:
    files = (file for file in _scan(folder, ".", is_deep=True) if not file.problem)
    return {
        path: (folder / path).read_text("utf-8")
        for path in sorted(file.path for file in files)
        if path.endswith((".html", ".txt", ".css", ".xml")) and not _is_hidden(path)
    }


def _scan(folder: Path, name: str, *, is_deep: bool) -> Iterator[File]:
    # A link in place of the folder itself could lead out of the publication.
    if (folder / name).is_symlink() and name != ".":
        yield File(name, "", "it is a link; only real folders are read")
        return
    pending = [name]
    while pending:
        below = pending.pop()
        try:
            entries = sorted(os.scandir(folder / below), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            path = entry.name if below == "." else f"{below}/{entry.name}"
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode):
                if is_deep:
                    pending.append(path)
                continue
            yield File(path, _signature(info), _unreadable(info))


def signature_of(path: Path) -> str:
    """A file's signature; empty where there is none."""
    try:
        return _signature(path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return ""


def _signature(info: os.stat_result) -> str:
    return f"{info.st_ino}.{info.st_size}.{info.st_mtime_ns}.{info.st_ctime_ns}"


def _unreadable(info: os.stat_result) -> str:
    if stat.S_ISLNK(info.st_mode):
        return "it is a link; only real files are read"
    if not stat.S_ISREG(info.st_mode):
        return "it is no regular file"
    return ""


def _is_hidden(path: str) -> bool:
    """Editors leave `.name.swp`, `name~` and `#name#` beside what they edit."""
    name = path.rsplit("/", 1)[-1]
    return name.startswith((".", "#", "~")) or name.endswith(("~", "#"))


def read_file(folder: Path, path: str, limit: int) -> bytes:
    """Read at most `limit` bytes of a regular file, never through a link at its end."""
    descriptor = os.open(folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit)
