"""The published archive as tasks read it: issues, their neighbours, their dates, their lists."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec

from publisher.model.feed import Entry
from publisher.model.issue import Highlight, Image, Issue
from publisher.model.language import direction
from publisher.render.excerpt import excerpt
from publisher.render.frame import PageContext
from publisher.render.page import TagEntry, YearLink
from publisher.render.views import (
    HighlightLink,
    IssueLink,
    Setting,
    TagView,
    find_image,
    language_of,
    title_of,
    write_day,
)
from publisher.settings import Feeds
from publisher.site.cards import Card, Cards
from publisher.site.deletions import Gone, find_gone
from publisher.site.index import Index
from publisher.site.order import neighbour_slugs, places
from publisher.site.register import Record
from publisher.site.scan import read_file

# A line or two below a headline in a list.
_LIST_SUMMARY = 200
# A year's page and sitemap, a month's documents, a feed's window and an issue's neighbours look at
# the same issues again and again; 20 MB hold a year of them.
_KEPT_ISSUES = 400


class _Kept(NamedTuple):
    """An issue and what the register has of it."""

    issue: Issue | None
    records: dict[str, Record]


class Archive:
    """Everything that a task may look at. Nothing here writes.

    `media` are the files in media/, each with what keeps it from being published, or with nothing;
    `stylesheet` is its name and bytes, `card_font` the path of the font of cards, or empty. Where
    nobody will look at cards, nothing `is_drawing` them, and they are empty.
    """

    def __init__(
        self,
        index: Index,
        folder: Path,
        context: PageContext,
        feeds: Feeds,
        media: Mapping[str, str],
        stylesheet: tuple[str, bytes],
        card_font: str = "",
        *,
        is_drawing: bool = True,
    ) -> None:
        self.index = index
        self.folder = folder
        self.context = context
        self.feeds = feeds
        self.media = media
        self.stylesheet = stylesheet
        self.card_font = card_font
        self.is_drawing = is_drawing
        self.entries: dict[str, list[Entry]] = {}  # of highlights, by the issue's NAME
        self._issues: dict[str, _Kept] = {}

    @property
    def setting(self) -> Setting:
        return self.context.setting

    def issue(self, slug: str) -> Issue | None:
        """A published issue, its highlights with the identities that were registered first."""
        if slug not in self._issues:
            if len(self._issues) >= _KEPT_ISSUES:
                self._issues.pop(next(iter(self._issues)))
            self._issues[slug] = self._read_issue(slug)
        return self._issues[slug].issue

    def _read_issue(self, slug: str) -> _Kept:
        issue = self.index.live_issue(slug)
        if issue is None:
            return _Kept(None, {})
        records = self._read_records(issue)
        pinned = tuple(
            msgspec.structs.replace(h, guid=records[h.id].guid) for h in issue.highlights
        )
        issue = msgspec.structs.replace(issue, guid=records[issue.id].guid, highlights=pinned)
        return _Kept(issue, records)

    def _read_records(self, issue: Issue) -> dict[str, Record]:
        return self.index.records([issue.id, *(h.id for h in issue.highlights)])

    def written(self, issue: Issue) -> Issue:
        """An issue with all that stands in its file, what was withdrawn too."""
        return self.index.issue(issue.path)

    def issues(self, slugs: list[str]) -> list[Issue]:
        return [issue for slug in slugs if (issue := self.issue(slug))]

    def dates(self, issue: Issue) -> dict[str, Record]:
        """When an issue and its highlights were first published and last updated, by id."""
        kept = self._issues.get(issue.slug)
        is_kept = kept is not None and kept.issue is issue
        records = kept.records if kept and is_kept else self._read_records(issue)
        zone = self.setting.zone
        return {
            id_: msgspec.structs.replace(
                record,
                published=record.published.astimezone(zone),
                updated=record.updated.astimezone(zone),
            )
            for id_, record in records.items()
        }

    def neighbours(self, slug: str) -> tuple[IssueLink | None, IssueLink | None]:
        """The next newer and the next older issue."""
        newer, older = neighbour_slugs(self.index, slug)
        return self._link(newer), self._link(older)

    def _link(self, slug: str) -> IssueLink | None:
        issue = self.issue(slug) if slug else None
        return self.link_issue(msgspec.structs.replace(issue, highlights=())) if issue else None

    def link_issue(self, issue: Issue) -> IssueLink:
        publication = self.setting.publication
        language = language_of(issue, publication)
        assert issue.date is not None  # noqa: S101 - published issues have one
        date = issue.date.astimezone(self.setting.zone)
        return IssueLink(
            slug=issue.slug,
            title=title_of(issue, publication),
            day=write_day(date, language),
            date=date,
            number=issue.number,
            url=self.setting.urls.issue(issue.slug),
            language=language,
            direction=direction(language),
            highlights=tuple(self.link_highlight(h, issue) for h in issue.highlights),
        )

    def link_highlight(
        self, highlight: Highlight, issue: Issue, *, is_summarised: bool = False
    ) -> HighlightLink:
        language = highlight.language or language_of(issue, self.setting.publication)
        return HighlightLink(
            id=highlight.id,
            title=highlight.title,
            url=self.setting.urls.highlight(highlight.id),
            summary=excerpt(highlight.body, _LIST_SUMMARY) if is_summarised else "",
            language=language,
            direction=direction(language),
        )

    @cached_property
    def years(self) -> tuple[YearLink, ...]:
        """The archive's years, newest first."""
        sql = "SELECT year, COUNT(*) FROM file WHERE is_live = 1 GROUP BY year ORDER BY year DESC"
        urls = self.setting.urls
        return tuple(YearLink(year, count, urls.year(year)) for year, count in self.index.rows(sql))

    def year_links(self) -> tuple[YearLink, ...]:
        """The years alone, so that a page of one does not change with another's number."""
        return tuple(YearLink(year.year, 0, year.url) for year in self.years)

    def tag(self, slug: str) -> TagView | None:
        """A tag with the label that its oldest highlight gives it: that hardly ever changes."""
        sql = "SELECT label FROM tagged WHERE tag = ? ORDER BY moment, slug, place LIMIT 1"
        label = self.index.value(sql, slug)
        return TagView(slug, label, self.setting.urls.tag(slug)) if label else None

    def tags(self, most: int = -1) -> list[tuple[TagView, int]]:
        """Tags with their numbers of highlights, the most used first."""
        sql = "SELECT tag, COUNT(*) FROM tagged GROUP BY tag ORDER BY COUNT(*) DESC, tag LIMIT ?"
        rows = self.index.rows(sql, most)
        return [(tag, count) for slug, count in rows if (tag := self.tag(slug))]

    @cached_property
    def withdrawn(self) -> list[Record]:
        return self.index.all_records("is_withdrawn = 1")

    @cached_property
    def gone(self) -> list[Gone]:
        """What was withdrawn, as feeds say it, the latest first."""
        found = find_gone(self.index, self.setting.zone)
        return sorted(found, key=lambda gone: (gone.when, gone.id), reverse=True)

    @cached_property
    def withdrawn_slugs(self) -> frozenset[str]:
        """NAMEs where the page of a withdrawn issue stands, if no other issue has them."""
        return frozenset(record.slug for record in self.withdrawn if record.kind == "issue")

    @cached_property
    def _card_font(self) -> tuple[Cards, str]:
        """What draws cards, and what keeps it from using the publication's font."""
        style = self.stylesheet[1]
        try:
            return Cards(style, self._read_card_font()), ""
        except (OSError, ValueError) as error:
            found = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Cards(style), found

    def _read_card_font(self) -> bytes:
        """Give the font's content, nothing where none is set. Raises OSError, and ValueError."""
        data = read_file(self.folder, self.card_font) if self.card_font else b""
        if self.card_font and not data:
            raise ValueError("it is empty")
        return data

    @property
    def cards(self) -> Cards:
        return self._card_font[0]

    def draw(self, card: Card) -> bytes:
        """Draw a card as a PNG."""
        return self.cards.draw(card) if self.is_drawing else b""

    @property
    def card_font_problem(self) -> str:
        """Why the publication's font cannot be used; empty where it can, or where there is none."""
        return self._card_font[1] if self.card_font else ""

    @cached_property
    def logo_url(self) -> str:
        logo = self.setting.publication.logo
        image = find_image(Image(logo), self.setting) if logo else None
        return image.src if image else ""

    def tagged(self, tag: str, *, newest: int, skip: int = 0) -> list[TagEntry]:
        """Highlights of a tag, newest issue first, each issue's in their order."""
        sql = (
            "SELECT slug, place FROM tagged WHERE tag = ?"
            " ORDER BY moment DESC, slug DESC, place LIMIT ? OFFSET ?"
        )
        entries = []
        for slug, place in self.index.rows(sql, tag, newest, skip):
            if (issue := self.issue(slug)) is not None:
                highlight = next(h for p, h in places(issue) if p == place)
                bare = msgspec.structs.replace(issue, highlights=())
                link = self.link_highlight(highlight, issue, is_summarised=True)
                entries.append(TagEntry(link, self.link_issue(bare)))
        return entries
