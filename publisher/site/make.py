"""Running a build's tasks in as many processes as help; their files go aside, not yet public."""

from traceback import walk_tb

import msgspec
from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.page import check_page
from publisher.render.templates import TEMPLATE_PREFIX
from publisher.site.archive import Archive
from publisher.site.index import Index, Task
from publisher.site.job import Job, Made
from publisher.site.media import MeasuredMedia
from publisher.site.parallel import run_parallel
from publisher.site.result import Result
from publisher.site.tasks import run_task
from publisher.site.write import Output, Staging


def make(job: Job, index: Index, archive: Archive, staging: Staging) -> Made:
    """Run all marked tasks."""
    tasks = _in_working_order(index.tasks())
    made = Made({}, [], [], {}, 0)
    if not tasks:
        return made
    if not job.is_discarded:
        staging.open()
    worker = _Worker(job, archive, staging)
    for done, outcome in enumerate(run_parallel(worker, tasks, worker.prepare), 1):
        if job.progress:
            job.progress("Making the site", done, len(tasks))
        made.files[outcome.task] = outcome.files
        made.written += outcome.written
        made.problems += outcome.problems
        made.found[outcome.task] = tuple(outcome.problems)
    # A preview goes on where two files have the same id, and so the same page.
    made.written = sorted(set(made.written))
    return made


def _in_working_order(tasks: list[Task]) -> list[Task]:
    """An issue first, which needs nearly all that there is to import; then what takes long; then
    the issues, each one's tasks beside each other, since they read the same."""

    def rank(task: Task) -> tuple[int, str, str]:
        kind, key = task
        if task == first:
            return 0, kind, key
        return (2, key, kind) if kind in ("issue", "page") else (1, kind, key)

    first = next((task for task in tasks if task[0] == "issue"), None)
    return sorted(tasks, key=rank)


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
            index,
            old.folder,
            context,
            old.feeds,
            old.media,
            old.stylesheet,
            old.card_font,
            is_drawing=old.is_drawing,
        )

    def __call__(self, task: Task) -> Outcome:
        result = try_task(self.archive, task)
        files = [output.path for output in result.outputs]
        written = []
        problems = list(result.problems)
        if self.job.is_discarded:
            problems += check_pages(result.outputs)
        else:
            states = [(o.path, self.staging.put(o)) for o in result.outputs]
            written = [path for path, state in states if state == "written"]
        return Outcome(task, files, written, problems)


def try_task(archive: Archive, task: Task) -> Result:
    """Run one task; a template of the publication's own that breaks it is a problem."""
    try:
        return run_task(archive, *task)
    except Exception as error:  # a template may divide by nothing, or include itself
        if (broken := _find_broken_template(error)) is None:
            raise
        return Result((), (broken,))


def check_pages(outputs: tuple[Output, ...]) -> list[Problem]:
    """Look at those outputs that are pages."""
    pages = [output for output in outputs if output.path.endswith("index.html")]
    return [problem for page in pages for problem in check_page(page.data, page.path)]


def _find_broken_template(error: Exception) -> Problem | None:
    """Make a problem of what went wrong in a template, at the place where it did."""
    found = f"{type(error).__name__}: {error}"
    file, line = None, None
    for frame, number in walk_tb(error.__traceback__):
        if frame.f_code.co_filename.startswith(TEMPLATE_PREFIX):
            file, line = frame.f_code.co_filename, number
    if isinstance(error, TemplateSyntaxError):
        file, line, found = error.filename, error.lineno, error.message or ""
    elif isinstance(error, TemplateNotFound):
        found = f"there is no template {error}"
    elif isinstance(error, TemplateError):
        found = str(error)
    elif isinstance(error, RecursionError):  # its own words name whatever was called last
        found = "RecursionError: it calls itself without end"
    if file is None and not isinstance(error, TemplateError):
        return None
    return problem("template-broken", file, line, found=found)
