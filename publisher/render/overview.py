"""The pages that lead to all others: all years of the archive, all tags, and where pages went."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby

import msgspec
from babel.dates import format_date

from publisher.render.frame import Page, PageContext, fill_in, make_page
from publisher.render.page import YearLink
from publisher.render.structured_data import breadcrumbs
from publisher.render.views import TagView, find_locale

# Fewer tags than this are found faster in one list than below their letters.
_ONE_LIST = 40


class MonthLink(msgspec.Struct, frozen=True):
    """One month of a year: its name in the page's language, and how many issues it has."""

    name: str
    count: int
    url: str


def render_archive_page(
    context: PageContext,
    years: Sequence[YearLink],
    months: Mapping[int, Mapping[int, int]],
    has_tags: bool,
) -> bytes:
    """Render `archive/index.html`; `months` are numbers of issues by year and month."""
    language = context.setting.publication.language
    rows = [
        (
            year,
            [
                MonthLink(_name_month(month, language), count, f"{year.url}#month_{month:02d}")
                for month, count in sorted(months[year.year].items())
            ],
        )
        for year in years
    ]
    words = context.setting.words()
    page = _overview(context, "all-years", words.archive, context.setting.urls.archive())
    return fill_in(context, page, rows=rows, has_tags=has_tags)


def render_tags_page(context: PageContext, tags: Sequence[tuple[TagView, int]]) -> bytes:
    """Render `tags/index.html`: all tags with their numbers of highlights."""
    page = _overview(context, "all-tags", context.setting.words().tags, context.setting.urls.tags())
    counts = {tag.slug: count for tag, count in tags}
    return fill_in(context, page, groups=group_tags([tag for tag, _ in tags]), counts=counts)


def render_moved(context: PageContext, url: str, title: str, language: str) -> bytes:
    """Render what stands where a page was that is at `url` now; no search engine keeps it."""
    page = make_page(
        context.setting.publication,
        name="moved",
        title=context.setting.words(language).page_moved,
        description=title,
        url=url,
        language=language,
        is_indexed=False,
    )
    return fill_in(context, page, title=title)


def group_tags(tags: Sequence[TagView]) -> list[tuple[str, list[TagView]]]:
    """Put tags in the order of their labels, below their first letters where there are many.

    Ideographs, which have no letters, stand first and below none.
    """
    ordered = sorted(tags, key=lambda tag: (_letter(tag.label), tag.label.casefold(), tag.slug))
    if len(ordered) <= _ONE_LIST:
        return [("", ordered)] if ordered else []
    return [(letter, list(group)) for letter, group in groupby(ordered, lambda t: _letter(t.label))]


def _letter(label: str) -> str:
    first = unicodedata.normalize("NFD", label.strip().upper())[:1]
    if unicodedata.east_asian_width(first or " ") in "WF":
        return ""
    return first if first.isalpha() else "0–9" if first.isdecimal() else "#"


def _overview(context: PageContext, name: str, title: str, url: str) -> Page:
    publication = context.setting.publication
    return make_page(
        publication,
        name=name,
        title=title,
        description=f"{publication.title}: {title}",
        url=url,
        language=publication.language,
        image=context.card,
        nodes=(breadcrumbs((publication.title, context.setting.urls.home()), (title, url)),),
    )


def _name_month(month: int, language: str) -> str:
    return format_date(date(2000, month, 1), "LLLL", locale=find_locale(language))
