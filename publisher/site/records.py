"""What is appended to by every build, the register and the history, as other machines left them."""

from pathlib import Path

from publisher.model.problem import Problem
from publisher.site.deletions import find_gone
from publisher.site.history import PATH as HISTORY
from publisher.site.job import Job
from publisher.site.plan import Plan
from publisher.site.register import PATH as REGISTER
from publisher.site.scan import signature_of
from publisher.site.versions import mark_changed_issues, note_history


def sign_records(folder: Path) -> dict[str, str]:
    """The signatures of both, by their names in the index."""
    paths = {"register": REGISTER, "history": HISTORY}
    return {name: signature_of(folder / path) for name, path in paths.items()}


def note_records(job: Job, plan: Plan) -> list[Problem]:
    """Take over what others recorded, and what this build is to note; give what is wrong there."""
    index, signatures = plan.index, sign_records(job.folder)
    if not job.corrections and all(index.get(name) == s for name, s in signatures.items()):
        return []
    before = find_gone(index, plan.zone)
    problems = [
        *plan.note_register(signatures["register"]),
        *note_history(index, job.folder, signatures["history"], job.corrections),
    ]
    after = find_gone(index, plan.zone)
    for gone in before ^ after:  # the feeds that say so, or did
        index.mark("feeds")
        index.mark("month", gone.month)
        for tag in gone.tags:
            index.mark("tag", tag)
    if before != after:
        mark_changed_issues(index)
    return problems
