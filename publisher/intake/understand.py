"""What somebody pastes or uploads -> what it would become: a digest, or an issue file as it is."""

from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from publisher.intake.digest import read_digest
from publisher.intake.read import read_issue
from publisher.intake.text import SUFFIXES, decode
from publisher.model.issue import Issue
from publisher.model.problem import Problem, has_errors

# What an id that is still to be minted is no problem of: they are written with the file.
_MINTED = "id-missing"


class Part(msgspec.Struct, frozen=True):
    """A highlight that was found: its title, how many paragraphs it has, the line it begins on."""

    title: str
    paragraphs: int
    line: int


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """What a text is. `is_usable` tells that an issue can be made of it.

    `introduction` counts paragraphs.
    """

    kind: Literal["digest", "issue"]
    text: str
    title: str = ""
    introduction: int = 0
    parts: tuple[Part, ...] = ()
    problems: tuple[Problem, ...] = ()
    is_usable: bool = False


def understand(data: bytes, name: str, zone: ZoneInfo) -> Understood:
    """Read what was sent under a file's name; text that was pasted has a name without a suffix.

    Markdown is an issue where it has a highlight, and else a digest that somebody saved so.
    """
    text, problems = decode(data, name)
    suffix = next((each for each in SUFFIXES if name.lower().endswith(each)), "")
    if suffix:
        issue, found = read_issue(data, f"issue{suffix}", zone)
        if suffix != ".md" or (issue and issue.highlights):
            return _as_issue(issue, found, text or "")
    if text is None:
        return Understood(kind="digest", text="", problems=problems)
    digest, found = read_digest(text, name)
    whole = (*problems, *found)
    if digest is None:
        return Understood(kind="digest", text=text, problems=whole)
    return Understood(
        kind="digest",
        text=text,
        title=digest.title,
        introduction=len(digest.introduction),
        parts=tuple(Part(h.title, len(h.paragraphs), h.line) for h in digest.highlights),
        problems=whole,
        is_usable=True,
    )


def _as_issue(issue: Issue | None, problems: tuple[Problem, ...], text: str) -> Understood:
    # The date may be given beside the file.
    kept = tuple(p for p in problems if p.rule not in (_MINTED, "date-missing"))
    if issue is None:
        return Understood(kind="issue", text=text, problems=kept)
    return Understood(
        kind="issue",
        text=text,
        title=issue.title,
        introduction=len(issue.introduction),
        parts=tuple(Part(h.title, len(h.body), h.line) for h in issue.highlights),
        problems=kept,
        is_usable=not has_errors(kept),
    )
