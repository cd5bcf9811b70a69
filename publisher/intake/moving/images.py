"""Where a post's images are: on the web, as before; or in the export, and so in media/."""

import posixpath
import re
from collections.abc import Collection
from hashlib import sha256
from urllib.parse import unquote

from publisher.intake.moving.addresses import join_address, split_address
from publisher.intake.moving.post import Post
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

# The folders whose content is served at the root: Hugo, and others.
_SERVED = ("", "static/", "assets/", "public/", "source/", "src/")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".bmp")


class Images:
    """Finds the images of one post; `wanted` maps places in media/ to paths in the export.

    `base` is the URL that relative addresses are meant by, empty where nobody knows.
    """

    def __init__(self, post: Post, paths: Collection[str], base: str) -> None:
        self.post = post
        self.base = base
        self.paths = paths
        self.wanted: dict[str, str] = {}
        self.problems: list[Problem] = []

    def find(self, source: str) -> str:
        """An image's address in the issue."""
        if source.startswith("//"):
            return f"https:{source}"
        parts = split_address(source)
        if path := self._in_export(parts.path, is_elsewhere=bool(parts.scheme)):
            place = media_place(path)
            self.wanted[place] = path
            return place
        if parts.scheme:
            return source
        if self.base:
            return join_address(self.base, source)
        report = problem("import-image-missing", self.post.file, self.post.line, found=source[:80])
        self.problems.append(report)
        return source

    def _in_export(self, path: str, *, is_elsewhere: bool) -> str:
        """The file in the export that an address means; of one elsewhere, one of the same path."""
        path = unquote(path)
        if not path.lower().endswith(_SUFFIXES):
            return ""
        bare = path.lstrip("/")
        tried = [f"{root}{bare}" for root in _SERVED]
        if not path.startswith("/") and not is_elsewhere:
            tried.insert(0, posixpath.normpath(posixpath.join(self.post.base, path)))
        return next((each for each in tried if each in self.paths), "")


def media_place(path: str) -> str:
    """An image's place in media/: its name, and a mark of where it was, so that none meet."""
    stem, _, suffix = posixpath.basename(path).rpartition(".")
    words = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40]
    mark = sha256(path.encode("utf-8", "replace")).hexdigest()[:8]
    return f"media/{words or 'image'}-{mark}.{suffix.lower()}"
