"""An issue on its way to being mailed: whether it may be, and the message as it would be frozen."""

from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from publisher.errors import PublisherError
from publisher.message.freeze import digest
from publisher.model.issue import Issue
from publisher.model.problem import Problem, has_errors
from publisher.runtime.issue_mailing import IssueVariants
from publisher.runtime.start import freeze_issue
from publisher.settings import Settings
from publisher.site.check import check
from publisher.site.issue_files import require_issue
from publisher.site.message import IssueMessage, render_checked
from publisher.site.reading import read_named

# How the subject of a trial message begins.
TEST_PREFIX = "[Test] "


class ContentError(PublisherError):
    """The issue cannot be sent as it is written: exit status 1."""

    exit_status = 1


class Prepared(msgspec.Struct, frozen=True):
    """An issue as it is written now, with its problems; no message where some are errors."""

    problems: tuple[Problem, ...]
    message: IssueMessage | None = None

    def freeze(self, settings: Settings, *, is_test: bool = False) -> bytes:
        """The content that would be sent. Raises ContentError where the issue has errors."""
        if self.message is None:
            raise ContentError("the issue has errors")
        prefix = TEST_PREFIX if is_test else ""
        return freeze_issue(self.message, settings, subject_prefix=prefix)

    def variants(self, settings: Settings) -> IssueVariants | None:
        """What readers get of it by their choices; None where the issue has errors."""
        return IssueVariants(self.message, settings) if self.message else None

    def digest(self, settings: Settings, *, is_test: bool = False) -> str:
        return digest(self.freeze(settings, is_test=is_test))


def prepare(folder: Path, settings: Settings, now: datetime, slug: str) -> Prepared:
    """Check an issue and render its message, a draft's too, without publishing anything.

    Once it is built and unchanged, the same bytes are frozen. Raises PublisherError where there is
    no such issue.
    """
    return prepare_checked(folder, settings, now, slug, check(folder, settings, now, (slug,)))


def prepare_checked(
    folder: Path, settings: Settings, now: datetime, slug: str, problems: tuple[Problem, ...]
) -> Prepared:
    """The same, of an issue that a check has just found these problems of."""
    if has_errors(problems):
        return Prepared(problems)
    return Prepared(problems, render_checked(folder, settings, now, slug))


# Why an issue is not mailed: it is a draft, or its date is to come, or it says `mail: false`.
NotDue = Literal["draft", "future", "never"]


def why_not_due(issue: Issue, now: datetime) -> NotDue | None:
    """Why an issue is not meant to go out now; None where it is."""
    if issue.status != "ready":
        return "draft"
    if issue.date is not None and issue.date > now:
        return "future"
    return None if issue.mail else "never"


def read_issue_file(folder: Path, settings: Settings, slug: str) -> tuple[str, Issue | None]:
    """An issue's path, and how it is written now, where it can be read at all.

    Raises PublisherError where there is no such issue.
    """
    path = require_issue(folder, slug)
    zone = ZoneInfo(settings.publication.time_zone)
    return path, read_named(folder, path, zone).issue


def require_due(folder: Path, settings: Settings, now: datetime, slug: str) -> None:
    """Raise ContentError for an issue that is not meant to go out yet.

    One that never is, by `mail: false`, is a PublisherError; what cannot be read passes, for the
    build says why.
    """
    path, issue = read_issue_file(folder, settings, slug)
    why = why_not_due(issue, now) if issue is not None else None
    if why == "draft":
        raise ContentError(f"{path} is a draft; write `status: ready` at its top")
    if issue is not None and issue.date is not None and why == "future":
        raise ContentError(f"{path} is dated {issue.date.isoformat()}, which is to come")
    if why == "never":
        raise PublisherError(f"{path} says `mail: false`, so it is never mailed")
