"""The public web pages: views -> UTF-8 HTML, through the templates in `templates/pages/`."""

from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from typing import Literal

import msgspec
from babel.dates import format_date, format_skeleton

from publisher.model.publication import Publication
from publisher.render.frame import PageContext, fill_in, make_page, tag_feeds
from publisher.render.structured_data import (
    Facts,
    breadcrumbs,
    describe_highlight,
    describe_issue,
    describe_site,
)
from publisher.render.urls import version_anchor
from publisher.render.views import (
    HighlightLink,
    HighlightView,
    IssueLink,
    IssueView,
    Notice,
    TagView,
    find_locale,
    write_day,
)


class YearLink(msgspec.Struct, frozen=True):
    """One year of the archive and how many issues it has; 0 where that is not to be shown."""

    year: int
    count: int
    url: str


class TagEntry(msgspec.Struct, frozen=True):
    """A highlight that carries a tag, and the issue it stands in."""

    highlight: HighlightLink
    issue: IssueLink


class Row(msgspec.Struct, frozen=True):
    """An issue in a list: `day` in the list's language; `title` empty where it has none itself."""

    link: IssueLink
    day: str
    title: str


def render_issue_page(
    context: PageContext,
    issue: IssueView,
    newer: IssueLink | None,
    older: IssueLink | None,
    facts: Facts,
    changes_url: str = "",
    notices: tuple[Notice, ...] = (),
) -> bytes:
    """Render `issues/NAME/index.html`. Bodies have headings from level 3 (`page_target`).

    `changes_url` is the page of its changes where it was changed since it was published; `notices`
    are for those who were sent what it said before.
    """
    setting, publication = context.setting, context.setting.publication
    title = _own_title(issue.title, publication)
    headlines = [highlight.title for highlight in issue.highlights]
    words = setting.words(issue.language)
    label = words.issue_label.format(title=issue.title, day=issue.day)
    year = (str(issue.date.year), setting.urls.year(issue.date.year))
    page = make_page(
        publication,
        name="issue",
        title=label,
        description=issue.summary or " · ".join(headlines),
        url=issue.url,
        language=issue.language,
        kind="article",
        published=facts.published.isoformat(),
        updated=facts.updated.isoformat(),
        image=facts.image,
        nodes=(
            describe_issue(setting, context.profile, issue, label, facts),
            breadcrumbs(*_to_archive(context, issue.language), year, (label, issue.url)),
        ),
        previous_url=older.url if older else "",
        next_url=newer.url if newer else "",
    )
    return fill_in(
        context,
        page,
        issue=issue,
        title=title,
        anchor=version_anchor(issue.version) if issue.version else "",
        changes_url=changes_url,
        notices=notices,
        first_image=next((each.id for each in issue.highlights if each.image), ""),
        newer=newer and _row(newer, publication, issue.language),
        older=older and _row(older, publication, issue.language),
    )


def render_highlight_page(
    context: PageContext,
    highlight: HighlightView,
    issue: IssueLink,
    previous: HighlightLink | None,
    following: HighlightLink | None,
    facts: Facts,
) -> bytes:
    """Render `highlights/ID/index.html`. The body has headings from level 2 (`page_target`).

    `previous` and `following` stand before and after it in the issue.
    """
    setting, publication = context.setting, context.setting.publication
    row = _row(issue, publication, highlight.language)
    page = make_page(
        publication,
        name="highlight",
        title=highlight.title,
        description=highlight.summary or issue.title,
        url=highlight.url,
        language=highlight.language,
        kind="article",
        published=facts.published.isoformat(),
        updated=facts.updated.isoformat(),
        image=facts.image,
        nodes=(
            describe_highlight(setting, context.profile, highlight, issue, facts),
            breadcrumbs(
                _to_home(context),
                (row.title or issue.day, issue.url),
                (highlight.title, highlight.url),
            ),
        ),
        previous_url=previous.url if previous else "",
        next_url=following.url if following else "",
    )
    return fill_in(
        context, page, highlight=highlight, issue=row, previous=previous, following=following
    )


def render_home_page(
    context: PageContext,
    newest: IssueView | None,
    recent: tuple[IssueLink, ...],
    years: tuple[YearLink, ...],
    tags: tuple[tuple[TagView, int], ...],
) -> bytes:
    """Render `index.html`: the newest issue in short, the archive, the feeds, the forms."""
    publication = context.setting.publication
    page = make_page(
        publication,
        name="home",
        title=publication.title,
        description=publication.description,
        url=context.setting.urls.home(),
        language=publication.language,
        image=context.card,
        nodes=tuple(describe_site(context.setting, context.profile)),
    )
    feeds = [(label, tuple(group)) for label, group in groupby(context.feeds, lambda f: f.label)]
    return fill_in(
        context,
        page,
        newest=newest,
        newest_title=_own_title(newest.title, publication) if newest else "",
        recent=[_row(link, publication) for link in recent],
        years=years,
        tags=tags,
        feed_groups=feeds,
    )


