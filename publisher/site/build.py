"""The build: the folder's files -> what changed -> the tasks for it -> public/.

Nothing of the old site is touched before every task of the build has succeeded.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from publisher.model.problem import Problem, has_errors, in_reading_order
from publisher.preflight.catalogue import problem
from publisher.settings import FILE_NAME
from publisher.site.after_build import owe_after_build
from publisher.site.history import append_history
from publisher.site.index import Index
from publisher.site.job import (
    Job,
    Made,
    Report,
    fingerprint,
    forget_index,
    open_index,
    search_path,
)
from publisher.site.media import logo_path
from publisher.site.numbering import find_misnumbered
from publisher.site.order import is_sitemap_split
from publisher.site.plan import Plan, Reading
from publisher.site.records import note_records, sign_records
from publisher.site.register import append_register
from publisher.site.scan import File, list_media, read_templates, scan_issues
from publisher.site.search_stamp import STAMP, has_stamp
from publisher.site.versions import pending_versions
from publisher.site.write import Staging, find_missing, list_own, remove


def build(job: Job) -> Report:
    """Bring the output folder up to date with the publication's folder.

    Where the content has errors (except in a preview), neither the site nor the register changes,
    and the report says so.
    """
    try:
        return _build(job)
    except sqlite3.DatabaseError as error:
        forget_index(job, error)
        return _build(job)


def note_folder(job: Job, *, is_foreseen: bool = False) -> None:
    """Bring what is known of the folder up to date, and publish nothing.

    Where a build `is_foreseen`, it is worked out too what that would add to the register.
    """
    try:
        _note_folder(job, is_foreseen=is_foreseen)
    except sqlite3.DatabaseError as error:
        forget_index(job, error)
        _note_folder(job, is_foreseen=is_foreseen)


def _note_folder(job: Job, *, is_foreseen: bool) -> None:
    with open_index(job) as index:
        sources = read_templates(job.folder)
        media = {file.path: file for file in list_media(job.folder)}
        with _transaction(index):
            _note_changes(job, index, sources, media, is_building=is_foreseen)


def _build(job: Job) -> Report:
    with open_index(job) as index:
        sources = read_templates(job.folder)
        media = {file.path: file for file in list_media(job.folder)}
        with _transaction(index):
            noticed, errors = _note_changes(job, index, sources, media)
        if errors and not job.is_preview:
            return _report(index, None, errors)
        with _transaction(index):
            _mark_missing(job, index)
        staging = Staging(job.output)
        try:
            made = _make(job, index, sources, media, staging)
            problems = [*errors, *noticed, *made.problems]
            if has_errors(made.problems) and not job.is_preview:
                return _report(index, None, problems)
            known = sign_records(job.folder)
            former = _list_former(job, index)
            if not job.is_discarded:
                _publish(job, index, made, staging)
        finally:
            staging.close()
        _conclude(job, index, made, known, former)
        if not job.is_discarded and any(p.rule in _SHARED_PAGES for p in errors):
            index.set("world", "")
        return _report(index, made, problems)


# Where a preview goes on with these, two issues make the same files: whose those are cannot be told
# afterwards, so the next preview makes all of them anew.
_SHARED_PAGES = ("id-repeated", "slug-repeated")


def _note_changes(
    job: Job,
    index: Index,
    sources: dict[str, str],
    media: Mapping[str, File],
    *,
    is_building: bool = True,
) -> tuple[list[Problem], list[Problem]]:
    """Bring the index up to date; give what was noticed in changed files, and all errors."""
    publication = job.settings.as_publication()
    logo = logo_path(publication.logo, job.urls)
    # Every page shows the logo in its size.
    world = fingerprint(job, sources, media[logo].signature if logo in media else "")
    _forget_other_world(index, world)
    zone = ZoneInfo(publication.time_zone)
    plan = Plan(index, job.folder, publication.id, zone, job.urls, job.now, job.is_preview)
    errors = note_records(job, plan)
    files = scan_issues(job.folder)
    plan.note_gone(files)
    noticed: list[Problem] = []
    changed = plan.changed_files(files)
    for done, reading in enumerate(_read(job.folder, changed, zone), 1):
        if job.progress:
            job.progress("Reading issues", done, len(changed))
        plan.note_reading(reading)
        noticed += reading.problems
    noticed += _check_publication_id(job, index)
    plan.note_due()
    if changed:
        paths = {file.path for file in changed}
        noticed += [p for p in find_misnumbered(index) if p.file in paths]
    plan.note_media(media, logo)
    plan.conclude()
    errors += plan.errors()
    if job.is_preview or (is_building and not errors):
        plan.note_pending()
    return noticed, errors


def _read(folder: Path, files: Sequence[File], zone: ZoneInfo) -> Iterable[Reading]:
    """Read files; what that takes is imported only where there are any."""
    if not files:
        return ()
    from publisher.site.reading import read_all

    return read_all(folder, files, zone)


def _make(
    job: Job,
    index: Index,
    sources: dict[str, str],
    media: Mapping[str, File],
    staging: Staging,
) -> Made:
    """Run the marked tasks; without any, no renderer is imported, which takes most of the time."""
    if not index.tasks():
        return Made({}, [], [], {}, 0)
    from publisher.site.make import make
    from publisher.site.opening import open_archive

    problems_of_media = {path: file.problem for path, file in media.items()}
    return make(job, index, open_archive(job, index, sources, problems_of_media), staging)


def _check_publication_id(job: Job, index: Index) -> list[Problem]:
    before, found = index.get("register-publication"), job.settings.publication.id
    if before in ("", found):
        return []
    return [problem("publication-id-changed", FILE_NAME, None, found=found, before=before)]


# Tasks that there are in every publication, and once.
_ONCE = (
    *("about-feeds", "archive", "assets", "card", "feeds", "home", "opml", "search", "sitemap"),
)


def _forget_other_world(index: Index, world: str) -> None:
    """Start anew where settings, templates, libraries or this program are not what they were."""
    if index.get("world") == world:
        return
    index.clear()
    # What was made of files that are gone since is removed by the tasks that made it.
    index.run("INSERT INTO dirty SELECT DISTINCT kind, key FROM output")
    for key in ("register", "history", "newest-month", "is-sitemap-split"):
        index.set(key, "")
    index.set("world", world)
    for kind in _ONCE:
        index.mark(kind)


# Of so many newest issues each build looks whether their files are still there; looking at those of
# 10,000 would take longer than making a new one. All other files are looked for in any case.
_LOOKED_FOR = 2_000


def _mark_missing(job: Job, index: Index) -> None:
    """Mark what the output folder lacks, and what depends on the number of URLs."""
    if not job.is_discarded:
        missing = find_missing(job.output, index.outputs_to_look_for(_LOOKED_FOR))
        if missing:  # somebody removed files: then all are looked for
            missing = find_missing(job.output, index.outputs_to_look_for(-1))
        for path in missing:
            row = index.rows("SELECT kind, key FROM output WHERE path = ?", path)[0]
            index.mark(*row)
    is_split = str(is_sitemap_split(index))
    if index.get("is-sitemap-split") != is_split:
        for (year,) in index.rows("SELECT DISTINCT year FROM file WHERE is_live = 1"):
            index.mark("sitemap-year", year)
        index.mark("sitemap")
        index.set("is-sitemap-split", is_split)


def _publish(job: Job, index: Index, made: Made, staging: Staging) -> None:
    """Make it public: the records first, since an entry must never be seen with another date.

    The history goes before the register, which cannot be told again why an entry has changed.
    """
    if made.written and not job.is_preview:  # a preview is made anew rather than kept
        staging.sync()
    if not job.is_preview:
        publication = job.settings.publication.id
        append_history(job.folder, publication, (*pending_versions(index), *job.corrections))
        append_register(job.folder, publication, index.all_records("1", table="pending"))
    if made.written:
        _owe_after_build(job)
    # Whose files they are is known before they are there: a build that is killed among the moves
    # leaves none that no task owns.
    with _transaction(index):
        _own(index, made)
    staging.publish(sorted(made.written, key=_publishing_order))
    if made.written and not job.is_preview:
        staging.sync_folders(made.written)


def _owe_after_build(job: Job) -> None:
    if job.settings.site.after_build and not job.is_preview:
        owe_after_build(job.folder)


def _list_former(job: Job, index: Index) -> list[str]:
    """The site's files that an earlier index knew, where this one is new."""
    return [] if job.is_discarded or index.get("is-built") else list_own(job.output)


