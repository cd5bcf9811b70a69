"""One build to do: its settings, its index, the archive it works on, and what came of it."""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import msgspec

from publisher import __version__
from publisher.model.problem import Problem
from publisher.render.frame import PageContext, site_feeds
from publisher.render.templates import make_templates
from publisher.render.urls import Urls
from publisher.render.views import Setting
from publisher.settings import Settings
from publisher.site.archive import Archive
from publisher.site.index import Index
from publisher.site.media import MeasuredMedia, is_active

CACHE = ".publisher"
# What the bytes of a rendition depend on besides the publication itself.
_LIBRARIES = (
    *("babel", "cssutils", "feedgen", "jinja2", "linkify-it-py", "lxml", "markdown-it-py"),
    *("markupsafe", "nh3", "pillow", "premailer", "tzdata"),
)

Progress = Callable[[str, int, int], None]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a build did: counts of what is published, counts of files, and what it noticed.

    `is_refused` tells that the content has errors and nothing was touched.
    """

    issues: int
    highlights: int
    written: int
    unchanged: int
    removed: int
    problems: tuple[Problem, ...]
    is_refused: bool = False


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One build to do. `is_preview` takes drafts and future issues too and keeps no register;
    `is_discarded` makes everything and writes nothing, for what its problems say.
    """

    folder: Path
    settings: Settings
    output: Path
    now: datetime
    is_preview: bool = False
    is_discarded: bool = False
    progress: Progress | None = None

    @property
    def urls(self) -> Urls:
        return Urls(self.settings.as_publication().url)


def fingerprint(job: Job, sources: dict[str, str]) -> str:
    settings = job.settings
    world = [
        __version__,
        _code_signature(),
        [version(name) for name in _LIBRARIES],
        msgspec.to_builtins(settings.as_publication()),
        [settings.web_url, settings.link_params],
        [settings.email.subject, settings.email.postal_address],
        [str(settings.feeds.window), settings.feeds.min_issues, settings.feeds.full_content],
        [settings.feeds.hub, job.is_preview, job.is_discarded],
        sources,
    ]
    return sha256(json.dumps(world).encode()).hexdigest()


def _code_signature() -> str:
    """Changes whenever this program does, so that an upgrade builds everything anew."""
    package = Path(__file__).parent.parent
    newest = max(path.stat().st_mtime_ns for path in package.rglob("*.py"))
    return str(newest)


def open_archive(
    job: Job, index: Index, sources: dict[str, str], media_paths: frozenset[str]
) -> Archive:
    """The archive as tasks read it, with everything that renditions share."""
    settings = job.settings
    setting = Setting(
        publication=settings.as_publication(),
        urls=job.urls,
        web_url=settings.web_url,
        media=MeasuredMedia(index),
        link_params=settings.link_params,
        postal_address=settings.email.postal_address,
        subject=settings.email.subject,
    )
    style = sources["pages/site.css"].encode()
    # Its name changes with its content, so that browsers may keep it for good.
    name = f"site-{sha256(style).hexdigest()[:10]}.css"
    context = PageContext(
        setting=setting,
        templates=make_templates(sources),
        stylesheet_url=job.urls.path(f"assets/{name}"),
        feeds=site_feeds(setting),
    )
    published = frozenset(path for path in media_paths if not is_active(path))
    return Archive(index, job.folder, context, settings.feeds, published, (name, style))


@contextmanager
def open_index(job: Job) -> Iterator[Index]:
    """The index for this output folder, under a lock: a second build waits for the first."""
    cache = job.folder / CACHE
    cache.mkdir(exist_ok=True)
    kind = "check" if job.is_discarded else "preview" if job.is_preview else "site"
    name = sha256(str(job.output.resolve()).encode()).hexdigest()[:10]
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        index = Index(cache / f"{kind}-{name}.db")
        try:
            yield index
        finally:
            index.rollback()
            index.close()