def render_year_page(
    context: PageContext, year: int, issues: tuple[IssueLink, ...], years: tuple[YearLink, ...]
) -> bytes:
    """Render `archive/YEAR/index.html`: the year's issues in the given order, month by month."""
    publication = context.setting.publication
    title = context.setting.words().issues_of.format(year=year)
    page = make_page(
        publication,
        name="year",
        title=title,
        description=f"{publication.title}: {title}",
        url=context.setting.urls.year(year),
        language=publication.language,
        image=context.card,
        nodes=(
            breadcrumbs(
                *_to_archive(context, publication.language),
                (str(year), context.setting.urls.year(year)),
            ),
        ),
    )
    rows = (_row(link, publication, has_year=False) for link in issues)
    months = [
        (_month_name(month, publication.language), tuple(group))
        for month, group in groupby(rows, lambda row: row.link.date.month)
    ]
    return fill_in(context, page, title=title, year=year, months=months, years=years)


def render_tag_page(
    context: PageContext,
    tag: TagView,
    entries: tuple[TagEntry, ...],
    number: int,
    newer_url: str,
    older_url: str,
) -> bytes:
    """Render `tags/TAG/index.html`, the newest page (`number` 0), or `tags/TAG/NUMBER/index.html`.

    `newer_url` and `older_url` are the pages before and after, empty where there is none.
    """
    publication = context.setting.publication
    words = context.setting.words()
    title = words.tagged.format(label=tag.label)
    place = words.page.format(number=number) if number else ""
    page = make_page(
        publication,
        name="tag",
        title=f"{title}, {place}" if place else title,
        description=" · ".join(entry.highlight.title for entry in entries),
        url=f"{tag.url}{number}/" if number else tag.url,
        language=publication.language,
        previous_url=newer_url,
        next_url=older_url,
        feeds=tag_feeds(tag, context.setting),
        image=context.card,
        nodes=(
            breadcrumbs(
                _to_home(context),
                (words.tags, context.setting.urls.tags()),
                (tag.label, tag.url),
            ),
        ),
    )
    return fill_in(
        context,
        page,
        title=title,
        place=place,
        entries=[(each.highlight, _row(each.issue, publication)) for each in entries],
        newer_url=newer_url,
        older_url=older_url,
    )


def render_tombstone(
    context: PageContext,
    kind: Literal["issue", "highlight"],
    withdrawn: datetime,
    reason: str,
    language: str,
) -> bytes:
    """Render what stands where an issue or a highlight was withdrawn; no search engine keeps it."""
    publication = context.setting.publication
    words = context.setting.words(language)
    title = words.withdrawn_issue if kind == "issue" else words.withdrawn_highlight
    moment = withdrawn.astimezone(context.setting.zone)
    page = make_page(
        publication,
        name="withdrawn",
        title=title,
        description=words.withdrawn_pitch,
        url="",
        language=language,
        is_indexed=False,
    )
    day = write_day(moment, words.language)
    return fill_in(context, page, title=title, moment=moment, day=day, reason=reason)


def _to_home(context: PageContext) -> tuple[str, str]:
    return context.setting.publication.title, context.setting.urls.home()


def _to_archive(context: PageContext, language: str) -> tuple[tuple[str, str], ...]:
    """The first steps of the way to an issue or a year."""
    setting = context.setting
    return _to_home(context), (setting.words(language).archive, setting.urls.archive())


def _own_title(title: str, publication: Publication) -> str:
    """An issue's title, empty where it has none of its own: then its day stands for it."""
    return "" if title == publication.title else title


def _row(
    link: IssueLink, publication: Publication, language: str = "", has_year: bool = True
) -> Row:
    day = short_day(link.date.date(), language or publication.language, has_year)
    return Row(link, day, _own_title(link.title, publication))


@lru_cache(maxsize=4096)
def short_day(day: date, language: str, has_year: bool) -> str:
    """Write a day as lists have it: `Mon, Dec 15, 2025`, or `Mon, Dec 15` below a year."""
    return format_skeleton("yMMMEd" if has_year else "MMMEd", day, locale=find_locale(language))


@lru_cache(maxsize=256)
def _month_name(month: int, language: str) -> str:
    return format_date(date(2000, month, 1), "LLLL", locale=find_locale(language))