def _conclude(
    job: Job, index: Index, made: Made, known: dict[str, str], former: Sequence[str]
) -> None:
    """Note in the index what is public now, and remove the files that no task yields any more.

    `known` are the signatures of register and history before this build added to them; `former`
    are files that may be nobody's.
    """
    with _transaction(index):
        if not job.is_discarded:
            gone = _note_outputs(index, made, former)
            if gone:
                _owe_after_build(job)
            made.removed = remove(job.output, gone)
            if not job.is_preview:
                _update_search(job, index, made)
        for task, problems in made.found.items():
            index.save_found(task, problems)
        if not job.is_preview:
            for record in index.all_records("1", table="pending"):
                index.save_record("registered", record)
            if not index.get("register-publication"):
                index.set("register-publication", job.settings.publication.id)
            for name, signature in sign_records(job.folder).items():
                # What somebody else added during this build is read by the next one.
                is_alone = known[name] == index.get(name)
                index.set(name, signature if is_alone else "")
            index.run("DELETE FROM pending")
            index.run("UPDATE told SET is_pending = 0 WHERE is_pending = 1")
        index.run("DELETE FROM dirty")


def _update_search(job: Job, index: Index, made: Made) -> None:
    """Bring what the server searches up to date; what that takes is imported only for it."""
    changed = [key for kind, key in made.files if kind == "issue"]
    if not changed and has_stamp(search_path(job.folder, job.output), index.get(STAMP)):
        return
    from publisher.site.search_update import update_search

    update_search(job, index, changed)


