"""The publication's folder -> its files, each with a signature that changes when the file does."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from publisher.errors import PublisherError
from publisher.intake.text import SUFFIXES

ISSUES, MEDIA, TEMPLATES = "issues", "media", "templates"
# Measured from their headers by Pillow; what else stands in media/ is copied without a size.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".bmp", ".ico")

# What may carry a script: web pages, and whatever browsers read as XML.
_ACTIVE = (
    *(".htm", ".html", ".xhtml", ".xht", ".shtml", ".shtm", ".stm", ".mht", ".mhtml", ".js"),
    *(".mjs", ".svg", ".svgz", ".xml", ".xsl", ".xslt", ".rdf", ".rss", ".atom", ".mathml", ".mml"),
)


class File(msgspec.Struct, frozen=True):
    """A file by its path relative to the publication's folder.

    `signature` holds inode, size and change time (ctime), which no writer can set. `problem` says
    why the file must not be read.
    """

    path: str
    signature: str
    problem: str = ""


def scan_issues(folder: Path) -> list[File]:
    """List the issue files, by name. Only regular files within the folder are read."""
    return [
        file
        for file in _scan(folder, ISSUES, is_deep=False)
        if file.path == ISSUES or (file.path.endswith(SUFFIXES) and not _is_hidden(file.path))
    ]


def scan_media(folder: Path) -> list[File]:
    """List the files in media/ that may be published."""
    return [file for file in list_media(folder) if not file.problem]


def list_media(folder: Path) -> list[File]:
    """List the files in media/; those that must not be published have a problem."""
    files = (file for file in _scan(folder, MEDIA, is_deep=True) if not _is_hidden(file.path))
    return [
        msgspec.structs.replace(file, problem="a browser would run it in the site's name")
        if not file.problem and file.path.lower().endswith(_ACTIVE)
        else file
        for file in files
    ]


def read_templates(folder: Path) -> dict[str, str]:
    """Read the packaged templates and lay the publication's own over them, file by file.

    Raises PublisherError where one of its own cannot be read: others would silently stand in.
    """
    sources = read_packaged_templates()
    own = folder / TEMPLATES
    if own.exists() and not own.samefile(packaged(TEMPLATES)):
        sources |= _read_tree(folder, TEMPLATES)
    return sources


def read_packaged_templates() -> dict[str, str]:
    """Read the templates that came with this program."""
    return _read_tree(packaged(TEMPLATES).parent, TEMPLATES)


def packaged(name: str) -> Path:
    """Where the packaged `templates` or `sample` are: in the wheel, or in the checkout."""
    package = Path(__file__).parent.parent
    wheel = package / "packaged" / name
    if wheel.is_dir():
        return wheel
    return package.parent / name if name == TEMPLATES else package.parent


def _read_tree(folder: Path, name: str) -> dict[str, str]:
    sources = {}
    for file in sorted(_scan(folder, name, is_deep=True), key=lambda file: file.path):
        if _is_hidden(file.path):
            continue
        if file.problem:
            raise PublisherError(f"{file.path} cannot be used as a template: {file.problem}")
        if file.path.endswith((".html", ".txt", ".css", ".js", ".xml", ".po", ".pot")):
            sources[file.path.removeprefix(f"{name}/")] = _read_template(folder, file.path)
    return sources


def _read_template(folder: Path, path: str) -> str:
    try:
        return read_file(folder, path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PublisherError(f"the template {path} is no UTF-8 text: {error.reason}") from None


def _scan(folder: Path, name: str, *, is_deep: bool) -> Iterator[File]:
    # A link in place of the folder itself could lead out of the publication.
    if (folder / name).is_symlink():
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
            path = f"{below}/{entry.name}"
            try:
                info = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # gone since it was listed: an editor's own file
                continue
            if stat.S_ISDIR(info.st_mode):
                if is_deep:
                    pending.append(path)
                continue
            yield _file(path, info)


def _file(path: str, info: os.stat_result) -> File:
    try:
        path.encode()
    except UnicodeEncodeError:  # bytes of another encoding
        shown = os.fsencode(path).decode("utf-8", "replace")
        return File(shown, _signature(info), "its name is no UTF-8 text")
    return File(path, _signature(info), _unreadable(info))


def signature_of(path: Path) -> str:
    """A file's signature; empty where there is none."""
    try:
        return _signature(path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return ""


def _signature(info: os.stat_result) -> str:
    return f"{info.st_ino}.{info.st_size}.{info.st_ctime_ns}"


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


# Whatever has come into a file's place since it was listed: no link is followed, and no pipe is
# waited for.
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_file(folder: Path, path: str, limit: int = -1) -> bytes:
    """Read a regular file below a folder, at most `limit` bytes, through no link on the way.

    Raises OSError, with the path as its file name.
    """
    try:
        with os.fdopen(open_below(folder, path), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "it is no regular file")
            return file.read(limit)
    except OSError as error:
        is_link = error.errno == errno.ELOOP
        reason = "it is a link; only real files are read" if is_link else error.strerror
        raise OSError(error.errno, reason, path) from None


def open_below(folder: Path, path: str) -> int:
    """Open what is at a path below a folder, through no link on the way; gives its descriptor.

    It may be no regular file. Raises OSError.
    """
    *inner, name = path.split("/")
    if ".." in (*inner, name):
        raise OSError(errno.EINVAL, "it leads out of its folder")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in inner:
        outer = descriptor
        try:
            descriptor = os.open(part, _READING | os.O_DIRECTORY, dir_fd=outer)
        finally:
            os.close(outer)
    try:
        return os.open(name, _READING, dir_fd=descriptor)
    finally:
        os.close(descriptor)
