"""What was chosen -> an issue to be written, for an editor to prune."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from publisher.intake.write import HighlightText, IssueText
from publisher.sources.choose import Chosen
from publisher.sources.languages import find_language, is_same_language
from publisher.sources.words import clean, summarise

_MOST_TAGS = 5
_TAG_CHARACTERS = 40


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """How a draft is written: summaries of so many characters (0: none), tags or none.

    `language` is the publication's, which highlights in it do not name.
    """

    title: str
    language: str
    summary: int
    has_tags: bool


def draft_issue(
    chosen: tuple[Chosen, ...], style: Style, date: datetime, mint: Callable[[], str]
) -> IssueText:
    return IssueText(
        id=mint(),
        title=style.title,
        date=date.isoformat(),
        status="draft",
        highlights=tuple(_draft_highlight(each, style, mint()) for each in chosen),
    )


def _draft_highlight(chosen: Chosen, style: Style, id_: str) -> HighlightText:
    """The source's own words, attributed to it and to all who tell the same, each with its link."""
    entry = chosen.entry
    summary = summarise(entry.content, style.summary, entry.title, is_plain=entry.is_plain)
    language = find_language(entry.language, f"{entry.title} {summary}")
    also = [f"{each.source}: {each.url}" for each in chosen.also]
    return HighlightText(
        id=id_,
        title=entry.title,
        url=entry.url,
        source=", ".join((chosen.source, *(each.source for each in chosen.also))),
        paragraphs=tuple(filter(None, (summary, *also))),
        language="" if is_same_language(language, style.language) else language,
        tags=_make_tags(entry.categories) if style.has_tags else (),
    )


def _make_tags(categories: tuple[str, ...]) -> tuple[str, ...]:
    """The first categories, as labels: a comma would part two."""
    labels: dict[str, str] = {}
    for category in categories:
        for part in category.replace("，", ",").replace("、", ",").split(","):
            label = clean(part)
            if 0 < len(label) <= _TAG_CHARACTERS and any(map(str.isalnum, label)):
                labels.setdefault(label.casefold(), label)
    return tuple(labels.values())[:_MOST_TAGS]
