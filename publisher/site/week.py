"""Several published issues -> the week's message, whole or what a reader gets of it."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

import msgspec
from jinja2 import Environment

from publisher.errors import PublisherError
from publisher.model.choices import Choices, Definition
from publisher.model.issue import Highlight, Issue
from publisher.render.email import RenderedMessage
from publisher.render.views import Setting
from publisher.render.week import days_of, render_week
from publisher.settings import Settings
from publisher.site.job import Job, open_index
from publisher.site.message import measure, open_published
from publisher.site.order import effective_tags


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """The issues of a week by their places, None where one is not published any more.

    `days` are those of the whole week, and `subject` is the template of its subject.
    """

    issues: tuple[Issue | None, ...]
    days: tuple[date, date]
    subject: str
    setting: Setting
    templates: Environment

    @property
    def present(self) -> list[Issue]:
        return [issue for issue in self.issues if issue is not None]


def read_week(folder: Path, settings: Settings, now: datetime, ids: Sequence[str]) -> Week:
    """Read issues by their ids, after a build. Raises PublisherError where none is published."""
    job = Job(folder=folder, settings=settings, output=folder / "public", now=now)
    with open_index(job) as index:
        archive = open_published(job, index)
        records = index.records(ids)
        slugs = [records[id].slug if id in records else "" for id in ids]
        found = [archive.issue(slug) if slug else None for slug in slugs]
        issues = tuple(
            issue if issue is not None and issue.id == id else None
            for id, issue in zip(ids, found, strict=True)
        )
        present = [issue for issue in issues if issue is not None]
        if not any(issue.highlights for issue in present):
            raise PublisherError("nothing of the week is published")
        setting = archive.setting
        media = {path: size for issue in present for path, size in measure(issue, setting).items()}
        return Week(
            issues=issues,
            days=days_of(present, setting),
            subject=settings.choices.weekly_subject,
            setting=msgspec.structs.replace(setting, media=media),
            templates=archive.context.templates,
        )


def choose_of_week(
    issues: Sequence[Issue | None], wanted: Iterable[tuple[Choices, int]]
) -> Definition | None:
    """What of a week those get, together, who chose and hold this; None where nothing is left.

    A number has a bit for each issue that somebody holds, the first for the first.
    """
    several = list(wanted)
    every = [
        (place, issue, highlight)
        for place, issue in enumerate(issues)
        if issue is not None
        for highlight in issue.highlights
    ]
    chosen = tuple(
        highlight.id
        for place, issue, highlight in every
        if any(
            not held >> place & 1 and _is_chosen(highlight, issue, choices)
            for choices, held in several
        )
    )
    if not chosen:
        return None
    is_all = len(chosen) == len(every)
    return Definition(form=several[0][0].content, highlights=() if is_all else chosen)


def _is_chosen(highlight: Highlight, issue: Issue, choices: Choices) -> bool:
    tags = {tag.slug for tag in effective_tags(highlight, issue)}
    return not choices.tags or not tags.isdisjoint(choices.tags)


def render_of_week(week: Week, definition: Definition) -> RenderedMessage:
    """Render what a definition says of a week."""
    ids = set(definition.highlights)
    kept = [
        msgspec.structs.replace(
            issue, highlights=tuple(each for each in issue.highlights if not ids or each.id in ids)
        )
        for issue in week.present
    ]
    total = sum(len(issue.highlights) for issue in week.present)
    return render_week(
        kept,
        week.subject,
        week.setting,
        week.templates,
        form=definition.form,
        days=week.days,
        total=total,
    )
