"""The files of public/ and nothing else: found by a path as it was sent, through no link."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple
from urllib.parse import quote, unquote_to_bytes

import msgspec

from publisher.site.feed_files import is_feed
from publisher.site.scan import open_below

INDEX = "index.html"
# By the name's end. Not the machine's own table, which would differ elsewhere.
_TYPES = (
    ("/feed.json", "application/feed+json"),
    ("/issues.json", "application/feed+json"),
    ("/opensearch.xml", "application/opensearchdescription+xml; charset=utf-8"),
    (".html", "text/html; charset=utf-8"),
    (".css", "text/css; charset=utf-8"),
    (".js", "text/javascript; charset=utf-8"),
    (".txt", "text/plain; charset=utf-8"),
    (".atom", "application/atom+xml; charset=utf-8"),
    (".rss", "application/rss+xml; charset=utf-8"),
    (".opml", "text/x-opml; charset=utf-8"),
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
# What gets smaller by being compressed: text, by its type.
_TEXT = re.compile(r"text/|application/(?:.*\+)?(?:json|xml)\b|image/svg\+xml")
# Text cannot pass for it: what an author writes is escaped, and stands behind the body's tag.
_BODY = re.compile(rb'<body class="(withdrawn|moved)-page"')
_CANONICAL = re.compile(rb'<link rel="canonical" href="([^"<>]+)"')
_SPEAKING = ("issues/", "highlights/")
# An issue's message: messages that were sent lead there, also once the issue has gone or moved.
_MESSAGES = ("email.html", "email.txt")
# Of a page, what is looked at to see what it says; its own text comes later.
_BEGINNING = 65_536
# An encoded slash is no name's part that we would write; nothing decodes it here.
_ENCODED_SLASH = re.compile(r"%2f|%5c", re.IGNORECASE)
# What a reference may hold as it is (RFC 3986), and the percent sign.
_IN_REFERENCE = "/:@!$&'()*+,;=-._~%?#"
# A link, a name that is too long or none, a file that this account may not read, a socket.
_NOT_THERE = (errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EACCES, errno.ENXIO)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\\]")

Kind = Literal["file", "withdrawn", "moved"]


class State(NamedTuple):
    """What differs between two states of a file; times in nanoseconds."""

    size: int
    modified: int
    changed: int
    inode: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A file in one state. `path` is its own, below public/.

    `kind` tells whether a tombstone stands there, or a page that says where it moved: to
    `canonical`, a URL.
    """

    path: str
    state: State
    media_type: str
    kind: Kind = "file"
    canonical: str = ""

    @property
    def size(self) -> int:
        return self.state.size

    @property
    def stem(self) -> str:
        """What the ETags of all its codings begin with, without quotes."""
        return f"{self.state.modified:x}-{self.state.size:x}"

    @property
    def modified(self) -> datetime:
        """In whole seconds, which is all that HTTP tells."""
        return datetime.fromtimestamp(self.state.modified // 1_000_000_000, UTC)

    @property
    def is_text(self) -> bool:
        return bool(_TEXT.match(self.media_type))

    @property
    def is_feed(self) -> bool:
        return is_feed(self.path)


class Elsewhere(msgspec.Struct, frozen=True):
    """Where something is instead: a URL, or a reference relative to the path asked for."""

    location: str


class ChangedError(Exception):
    """A file is no longer in the state that was found."""


def find_file(folder: Path, sent: str) -> Found | Elsewhere | None:
    """Find what stands at a path as it was sent. Raises OSError where the disk fails."""
    if (path := read_path(sent)) is None:
        return None
    if found := look_at(folder, name_file(path)):
        return found
    folder_path, _, name = path.rpartition("/")
    if name in _MESSAGES and (page := look_at(folder, f"{folder_path}/{INDEX}")):
        return page if page.kind != "file" else None
    if path and not path.endswith("/") and look_at(folder, f"{path}/{INDEX}"):
        # The dot, since a name may hold a colon (RFC 3986, section 4.2).
        return Elsewhere(f"./{sent.rpartition('/')[2]}/")
    return None


def read_path(sent: str) -> str | None:
    """Decode a path, once, into one below public/; None where no file of ours has it.

    It ends with a slash, or is empty, where a folder is meant.
    """
    path = decode_path(sent)
    is_hidden = path is not None and any(part.startswith(".") for part in path.split("/"))
    return None if is_hidden else path


def decode_path(sent: str) -> str | None:
    """Decode a path, once, without its first slash; None where it is no path of names."""
    if not sent.startswith("/") or _ENCODED_SLASH.search(sent):
        return None
    try:
        path = unquote_to_bytes(sent).decode()[1:]
    except UnicodeDecodeError:
        return None
    parts = path.removesuffix("/").split("/") if path else []
    return None if _CONTROLS.search(path) or not all(parts) else path


def name_file(path: str) -> str:
    """The file that a decoded path means."""
    return f"{path}{INDEX}" if path.endswith("/") or not path else path


def refer(sent: str, path: str) -> str:
    """Refer from a path as it was sent to another one of this site.

    Relative, since only a proxy knows what stands before both.
    """
    there = quote(path.removeprefix("/"), safe=_IN_REFERENCE)
    return f"{'../' * (sent.count('/') - 1) or './'}{there}"


def look_at(folder: Path, path: str) -> Found | None:
    """Find a file by its own path. Raises OSError where the disk fails."""
    try:
        with _opened(folder, path) as (file, state):
            return _describe(path, state, file)
    except OSError as error:
        if _is_no_file(error):
            return None
        raise


def find_state(folder: Path, path: str) -> State | None:
    """The state that a file is in now; None where there is none, or it cannot be told."""
    try:
        with _opened(folder, path) as (_, state):
            return state
    except OSError:
        return None


def read_whole(folder: Path, found: Found) -> bytes:
    """Read a file. Raises ChangedError where it is in another state, and OSError."""
    with open_found(folder, found) as file:
        data = file.read(found.size + 1)
    if len(data) != found.size:  # written to in its place
        raise ChangedError
    return data


def open_found(folder: Path, found: Found) -> BinaryIO:
    """Open a file that was found. Raises ChangedError where it is in another state, and OSError."""
    try:
        file, state = _open(folder, found.path)
    except OSError as error:
        raise ChangedError if _is_no_file(error) else error from None
    if state != found.state:
        file.close()
        raise ChangedError
    return file


@contextmanager
def _opened(folder: Path, path: str) -> Iterator[tuple[BinaryIO, State]]:
    file, state = _open(folder, path)
    with file:
        yield file, state


def _open(folder: Path, path: str) -> tuple[BinaryIO, State]:
    """Open a regular file. Raises OSError."""
    descriptor = open_below(folder, path)
    info = os.fstat(descriptor)
    if not stat.S_ISREG(info.st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file")
    state = State(info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)
    return os.fdopen(descriptor, "rb", buffering=0), state


def _is_no_file(error: OSError) -> bool:
    return error.errno in (*_NOT_THERE, errno.ENOENT, errno.ENOTDIR)


def _describe(path: str, state: State, file: BinaryIO) -> Found:
    media_type = _type_of(path)
    if not (path.startswith(_SPEAKING) and path.endswith((f"/{INDEX}", "/email.html"))):
        return Found(path=path, state=state, media_type=media_type)
    beginning = file.read(_BEGINNING)
    body = _BODY.search(beginning)
    if body is None:
        return Found(path=path, state=state, media_type=media_type)
    if body[1] == b"withdrawn":
        return Found(path=path, state=state, media_type=media_type, kind="withdrawn")
    link = _CANONICAL.search(beginning, 0, body.start())
    canonical = unescape(link[1].decode("utf-8", "replace")) if link else ""
    return Found(path=path, state=state, media_type=media_type, kind="moved", canonical=canonical)


def _type_of(path: str) -> str:
    name = f"/{path}".lower()
    return next((kind for end, kind in _TYPES if name.endswith(end)), "application/octet-stream")
