"""The build: the folder's files -> what changed -> the tasks for it -> public/.

Nothing of the old site is touched before every task of the build has succeeded.
"""

import fcntl
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import msgspec
from jinja2 import TemplateError

from publisher import __version__
from publisher.errors import PublisherError
from publisher.model.problem import Problem, has_errors, in_reading_order
from publisher.preflight.catalogue import problem
from publisher.render.frame import PageContext, site_feeds
from publisher.render.templates import make_templates
from publisher.render.urls import Urls
from publisher.render.views import Setting
from publisher.settings import Settings
from publisher.site.archive import Archive
from publisher.site.index import Index, Task
from publisher.site.media import MeasuredMedia, is_active, logo_path
from publisher.site.parallel import run_parallel
from publisher.site.plan import Plan, read_one
from publisher.site.register import PATH as REGISTER
from publisher.site.register import append_register
from publisher.site.scan import read_templates, scan_issues, scan_media, signature_of
from publisher.site.tasks import Result, is_sitemap_split, run_task
from publisher.site.write import Staging, find_missing, list_own, remove

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


def build(job: Job) -> Report:
    """Bring the output folder up to date with the publication's folder.

    Where the content has errors (except in a preview), neither the site nor the register changes,
    and the report says so.
    """
    with open_index(job) as index:
        sources = read_templates(job.folder)
        media = {file.path: file.signature for file in scan_media(job.folder)}
        with _transaction(index):
            noticed, errors = _note_changes(job, index, sources, media)
        if errors and not job.is_preview:
            return _report(index, None, errors)
        archive = open_archive(job, index, sources, frozenset(media))
        with _transaction(index):
            _mark_missing(job, index, archive)
        made = _make(job, index, archive)
        problems = [*errors, *noticed, *made.problems]
        if has_errors(made.problems) and not job.is_preview:
            return _report(index, None, problems)
        if not job.is_discarded:
            _publish(job, index, made)
        _conclude(job, index, made)
        return _report(index, made, problems)


def _note_changes(
    job: Job, index: Index, sources: dict[str, str], media: dict[str, str]
) -> tuple[list[Problem], list[Problem]]:
    """Bring the index up to date; give what was noticed in changed files, and all errors."""
    _forget_other_world(job, index, sources)
    publication = job.settings.as_publication()
    zone = Setting(publication=publication, urls=job.urls, web_url="").zone
    plan = Plan(index, job.folder, zone, job.urls, job.now, job.is_preview)
    errors = list(plan.note_register(signature_of(job.folder / REGISTER)))
    files = scan_issues(job.folder)
    plan.note_gone(files)
    noticed: list[Problem] = []
    changed = plan.changed_files(files)
    readings = run_parallel(lambda file: read_one(job.folder, file, zone), changed)
    for done, reading in enumerate(readings, 1):
        _tell(job, "Reading issues", done, len(changed))
        plan.note_reading(reading)
        noticed += reading.problems
    plan.note_due()
    plan.note_media(media, logo_path(publication.logo, job.urls))
    plan.conclude()
    errors += plan.errors()
    if not errors or job.is_preview:
        plan.note_pending()
    return noticed, errors


def _forget_other_world(job: Job, index: Index, sources: dict[str, str]) -> None:
    """Start anew where settings, templates, libraries or this program are not what they were."""
    world = _fingerprint(job, sources)
    if index.get("world") == world:
        return
    index.clear()
    for key in ("register", "newest-month", "is-sitemap-split"):
        index.set(key, "")
    index.set("world", world)
    for kind in ("assets", "feeds", "home", "opml", "sitemap"):
        index.mark(kind)


def _fingerprint(job: Job, sources: dict[str, str]) -> str:
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


def _mark_missing(job: Job, index: Index, archive: Archive) -> None:
    """Mark what the output folder lacks, and what depends on the number of URLs."""
    if not job.is_discarded:
        paths = [row[0] for row in index.rows("SELECT path FROM output")]
        for path in find_missing(job.output, paths):
            row = index.rows("SELECT kind, key FROM output WHERE path = ?", path)[0]
            index.mark(*row)
    is_split = str(is_sitemap_split(archive))
    if index.get("is-sitemap-split") != is_split:
        for year in archive.years:
            index.mark("sitemap-year", year.year)
        index.mark("sitemap")
        index.set("is-sitemap-split", is_split)


class Made(msgspec.Struct):
    """What the tasks of one build made: their files by task, which are new, and problems."""

    files: dict[Task, list[str]]
    written: list[str]
    problems: list[Problem]
    found: dict[Task, tuple[Problem, ...]]
    removed: int


def _make(job: Job, index: Index, archive: Archive) -> Made:
    """Run all marked tasks, in as many processes as help; their files go aside, not yet public."""
    tasks = index.tasks()
    made = Made({}, [], [], {}, 0)
    if not tasks:
        return made
    staging = Staging(job.output)
    if not job.is_discarded:
        staging.open()
    worker = _Worker(job, archive, staging)
    for done, outcome in enumerate(run_parallel(worker, tasks, worker.prepare), 1):
        _tell(job, "Making the site", done, len(tasks))
        made.files[outcome.task] = outcome.files
        made.written += outcome.written
        made.problems += outcome.problems
        made.found[outcome.task] = tuple(outcome.problems)
    return made


