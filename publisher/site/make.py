"""Running a build's tasks in as many processes as help; their files go aside, not yet public."""

import msgspec
from jinja2 import TemplateError

from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.page import check_page
from publisher.site.archive import Archive
from publisher.site.index import Index, Task
from publisher.site.job import Job
from publisher.site.media import MeasuredMedia
from publisher.site.parallel import run_parallel
from publisher.site.tasks import Result, run_task
from publisher.site.write import Output, Staging


class Made(msgspec.Struct):
    """What the tasks of one build made: their files by task, which are new, and problems."""

    files: dict[Task, list[str]]
    written: list[str]
    problems: list[Problem]
    found: dict[Task, tuple[Problem, ...]]
    removed: int


def make(job: Job, index: Index, archive: Archive, staging: Staging) -> Made:
    """Run all marked tasks."""
    tasks = index.tasks()
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
        problems = list(result.problems)
        if self.job.is_discarded:
            problems += _check_pages(result.outputs)
        else:
            states = [(o.path, self.staging.put(o)) for o in result.outputs]
            written = [path for path, state in states if state == "written"]
        return Outcome(task, files, written, problems)


def _check_pages(outputs: tuple[Output, ...]) -> list[Problem]:
    pages = [output for output in outputs if output.path.endswith("index.html")]
    return [problem for page in pages for problem in check_page(page.data, page.path)]


def _broken_template(error: TemplateError) -> Problem:
    name = getattr(error, "name", None)
    line = getattr(error, "lineno", None)
    return problem("template-broken", f"templates/{name}" if name else None, line, found=error)
