"""The files of public/ and nothing else: found by a path as it was sent, through no link."""

import errno
import os
import re
import stat
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

import msgspec

from publisher.site.scan import open_below

INDEX = "index.html"
# By the name's end. Not the machine's own table, which would differ elsewhere. Litestar says of
# all text that it is UTF-8.
_TYPES = (
    ("/feed.json", "application/feed+json"),
    ("/issues.json", "application/feed+json"),
    (".html", "text/html"),
    (".css", "text/css"),
    (".txt", "text/plain"),
    (".atom", "application/atom+xml; charset=utf-8"),
    (".rss", "application/rss+xml; charset=utf-8"),
    (".opml", "text/x-opml"),
    (".xml", "application/xml; charset=utf-8"),
    (".json", "application/json"),
    (".jpg", "image/jpeg"),
    (".jpeg", "image/jpeg"),
    (".png", "image/png"),
    (".gif", "image/gif"),
    (".webp", "image/webp"),
    (".avif", "image/avif"),
    (".bmp", "image/bmp"),
    (".ico", "image/vnd.microsoft.icon"),
    (".svg", "image/svg+xml"),
    (".pdf", "application/pdf"),
    (".mp3", "audio/mpeg"),
    (".m4a", "audio/mp4"),
    (".ogg", "audio/ogg"),
    (".mp4", "video/mp4"),
    (".webm", "video/webm"),
    (".woff2", "font/woff2"),
    (".webmanifest", "application/manifest+json"),
)
# Text cannot pass for it: what an author writes is escaped, and stands behind the body's tag.
_TOMBSTONE = re.compile(rb'<body class="withdrawn-page"')
_TOMBSTONES = ("issues/", "highlights/")
# An encoded slash is no name's part that we would write; nothing decodes it here.
_ENCODED_SLASH = re.compile(r"%2f|%5c", re.IGNORECASE)
# A link, a name that is too long or none, a file that this account may not read, a socket.
_NOT_THERE = (errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EACCES, errno.ENXIO)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\\]")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An open file. `path` is its own, below public/; `tag` its ETag; `modified` in whole seconds.

    `is_withdrawn` tells that a tombstone stands there.
    """

    path: str
    file: BinaryIO
    size: int
    tag: str
    modified: datetime
    media_type: str
    is_withdrawn: bool

    @property
    def last_modified(self) -> str:
        return format_datetime(self.modified, usegmt=True)


class Elsewhere(msgspec.Struct, frozen=True):
    """A folder asked for without its slash: where it is, relative to the path asked for."""

    location: str


def find_file(folder: Path, sent: str) -> Found | Elsewhere | None:
    """Find what stands at a path as it was sent. Raises OSError where the disk fails."""
    if (path := read_path(sent)) is None:
        return None
    name = f"{path}{INDEX}" if path.endswith("/") or not path else path
    try:
        found = _open(folder, name)
        if found is None and name == path and (index := _open(folder, f"{path}/{INDEX}")):
            index.file.close()
            # Relative, since only the proxy knows what stands before it; the dot, since a name
            # may hold a colon (RFC 3986, section 4.2).
            return Elsewhere(f"./{sent.rpartition('/')[2]}/")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise
    return found


def read_path(sent: str) -> str | None:
    """Decode a path, once, into one below public/; None where no file of ours has it.

    It ends with a slash, or is empty, where a folder is meant.
    """
    if not sent.startswith("/") or _ENCODED_SLASH.search(sent):
        return None
    try:
        path = unquote_to_bytes(sent).decode()[1:]
    except UnicodeDecodeError:
        return None
    parts = path.removesuffix("/").split("/") if path else []
    if _CONTROLS.search(path) or any(part.startswith(".") or not part for part in parts):
        return None
    return path


def is_unchanged(found: Found, none_match: str, modified_since: str) -> bool:
    """Tell whether who asks has the file already (RFC 9110, section 13.2.2)."""
    if none_match:
        tags = [tag.strip().removeprefix("W/") for tag in none_match.split(",")]
        return found.tag in tags or tags == ["*"]
    try:
        return bool(modified_since) and found.modified <= parsedate_to_datetime(modified_since)
    except (ValueError, TypeError, OverflowError):  # no date, or one without a zone
        return False


def _open(folder: Path, path: str) -> Found | None:
    """Open a regular file; None where it is a folder or anything else."""
    descriptor = open_below(folder, path)
    info = os.fstat(descriptor)
    if not stat.S_ISREG(info.st_mode):
        os.close(descriptor)
        return None
    file = os.fdopen(descriptor, "rb")
    return Found(
        path=path,
        file=file,
        size=info.st_size,
        tag=f'"{info.st_mtime_ns:x}-{info.st_size:x}"',
        modified=datetime.fromtimestamp(int(info.st_mtime), UTC),
        media_type=_type_of(path),
        is_withdrawn=_is_tombstone(path, file),
    )


def _is_tombstone(path: str, file: BinaryIO) -> bool:
    if not (path.startswith(_TOMBSTONES) and path.endswith(f"/{INDEX}")):
        return False
    is_one = bool(_TOMBSTONE.search(file.read()))
    file.seek(0)
    return is_one


def _type_of(path: str) -> str:
    name = f"/{path}".lower()
    return next((kind for end, kind in _TYPES if name.endswith(end)), "application/octet-stream")
