"""One build to do: its settings, its index, the archive it works on, and what came of it."""

import fcntl
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import msgspec

from publisher import __version__
from publisher.errors import PublisherError
from publisher.model.problem import Problem
from publisher.render.urls import Urls
from publisher.settings import Settings
from publisher.site.history import CorrectionLine
from publisher.site.index import Index, Task, remove_index
from publisher.site.scan import signature_of

CACHE = ".publisher"
# What the bytes of a rendition depend on besides the publication itself.
_LIBRARIES = (
    *("babel", "cssutils", "feedgen", "jinja2", "linkify-it-py", "lxml", "markdown-it-py"),
    *("markupsafe", "nh3", "pillow", "premailer", "pyyaml", "tzdata"),
)

Progress = Callable[[str, int, int], None]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a build did: counts of what is published, counts of files, and what it noticed.

    `drafts` and `waiting` count the issues that are not published: drafts, and ready ones whose
    date is still to come. `is_refused` tells that the content has errors and nothing was touched.
    """

    issues: int
    highlights: int
    written: int
    unchanged: int
    removed: int
    problems: tuple[Problem, ...]
    drafts: int = 0
    waiting: int = 0
    is_refused: bool = False


class Made(msgspec.Struct):
    """What the tasks of one build made: their files by task, which are new, and problems."""

    files: dict[Task, list[str]]
    written: list[str]
    problems: list[Problem]
    found: dict[Task, tuple[Problem, ...]]
    removed: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One build to do. `is_preview` takes drafts and future issues too and keeps no register;
    `is_discarded` makes everything and writes nothing, for what its problems say. `corrections`
    are published and recorded together with what they are about, or not at all.
    """

    folder: Path
    settings: Settings
    output: Path
    now: datetime
    is_preview: bool = False
    is_discarded: bool = False
    progress: Progress | None = None
    corrections: tuple[CorrectionLine, ...] = ()

    @property
    def urls(self) -> Urls:
        return Urls(self.settings.as_publication().url)


def fingerprint(job: Job, sources: dict[str, str], logo: str) -> str:
    """What every part of the site depends on besides the issues; `logo` is its file's signature."""
    settings = job.settings
    world = [
        sign_program(),
        msgspec.to_builtins(settings.as_publication()),
        [settings.web_url, settings.link_params],
        [settings.email.subject, settings.email.postal_address],
        [str(settings.feeds.window), settings.feeds.min_issues, settings.feeds.full_content],
        [settings.feeds.hub, job.is_preview, job.is_discarded],
        [settings.site.profiles, settings.site.license, settings.site.card_font],
        signature_of(job.folder / settings.site.card_font) if settings.site.card_font else "",
        [sources, logo],
    ]
    return sha256(json.dumps(world).encode()).hexdigest()


@cache
def sign_program() -> list[object]:
    """Changes whenever this program does, so that an upgrade builds everything anew.

    It is that of the program that runs: what an upgrade put in its place meanwhile did not build.
    """
    package = Path(__file__).parent.parent
    newest = max(path.stat().st_mtime_ns for path in package.rglob("*.py"))
    # Python's version tells that of its Unicode tables.
    return [__version__, newest, sys.version, [version(name) for name in _LIBRARIES]]


def index_path(job: Job) -> Path:
    """Each output folder has an index of its own."""
    kind = "check" if job.is_discarded else "preview" if job.is_preview else "site"
    return _cache_path(job.folder, job.output, kind)


def search_path(folder: Path, output: Path) -> Path:
    """What the server searches for the site in an output folder."""
    return _cache_path(folder, output, "search")


def _cache_path(folder: Path, output: Path, kind: str) -> Path:
    name = sha256(os.fsencode(output.resolve())).hexdigest()[:10]
    return folder / CACHE / f"{kind}-{name}.db"


# The index itself is at fault: damaged, or with other tables than ours.
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR", "SQLITE_CONSTRAINT")


def forget_index(job: Job, error: sqlite3.DatabaseError) -> None:
    """Remove a damaged index, so that the next build makes it anew.

    Raises PublisherError where it is the disk that is at fault (full, read-only).
    """
    path = index_path(job)
    if not getattr(error, "sqlite_errorname", _DAMAGE[0]).startswith(_DAMAGE):
        raise PublisherError(f"{path} cannot be written: {error}") from error
    with hold_lock(job.folder):
        remove_index(path)


@contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a publication's folder: a second process waits for the first."""
    cache = folder / CACHE
    cache.mkdir(exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def open_index(job: Job) -> Iterator[Index]:
    """The index for this output folder, under the folder's lock."""
    with hold_lock(job.folder):
        index = Index(index_path(job))
        try:
            yield index
        finally:
            index.rollback()
            index.close()
