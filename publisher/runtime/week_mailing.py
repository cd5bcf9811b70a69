"""The issues of a week -> its mailing, with what each reader gets of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from publisher.audience.choosing import heed, make_offer
from publisher.errors import PublisherError
from publisher.message.freeze import digest
from publisher.model.choices import WHOLE, Definition
from publisher.runtime.start import freeze_list_message, new_mailing
from publisher.settings import Settings
from publisher.site.week import Week, choose_of_week, read_week, render_of_week
from publisher.store.starting import NewMailing
from publisher.store.variants import NewContent
from publisher.store.weeks import NewWeek, Wanting


class FrozenWeek(msgspec.Struct, frozen=True):
    """A week's mailing that is to be, and what it is made of."""

    mailing: NewMailing
    week: NewWeek
    subject: str


class OfWeek:
    """What readers get of a week, each variant made once; for one thread."""

    def __init__(self, week: Week, key: str, settings: Settings) -> None:
        self._week = week
        self._key = key
        self._settings = settings
        self._offer = make_offer(settings)
        self._made: dict[Definition, NewContent] = {}
        self.subject = ""

    def define(self, wanting: Iterable[Wanting]) -> Definition | None:
        """What readers who want this get, by what is offered now."""
        heeded = [(heed(each.choices, self._offer), each.held) for each in wanting]
        return choose_of_week(self._week.issues, heeded)

    def make(self, definition: Definition) -> NewContent:
        """Render and freeze a variant, or give it as it was made before. Raises PublisherError."""
        if definition not in self._made:
            self._made[definition] = self._make(definition)
        return self._made[definition]

    def _make(self, definition: Definition) -> NewContent:
        rendered = render_of_week(self._week, definition)
        self.subject = rendered.subject
        content = freeze_list_message(
            self._settings,
            subject=rendered.subject,
            bodies=(rendered.html, rendered.text),
            language=self._week.setting.publication.language,
            about=f"{self._key}:weekly",
        )
        return NewContent(version="", digest=digest(content), content=content)


def freeze_week(
    folder: Path,
    settings: Settings,
    now: datetime,
    key: str,
    ids: Sequence[str],
    waited_since: datetime,
    *,
    is_whole: bool = True,
) -> FrozenWeek:
    """The mailing of published issues, its content frozen.

    Raises PublisherError, also where it is to be whole and one of the issues is not published.
    """
    week = read_week(folder, settings, now, ids)
    if is_whole and None in week.issues:
        raise PublisherError("one of the week's issues is not published")
    variants = OfWeek(week, key, settings)
    whole = variants.make(WHOLE)
    return FrozenWeek(
        mailing=new_mailing(whole.content, settings, key, key, "weekly"),
        week=NewWeek(
            issues={issue.id: issue.version for issue in week.present},
            variants=variants,
            waited_since=waited_since,
        ),
        subject=variants.subject,
    )