class Outcome(msgspec.Struct):
    task: Task
    files: list[str]
    written: list[str]
    problems: list[Problem]


class _Worker:
    """Runs tasks; in a process of its own after `prepare`, which gives it its own connection."""

    def __init__(self, job: Job, archive: Archive, staging: Staging) -> None:
        self.job = job
        self.archive = archive
        self.staging = staging

    def prepare(self) -> None:
        index = Index(self.archive.index.path, is_readonly=True)
        old = self.archive
        setting = msgspec.structs.replace(old.setting, media=MeasuredMedia(index))
        context = msgspec.structs.replace(old.context, setting=setting)
        self.archive = Archive(
            index, old.folder, context, old.feeds, old.media_paths, old.stylesheet
        )

    def __call__(self, task: Task) -> Outcome:
        try:
            result = run_task(self.archive, *task)
        except TemplateError as error:
            result = Result((), (_broken_template(error),))
        files = [output.path for output in result.outputs]
        written = []
        if not self.job.is_discarded:
            states = [(o.path, self.staging.put(o)) for o in result.outputs]
            written = [path for path, state in states if state == "written"]
        return Outcome(task, files, written, list(result.problems))


def _broken_template(error: TemplateError) -> Problem:
    name = getattr(error, "name", None)
    line = getattr(error, "lineno", None)
    return problem("template-broken", f"templates/{name}" if name else None, line, found=error)


def _publish(job: Job, index: Index, made: Made) -> None:
    """Make it public: the register first, since an entry must never be seen with another date."""
    staging = Staging(job.output)
    if made.written:
        staging.sync()
    if not job.is_preview:
        pending = index.all_records("1", table="pending")
        append_register(job.folder, job.settings.publication.id, pending)
    staging.publish(sorted(made.written, key=_publishing_order))
    staging.close()


def _conclude(job: Job, index: Index, made: Made) -> None:
    """Note in the index what is public now, and remove the files that no task yields any more."""
    with _transaction(index):
        if not job.is_discarded:
            made.removed = remove(job.output, _note_outputs(job, index, made))
        for task, problems in made.found.items():
            index.save_found(task, problems)
        for record in index.all_records("1", table="pending"):
            index.save_record("registered", record)
        if not job.is_preview:
            index.set("register", signature_of(job.folder / REGISTER))
        index.run("DELETE FROM pending")
        index.run("DELETE FROM dirty")


def _publishing_order(path: str) -> tuple[bool, str]:
    """Pages before what links to them: the files at the top (feeds, the home page) come last."""
    return ("/" not in path, path)


def _note_outputs(job: Job, index: Index, made: Made) -> list[str]:
    """Note which files each task yields now; give those that no task yields any more."""
    gone: set[str] = set()
    if not index.get("is-built"):  # the index is new: what an earlier one knew may still be there
        gone.update(list_own(job.output))
        index.set("is-built", "yes")
    for kind, key in made.files:
        sql = "SELECT path FROM output WHERE kind = ? AND key = ?"
        gone.update(row[0] for row in index.rows(sql, kind, key))
        index.run("DELETE FROM output WHERE kind = ? AND key = ?", kind, key)
    for (kind, key), paths in made.files.items():
        for path in paths:
            index.run("INSERT OR REPLACE INTO output VALUES (?, ?, ?)", path, kind, key)
    kept = {path for paths in made.files.values() for path in paths}
    return sorted(
        path for path in gone - kept if not index.value("SELECT 1 FROM output WHERE path = ?", path)
    )


def _report(index: Index, made: Made | None, problems: list[Problem]) -> Report:
    """Count; without `made` the build was refused, and nothing was touched."""
    issues = index.value("SELECT COUNT(*) FROM file WHERE is_live = 1")
    idents = index.value("SELECT COUNT(*) FROM ident WHERE is_live = 1")
    files = index.value("SELECT COUNT(*) FROM output")
    return Report(
        issues=issues,
        highlights=idents - issues,
        written=len(made.written) if made else 0,
        unchanged=files - len(made.written) if made else files,
        removed=made.removed if made else 0,
        problems=in_reading_order(problems),
        is_refused=made is None,
    )


def run_after_build(settings: Settings, folder: Path, output: Path, *, has_changed: bool) -> None:
    """Run `site.after_build` when the site changed, or when it failed the last time.

    Its output goes to standard error. Raises PublisherError when it fails.
    """
    command = settings.site.after_build
    owed = folder / CACHE / "after-build-owed"
    if not command or not (has_changed or owed.exists()):
        return
    owed.touch()
    environment = {**os.environ, "PUBLISHER_OUTPUT": str(output)}
    done = subprocess.run(  # noqa: S602 - a shell command of the operator's own settings
        command, shell=True, cwd=folder, env=environment, stdout=2, check=False
    )
    if done.returncode:
        raise PublisherError(
            f"site.after_build failed with exit status {done.returncode}: {command}. The site in "
            f"{output} is up to date; run `publisher build` to try the command again."
        )
    owed.unlink(missing_ok=True)


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


@contextmanager
def _transaction(index: Index) -> Iterator[None]:
    index.begin()
    try:
        yield
    except BaseException:
        index.rollback()
        raise
    index.commit()


def _tell(job: Job, what: str, done: int, total: int) -> None:
    if job.progress:
        job.progress(what, done, total)
