"""A file's bytes -> an Issue: the one way in, whichever form the file has."""

from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from publisher.intake.fields import ID
from publisher.intake.markdown import read_markdown
from publisher.intake.structured import read_structured
from publisher.intake.text import decode
from publisher.model.issue import Issue
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem


def read_issue(data: bytes, path: str, zone: ZoneInfo) -> tuple[Issue | None, tuple[Problem, ...]]:
    """Read an issue file given by its path relative to the publication's folder.

    None where the file cannot be read at all; its problems then include an error. An issue that
    comes back may have errors too (a missing id, an unreadable date).
    """
    name = PurePosixPath(path)
    text, problems = decode(data, path)
    if text is None:
        return None, problems
    if not ID.fullmatch(name.stem):
        problems = (*problems, problem("slug-invalid", path, None, found=name.stem))
    read = read_markdown if name.suffix == ".md" else read_structured
    issue, found = read(text, name.stem, path, zone)
    return issue, (*problems, *found, *(_missing_ids(issue) if issue else ()))


def _missing_ids(issue: Issue) -> list[Problem]:
    """Say which ids are still to be minted."""
    missing = []
    if not issue.id:
        missing.append(problem("id-missing", issue.path, 1, what="the issue", slug=issue.slug))
    missing += [
        problem(
            "id-missing",
            issue.path,
            highlight.line,
            what=f"the highlight {highlight.title!r}",
            slug=issue.slug,
        )
        for highlight in issue.highlights
        if not highlight.id
    ]
    return missing
