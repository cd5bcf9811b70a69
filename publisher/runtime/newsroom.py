"""The issues of a publication, as what goes on by itself uses them: look, publish, freeze."""

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from publisher.errors import PublisherError
from publisher.model.problem import Problem
from publisher.runtime.issue_mailing import new_issue_mailing
from publisher.runtime.preparing import require_due
from publisher.runtime.start import freeze_issue, require_ready
from publisher.runtime.websub import note_published
from publisher.runtime.week_mailing import FrozenWeek, freeze_week
from publisher.settings import Settings
from publisher.site.after_build import run_after_build
from publisher.site.build import build
from publisher.site.correct import Corrected
from publisher.site.job import Job
from publisher.site.message import render_published
from publisher.site.output_folder import require_output
from publisher.site.state import IssueState, read_states
from publisher.store.starting import NewMailing

# An `after_build` that failed is tried again after this, in seconds: a server that is down is not
# called at every tick, and one that is back is noticed well within a `catch_up`.
_AFTER_BUILD_SECONDS = 30.0


class RefusedError(PublisherError):
    """The content has errors, so that nothing was published: exit status 1."""

    exit_status = 1

    def __init__(self, text: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(text)
        self.problems = problems


class Reading(Protocol):
    """What looking ahead needs of the issues."""

    def read_states(self, now: datetime, since: datetime) -> list[IssueState]:
        """The issues dated since a moment as they are written now, drafts too."""
        ...


class Newsroom(Reading, Protocol):
    """What a scheduler needs of the issues; a simulation hands in its own."""

    def publish(self, now: datetime) -> bool:
        """Bring the site up to date, and tell whether anything changed.

        Raises RefusedError where the content has errors, PublisherError where something else is
        wrong: nothing is mailed then.
        """
        ...

    def freeze(self, now: datetime, slug: str) -> NewMailing:
        """The mailing of a published issue, its content frozen; PublisherError where it is none."""
        ...


class WeekNewsroom(Newsroom, Protocol):
    """What a week's message needs of them besides."""

    def freeze_week(
        self, now: datetime, key: str, ids: Sequence[str], waited_since: datetime
    ) -> FrozenWeek:
        """The mailing of published issues, its content frozen. Raises PublisherError."""
        ...


class Folder:
    """The newsroom that a publication's folder is."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self._fault: PublisherError | None = None
        self._fault_at = 0.0

    def read_states(self, now: datetime, since: datetime) -> list[IssueState]:
        return read_states(self.folder, self.settings, now, since)

    def require_due(self, now: datetime, slug: str) -> None:
        require_due(self.folder, self.settings, now, slug)

    def publish(self, now: datetime, corrected: Corrected | None = None) -> bool:
        """As the protocol says; a correction is published and recorded with it."""
        output = self.folder / "public"
        lines = corrected.lines if corrected else ()
        job = Job(
            folder=self.folder, settings=self.settings, output=output, now=now, corrections=lines
        )
        require_output(job)
        report = build(job)
        if report.is_refused:
            errors = [each for each in report.problems if each.level == "error"]
            more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
            first = errors[0]
            text = f"the site has errors: {first.file}: {first.message}{more}"
            raise RefusedError(text, report.problems)
        has_changed = bool(report.written or report.removed)
        self._run_after_build(output, has_changed=has_changed)
        note_published(self.settings, self.folder, output, now)
        return has_changed

    def _run_after_build(self, output: Path, *, has_changed: bool) -> None:
        is_soon = time.monotonic() - self._fault_at < _AFTER_BUILD_SECONDS
        if self._fault and is_soon and not has_changed:
            raise self._fault
        try:
            run_after_build(self.settings, self.folder, output, has_changed=has_changed)
            self._fault = None
        except PublisherError as error:
            self._fault, self._fault_at = error, time.monotonic()
            raise

    def freeze(self, now: datetime, slug: str) -> NewMailing:
        require_ready(self.settings, self.folder)
        message = render_published(self.folder, self.settings, now, slug)
        content = freeze_issue(message, self.settings)
        return new_issue_mailing(content, self.settings, message)

    def freeze_week(
        self, now: datetime, key: str, ids: Sequence[str], waited_since: datetime
    ) -> FrozenWeek:
        require_ready(self.settings, self.folder)
        return freeze_week(self.folder, self.settings, now, key, ids, waited_since)
