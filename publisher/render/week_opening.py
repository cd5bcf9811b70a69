"""What a week's message shows besides its highlights: which issues they are of."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec


class WeekPart(msgspec.Struct, frozen=True, kw_only=True):
    """An issue of the week: its heading stands before the first of its highlights.

    `is_foreign` tells that its language differs from the message's; `ids` are its highlights', of
    which the first has the number `first`.
    """

    slug: str
    title: str
    day: str
    url: str
    language: str
    direction: str
    is_foreign: bool
    ids: tuple[str, ...]
    first: int


class WeekOpening(msgspec.Struct, frozen=True, kw_only=True):
    """The week: `days` are written out, `url` is where it is read on the web.

    `lines` say what its reader chose, which is changed at `preferences_url`.
    """

    template: ClassVar[str] = "email/week"
    name: ClassVar[str] = "week"

    subject: str
    days: str
    url: str
    parts: tuple[WeekPart, ...]
    lines: tuple[str, ...]
    preferences_url: str

    @property
    def starts(self) -> Mapping[str, WeekPart]:
        """The parts, by the ids of their first highlights."""
        return {part.ids[0]: part for part in self.parts}

    def find_slug(self, id: str) -> str:
        """The NAME of the issue that a highlight is of."""
        return next(part.slug for part in self.parts if id in part.ids)


class WeekHeadlines(WeekOpening, frozen=True, kw_only=True):
    """The same, where nothing but the headlines was chosen."""

    template: ClassVar[str] = "email/week_headlines"
