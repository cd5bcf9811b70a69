"""What a publication offers its readers to choose, and what holds of what they chose."""

from collections.abc import Iterable

import msgspec

from publisher.intake.fields import make_tag, split_list, unique_tags
from publisher.model.choices import CONTENTS, FREQUENCIES, Choices, Offer
from publisher.settings import Settings


def make_offer(settings: Settings) -> Offer:
    """What `[choices]` offers."""
    table = settings.choices
    tags = unique_tags([make_tag(label) for label in table.tags])
    return Offer(has_headlines=table.headlines, tags=tags, has_weekly=bool(table.weekly))


def heed(choices: Choices, offer: Offer) -> Choices:
    """What holds of a reader's choices: what is not offered any more is as if not chosen."""
    offered = {tag.slug for tag in offer.tags}
    return Choices(
        content=choices.content if offer.has_headlines else "full",
        tags=tuple(tag for tag in choices.tags if tag in offered),
        frequency=choices.frequency if offer.has_weekly else "daily",
    )


def find_lack(choices: Choices, offer: Offer) -> str:
    """What of a reader's choices is not offered; empty where all of it is."""
    held = heed(choices, offer)
    if held.content != choices.content:
        return f"{choices.content} is not offered: choices.headlines is false"
    if missing := [tag for tag in choices.tags if tag not in held.tags]:
        offered = ", ".join(tag.slug for tag in offer.tags) or "none"
        return f"the tags {', '.join(missing)} are not offered; offered are {offered}"
    return "" if held == choices else f"{choices.frequency} is not offered"


def read_choices(content: str, tags: Iterable[str], frequency: str, offer: Offer) -> Choices | None:
    """What a form says, with empty words for what it does not; None where that is not offered."""
    content, frequency = content or "full", frequency or "daily"
    if content not in CONTENTS or frequency not in FREQUENCIES:
        return None
    chosen = Choices(content=content, tags=tuple(sorted(set(tags))), frequency=frequency)
    return None if find_lack(chosen, offer) else widen(chosen, offer)


def widen(choices: Choices, offer: Offer) -> Choices:
    """All tags that are offered are as good as none: everything, also what has no tag."""
    is_all = set(choices.tags) == {tag.slug for tag in offer.tags}
    return msgspec.structs.replace(choices, tags=()) if is_all else choices


def merge(choices: Iterable[Choices]) -> Choices:
    """The choices of several readers who get the same, as one: everything that one of them chose.

    At least one has to be there, and all are of one content.
    """
    several = list(choices)
    is_narrow = all(each.tags for each in several)
    tags = {tag for each in several for tag in each.tags} if is_narrow else ()
    return msgspec.structs.replace(several[0], tags=tuple(sorted(tags)))


def read_tags(labels: Iterable[str]) -> tuple[str, ...]:
    """Tags as a reader's choice, from their labels or slugs in any spelling and order."""
    return tuple(sorted({make_tag(label).slug for label in labels}))


def parse_tags(text: str) -> tuple[str, ...]:
    """The same, of labels or slugs in one text with commas between."""
    return read_tags(split_list(text))
