"""What an export holds, in one form for all systems."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from publisher.model.problem import Problem


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that another system published; it becomes an issue.

    `file` and `line` are where it stands in the export. `date` is aware where the export says an
    offset, naive where it does not, None where it has none. `html` is its text, the whole of its
    file where `is_page`, and `base` the folder that paths of images in it begin at. `url` is where
    it was on the web, as a URL or a path; `former` are older paths that led to it. `restricted`
    says for whom alone it was, where that was not everybody.
    """

    file: str
    line: int | None = None
    slug: str = ""
    title: str = ""
    date: datetime | None = None
    written_date: str = ""
    is_published: bool = True
    html: str = ""
    is_page: bool = False
    base: str = ""
    summary: str = ""
    language: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    image: str = ""
    image_alt: str | None = None
    guid: str = ""
    url: str = ""
    former: tuple[str, ...] = ()
    restricted: str = ""
    problems: tuple[Problem, ...] = ()


class LeftOut(msgspec.Struct, frozen=True):
    """So many entries of an export that become no issue, and why."""

    count: int
    reason: str


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of an export: `entries` counts all that stands in it, posts or not."""

    entries: int
    posts: tuple[Post, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    problems: tuple[Problem, ...] = ()


class Export(Protocol):
    """An export's files, by their paths in it; a single file is an export of one."""

    @property
    def name(self) -> str:
        """What to call it in messages."""
        ...

    @property
    def paths(self) -> Sequence[str]: ...

    def read(self, path: str) -> bytes:
        """A file's bytes. Raises DamagedError where they cannot be had whole."""
        ...


class DamagedError(Exception):
    """A file of an export, or the whole of it, cannot be read; says why."""


def count_reasons(reasons: Sequence[str]) -> tuple[LeftOut, ...]:
    """Count what was left out by its reasons, in the order in which they first came up."""
    return tuple(LeftOut(reasons.count(reason), reason) for reason in dict.fromkeys(reasons))