_ORDER = ("assets", "cards", "media", "highlights", "issues", "tags", "archive")


def _publishing_order(path: str) -> tuple[int, str]:
    """What is linked to before what links to it; the feeds and the home page come last."""
    top = path.partition("/")[0] if "/" in path else ""
    return (_ORDER.index(top) if top in _ORDER else len(_ORDER), path)


def _own(index: Index, made: Made) -> None:
    rows = [(path, *task) for task, paths in made.files.items() for path in paths]
    index.run_each("INSERT OR REPLACE INTO output VALUES (?, ?, ?)", rows)


def _note_outputs(index: Index, made: Made, former: Sequence[str]) -> list[str]:
    """Note which files each task yields now; give those that no task yields any more."""
    gone = set(former)
    if not index.get("is-built"):
        index.set("is-built", "yes")
    for kind, key in made.files:
        sql = "SELECT path FROM output WHERE kind = ? AND key = ?"
        gone.update(row[0] for row in index.rows(sql, kind, key))
    index.run_each("DELETE FROM output WHERE kind = ? AND key = ?", made.files)
    _own(index, made)
    kept = {path for paths in made.files.values() for path in paths}
    return sorted(
        path for path in gone - kept if not index.value("SELECT 1 FROM output WHERE path = ?", path)
    )


def _report(index: Index, made: Made | None, problems: list[Problem]) -> Report:
    """Count; without `made` the build was refused, and nothing was touched."""
    issues = index.value("SELECT COUNT(*) FROM file WHERE is_live = 1")
    idents = index.value("SELECT COUNT(*) FROM ident WHERE is_live = 1")
    files = index.value("SELECT COUNT(*) FROM output")
    waiting = "SELECT COUNT(*) FROM file WHERE is_live = 0 AND state = 'ready'"
    return Report(
        issues=issues,
        highlights=idents - issues,
        written=len(made.written) if made else 0,
        unchanged=files - len(made.written) if made else files,
        removed=made.removed if made else 0,
        problems=in_reading_order(problems),
        drafts=index.value("SELECT COUNT(*) FROM file WHERE state = 'draft'"),
        waiting=index.value(waiting),
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
