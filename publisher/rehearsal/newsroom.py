"""A simulated newsroom: issues that exist as notes only, and what builds and editors meet."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from publisher.errors import PublisherError
from publisher.runtime.newsroom import RefusedError
from publisher.site.state import IssueState
from publisher.store.starting import NewMailing

Act = Callable[[], None]


@dataclass(frozen=True)
class File:
    """An issue as one version of its file has it."""

    id: str
    slug: str
    date: datetime
    changed_at: datetime
    version: int
    is_ready: bool = False
    highlights: int = 3
    mail: bool = True
    has_errors: bool = False

    @property
    def place(self) -> tuple[datetime, str]:
        return self.date, self.slug


class Newsroom:
    """The issues' files by NAME, and what is published of them.

    `fault` is what a build meets; `meanwhile` is what editors do while one is going on.
    """

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.published: dict[str, File] = {}
        self.versions: dict[str, File] = {}
        self.fault = ""
        self.meanwhile: dict[str, Act] = {}
        self.number = 0
        # How many get an issue before the others.
        self.canary = 0

    def read_states(self, now: datetime, since: datetime) -> list[IssueState]:
        if self.fault == "unreadable":
            raise PublisherError("a template cannot be read")
        return [
            IssueState(
                id=each.id,
                slug=slug,
                date=each.date,
                changed_at=each.changed_at,
                status="ready" if each.is_ready else "draft",
                mail=each.mail,
                highlights=each.highlights,
                has_errors=each.has_errors,
            )
            for slug, each in self.files.items()
            if each.date >= since
        ]

    def require_due(self, now: datetime, slug: str) -> None:
        file = self.files.get(slug)
        if file is None:
            raise PublisherError(f"there is no issue {slug}")
        if not file.is_ready or not file.mail or file.date > now:
            raise PublisherError(f"{slug} is not meant to go out")

    def publish(self, now: datetime) -> bool:
        self._interrupt("before reading")
        if self.has_errors():
            raise RefusedError("the site has errors")
        due = {each.id: each for each in self.files.values() if each.is_ready and each.date <= now}
        has_changed = bool(due.items() - self.published.items())
        self.published |= due
        self._interrupt("after reading")
        if self.fault == "after_build":
            raise PublisherError("site.after_build failed")
        return has_changed

    def has_errors(self) -> bool:
        """Errors in any file, ids that are there twice, and what was published and is gone."""
        ids = [each.id for each in self.files.values()]
        ready = {each.id for each in self.files.values() if each.is_ready}
        return (
            any(each.has_errors for each in self.files.values())
            or len(set(ids)) < len(ids)
            or not ready >= self.published.keys()
        )

    def freeze(self, now: datetime, slug: str) -> NewMailing:
        file = next((each for each in self.published.values() if each.slug == slug), None)
        if file is None:
            raise PublisherError(f"the issue {slug} is not published")
        return self.make_mailing(file, "schedule")

    def make_mailing(self, file: File, by: str) -> NewMailing:
        self.number += 1
        digest = f"{file.id} v{file.version} {file.changed_at}"
        self.versions[digest] = file
        return NewMailing(
            ref=f"{by}{self.number}",
            issue=file.id,
            slug=file.slug,
            purpose="issue",
            digest=digest,
            content=digest.encode(),
            domain="daily.example",
            canary=self.canary,
        )

    def _interrupt(self, stage: str) -> None:
        if (act := self.meanwhile.pop(stage, None)) is not None:
            act()
