"""The build: the folder's files -> what changed -> the tasks for it -> public/.

Nothing of the old site is touched before every task of the build has succeeded.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from publisher.model.problem import Problem, has_errors, in_reading_order
from publisher.render.views import Setting
from publisher.site.archive import Archive
from publisher.site.index import Index
from publisher.site.job import Job, Report, fingerprint, open_archive, open_index
from publisher.site.make import Made, make
from publisher.site.media import logo_path
from publisher.site.parallel import run_parallel
from publisher.site.plan import Plan, read_one
from publisher.site.register import PATH as REGISTER
from publisher.site.register import append_register
from publisher.site.scan import read_templates, scan_issues, scan_media, signature_of
from publisher.site.tasks import is_sitemap_split
from publisher.site.write import Staging, find_missing, list_own, remove


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
        staging = Staging(job.output)
        try:
            made = make(job, index, archive, staging)
            problems = [*errors, *noticed, *made.problems]
            if has_errors(made.problems) and not job.is_preview:
                return _report(index, None, problems)
            if not job.is_discarded:
                _publish(job, index, made, staging)
        finally:
            staging.close()
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
        if job.progress:
            job.progress("Reading issues", done, len(changed))
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
    world = fingerprint(job, sources)
    if index.get("world") == world:
        return
    index.clear()
    for key in ("register", "newest-month", "is-sitemap-split"):
        index.set(key, "")
    index.set("world", world)
    for kind in ("assets", "feeds", "home", "opml", "sitemap"):
        index.mark(kind)


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


def _publish(job: Job, index: Index, made: Made, staging: Staging) -> None:
    """Make it public: the register first, since an entry must never be seen with another date."""
    if made.written:
        staging.sync()
    if not job.is_preview:
        pending = index.all_records("1", table="pending")
        append_register(job.folder, job.settings.publication.id, pending)
    staging.publish(sorted(made.written, key=_publishing_order))


def _conclude(job: Job, index: Index, made: Made) -> None:
    """Note in the index what is public now, and remove the files that no task yields any more."""
    with _transaction(index):
        if not job.is_discarded:
            made.removed = remove(job.output, _note_outputs(job, index, made))
        for task, problems in made.found.items():
            index.save_found(task, problems)
        if not job.is_preview:
            for record in index.all_records("1", table="pending"):
                index.save_record("registered", record)
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


@contextmanager
def _transaction(index: Index) -> Iterator[None]:
    index.begin()
    try:
        yield
    except BaseException:
        index.rollback()
        raise
    index.commit()
