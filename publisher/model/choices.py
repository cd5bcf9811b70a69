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


class Definition(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """What one variant of a mailing consists of: highlights, by their ids in order, in a form.

    Without highlights it is all that there is, with the issue's own words.
    """

    form: Content = "full"
    highlights: tuple[str, ...] = ()

    def __str__(self) -> str:
        number = len(self.highlights)
        chosen = f"{number:,} chosen highlight{'s' if number > 1 else ''}" if number else ""
        if self.form == "headlines":
            return f"the headlines of {chosen}" if chosen else "the headlines"
        return chosen or "the whole issue"


# Among the highlights that a correction concerns: the issue's own words, which stand in no week's
# message.
OWN_WORDS = "*"
# Of everybody who chose nothing: it is what the mailing itself has.
WHOLE = Definition()


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """How many readers an issue's mailing would have by now, and in what forms.

    `chosen` are those of chosen tags, in so many `variants`; `others` get nothing, for no
    highlight has a tag that they chose.
    """

    whole: int = 0
    headlines: int = 0
    chosen: int = 0
    variants: int = 0
    others: int = 0

    @property
    def total(self) -> int:
        return self.whole + self.headlines + self.chosen

    @property
    def why_nobody(self) -> str:
        """Why it would go to nobody."""
        if self.others:
            return f"no highlight has a topic that anybody chose ({self.others:,} chose others)"
        return "nobody is subscribed yet"

    def __str__(self) -> str:
        """Written out for operators; empty where all get the whole."""
        if not (self.headlines or self.chosen or self.others):
            return ""
        noun = "variant" if self.variants == 1 else "variants"
        parts = [f"{self.whole:,} whole"]
        parts += [f"{self.headlines:,} headlines"] if self.headlines else []
        if self.chosen:
            parts.append(f"{self.chosen:,} of chosen topics in {self.variants:,} {noun}")
        text = ", ".join(parts)
        return f"{text}; {self.others:,} chose other topics" if self.others else text
