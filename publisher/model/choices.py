"""What readers choose of what a publication offers, and what a mailing makes of their choices."""

from typing import Literal, get_args

import msgspec

from publisher.model.issue import Tag

# The whole text of highlights, or the list of their headlines.
Content = Literal["full", "headlines"]
# Each issue when it is sent, or one message a week.
Frequency = Literal["daily", "weekly"]

CONTENTS: tuple[Content, ...] = get_args(Content)
FREQUENCIES: tuple[Frequency, ...] = get_args(Frequency)


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What one reader chose; what they begin with is everything.

    `tags` are slugs, each once and sorted; none is the same as all.
    """

    content: Content = "full"
    tags: tuple[str, ...] = ()
    frequency: Frequency = "daily"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What readers can choose besides everything: a publication's `[choices]`."""

    has_headlines: bool = True
    tags: tuple[Tag, ...] = ()
    has_weekly: bool = False


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What one variant of a mailing consists of: highlights, by their ids in order, in a form."""

    form: Content = "full"
    highlights: tuple[str, ...] = ()
