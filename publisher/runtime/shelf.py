"""What is kept of each source between two readings, in the cache: a file for each.

A server that says that nothing has changed sends nothing: what it sent before must be at hand, for
its entries count all the same. Deleted, all of it is asked for anew.
"""

import os
import time
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from threading import get_ident

import msgspec

from publisher.runtime.fetching import Validators
from publisher.site.job import CACHE

_FOLDER = "sources"
# What is in no list any more is forgotten after a while.
_KEPT_SECONDS = 90 * 86_400


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a source: the document as it was sent last, and when not to ask for it.

    `moved_to` is where it said that it is for good. `seen` tells when an entry that has no date was
    first seen, by its page's key.
    """

    validators: Validators = Validators()
    content_type: str = ""
    body: bytes = b""
    moved_to: str = ""
    wait_until: datetime | None = None
    why: str = ""
    is_gone: bool = False
    seen: dict[str, datetime] = {}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


class Shelf:
    """The files of all sources that were ever read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / CACHE / _FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)

    def read(self, url: str) -> Kept:
        """What is kept of a source; nothing where it is new, or its file is damaged."""
        try:
            return _decode(self._path(url).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return Kept()

    def write(self, url: str, kept: Kept) -> None:
        path = self._path(url)
        aside = path.with_suffix(f".{os.getpid()}-{get_ident():x}.new")
        try:
            aside.write_bytes(_encode(kept))
            aside.replace(path)
        except OSError:
            aside.unlink(missing_ok=True)
            raise

    def tidy(self) -> None:
        """Forget what was not read for long."""
        oldest = time.time() - _KEPT_SECONDS
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # somebody else tidies
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _path(self, url: str) -> Path:
        return self._folder / sha256(url.encode()).hexdigest()[:32]
