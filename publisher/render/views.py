"""What templates see: an issue with every URL absolute, every body rendered, every day written out.

A view is made for one rendition (a page, the message, a feed), since renditions differ in their
heading levels and in the parameters of their links.
"""

import pickle
from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.localedata import LocaleDataDict
from babel.localedata import load as load_locale_data
from markupsafe import Markup

from publisher.model import content as c
from publisher.model.issue import Correction, Highlight, Image, Issue, Person, Tag
from publisher.model.language import direction
from publisher.model.publication import Publication
from publisher.render.excerpt import excerpt
from publisher.render.html import Target, render_html
from publisher.render.urls import IMAGE_SCHEMES, Urls, media_path, with_params
from publisher.render.week_opening import WeekOpening
from publisher.render.words import Catalogues, Words

# Sizes of the images in media/, by path relative to the publication's folder: CSS pixels.
MediaSizes = Mapping[str, tuple[int, int]]


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What every rendition of a publication shares.

    `web_url` is where forms and links in mail point to; `link_params` are added to links in mail
    only.
    """

    publication: Publication
    urls: Urls
    web_url: str
    catalogues: Catalogues
    media: MediaSizes = {}
    link_params: tuple[tuple[str, str], ...] = ()
    postal_address: str = ""
    subject: str = "{{ issue.title }}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.publication.time_zone)

    def words(self, language: str = "") -> Words:
        """The interface's words in a language, or in the publication's."""
        return self.catalogues.words(language or self.publication.language)


class Greeting(msgspec.Struct, frozen=True, kw_only=True):
    """What goes before an issue in the message that welcomes a reader, in a language of theirs."""

    template: ClassVar[str] = "email/welcome"
    name: ClassVar[str] = "greeting"

    subject: str
    language: str
    direction: str
    lines: tuple[str, ...]


class CorrectionOpening(msgspec.Struct, frozen=True, kw_only=True):
    """What goes before the parts of an issue that were corrected: `lines` are the note's."""

    template: ClassVar[str] = "email/correction"
    name: ClassVar[str] = "correction"

    subject: str
    label: str
    lines: tuple[str, ...]
    changes_url: str


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader chose of an issue: `lines` say so, and how that is changed at a URL."""

    template: ClassVar[str] = "email/chosen"
    name: ClassVar[str] = "chosen"

    subject: str
    lines: tuple[str, ...]
    preferences_url: str


class Headlines(Chosen, frozen=True, kw_only=True):
    """The same, where nothing but the headlines was chosen."""

    template: ClassVar[str] = "email/headlines"


# What a message has besides an issue; its template, and what it is called there.
Opening = Greeting | CorrectionOpening | Chosen | WeekOpening


class TagView(msgspec.Struct, frozen=True):
    slug: str
    label: str
    url: str


class CorrectionView(msgspec.Struct, frozen=True, kw_only=True):
    """A note on a change. `label` says what it is and when, in `language`; `moment` is RFC 3339.

    The note is in whatever language its operator wrote.
    """

    label: str
    language: str
    moment: str
    note: str


class HighlightView(msgspec.Struct, frozen=True, kw_only=True):
    """One highlight. `number` is its place in the issue, from 1; `url` its own page.

    `is_foreign` tells that its language differs from the document's, so that `lang` and `dir`
    must be marked. `is_cut` tells that `body` leaves paragraphs out, to be read at `url`.
    `summary` is the body's beginning as one line of plain text.
    """

    number: int
    id: str
    title: str
    url: str
    source: str
    source_url: str
    image: Image | None
    tags: tuple[TagView, ...]
    language: str
    direction: str
    is_foreign: bool
    body: Markup
    is_cut: bool = False
    summary: str = ""
    corrections: tuple[CorrectionView, ...] = ()

    @property
    def source_name(self) -> str:
        """The source's name, or else its page's host; empty where there is no source."""
        return self.source or (urlsplit(self.source_url).hostname or "").removeprefix("www.")


class IssueView(msgspec.Struct, frozen=True, kw_only=True):
    """One issue. `day` is its date written out in its language, `date` in the publication's zone.

    `url` is its page, `message_url` its message on the web, `version` what is at hand of its text
    (empty where that has no name).
    """

    slug: str
    id: str
    title: str
    number: int | None
    date: datetime
    day: str
    summary: str
    language: str
    direction: str
    authors: tuple[Person, ...]
    tags: tuple[TagView, ...]
    url: str
    message_url: str
    introduction: Markup
    highlights: tuple[HighlightView, ...]
    corrections: tuple[CorrectionView, ...] = ()
    version: str = ""


class Notice(msgspec.Struct, frozen=True):
    """What those are told who were sent a former version: `url` is where its changes begin."""

    anchor: str
    url: str
    notes: tuple[CorrectionView, ...]


class HighlightLink(msgspec.Struct, frozen=True, kw_only=True):
    """A highlight as it stands in lists: no body."""

    id: str
    title: str
    url: str
    summary: str
    language: str
    direction: str


class IssueLink(msgspec.Struct, frozen=True, kw_only=True):
    """An issue as it stands in lists and in links to its neighbours."""

    slug: str
    title: str
    day: str
    date: datetime
    number: int | None
    url: str
    language: str
    direction: str
    highlights: tuple[HighlightLink, ...] = ()


def write_day(moment: datetime, language: str) -> str:
    """Write a date out in full in a language: `Monday, December 15, 2025`."""
    return _write_day(moment.date(), language)


# An issue's day stands on its pages, its card, its message and its neighbours' pages.
@lru_cache(maxsize=1024)
def _write_day(day: date, language: str) -> str:
    return format_date(day, "full", locale=find_locale(language))


def write_date(moment: datetime, language: str) -> str:
    """Write a date out without its weekday: `December 15, 2025`."""
    return format_date(moment, "long", locale=find_locale(language))


class _OwnLocale(Locale):
    """A locale with a copy of its data: Babel's own resolves aliases in data that locales share.

    There, the first locale that looks up a month's name gives it to others (python-babel pull
    request 1263), and the same issue would be dated differently from one process to another.
    """

    @cached_property
    def _data(self) -> LocaleDataDict:
        # As Babel's own files keep it: a third of what deepcopy takes.
        copied = pickle.dumps(load_locale_data(str(self)))
        data: dict[Any, Any] = pickle.loads(copied)  # noqa: S301 - copied just now
        return LocaleDataDict(data)


@lru_cache(maxsize=64)
def find_locale(language: str) -> Locale:
    """Find the closest locale to a BCP 47 tag; English where none is known."""
    subtags = language.split("-")
    for length in range(len(subtags), 0, -1):
        try:
            return _OwnLocale.parse("-".join(subtags[:length]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return _OwnLocale("en")


def title_of(issue: Issue, publication: Publication) -> str:
    """The issue's title; the publication's where the file has none."""
    return issue.title or publication.title


def language_of(issue: Issue, publication: Publication) -> str:
    return issue.language or publication.language


def page_target(setting: Setting, slug: str, heading: int, is_lazy: bool = False) -> Target:
    """Content for a page or a feed: absolute URLs, fragments meaning the issue's page."""
    issue_url = setting.urls.issue(slug)

    def link(written: str) -> str:
        if written.startswith("#"):
            return issue_url + written
        return setting.urls.resolve(written)

    return Target(
        link=link,
        image=lambda src: find_image(Image(src), setting),
        heading=heading,
        is_lazy=is_lazy,
    )


def mail_target(setting: Setting, slug: str, heading: int) -> Target:
    """Content for the message: as for a page, with the publication's link parameters."""
    page = page_target(setting, slug, heading)
    return Target(
        link=lambda written: with_params(page.link(written), setting.link_params),
        image=page.image,
        heading=heading,
    )


def find_image(image: Image | None, setting: Setting) -> Image | None:
    """Resolve an image's URL and give it the size it was written with, or else its measured one."""
    if image is None or not (url := setting.urls.resolve(image.src, IMAGE_SCHEMES)):
        return None
    width, height = image.width, image.height
    measured = setting.media.get(media_path(image.src, setting.urls))
    if measured and not (width and height):
        scale = (width / measured[0]) if width else (height / measured[1]) if height else 1
        width, height = round(measured[0] * scale), round(measured[1] * scale)
    return Image(url, image.alt, width, height)


def view_tags(tags: tuple[Tag, ...], urls: Urls) -> tuple[TagView, ...]:
    return tuple(TagView(tag.slug, tag.label, urls.tag(tag.slug)) for tag in tags)


def view_highlight(
    highlight: Highlight, number: int, issue: Issue, setting: Setting, target: Target, **more: Any
) -> HighlightView:
    """Make the view of one highlight; `more` replaces fields (a cut body, a mail link)."""
    document = language_of(issue, setting.publication)
    language = highlight.language or document
    fields: dict[str, Any] = {
        "number": number,
        "id": highlight.id,
        "title": highlight.title,
        "url": setting.urls.highlight(highlight.id),
        "source": highlight.source,
        "source_url": target.link(highlight.url) if highlight.url else "",
        "image": find_image(highlight.image, setting),
        "tags": view_tags(highlight.tags, setting.urls),
        "language": language,
        "direction": direction(language),
        "is_foreign": language.lower() != document.lower(),
        "summary": excerpt(highlight.body),
        "corrections": view_corrections(highlight.corrections, language, setting),
    } | more
    if "body" not in fields:
        fields["body"] = render_html(highlight.body, target)
    return HighlightView(**fields)


def view_issue(
    issue: Issue, setting: Setting, target: Target, highlights: tuple[HighlightView, ...]
) -> IssueView:
    """Make the view of an issue around the views of its highlights. Its date must be known."""
    if issue.date is None:
        raise ValueError(f"{issue.path} has no date")
    language = language_of(issue, setting.publication)
    date = issue.date.astimezone(setting.zone)
    return IssueView(
        slug=issue.slug,
        id=issue.id,
        title=title_of(issue, setting.publication),
        number=issue.number,
        date=date,
        day=write_day(date, language),
        summary=issue.summary,
        language=language,
        direction=direction(language),
        authors=issue.authors or tuple(filter(None, [setting.publication.author])),
        tags=view_tags(issue.tags, setting.urls),
        url=setting.urls.issue(issue.slug),
        message_url=setting.urls.message(issue.slug),
        introduction=render_introduction(issue.introduction, target),
        highlights=highlights,
        corrections=view_corrections(issue.corrections, language, setting),
        version=issue.version,
    )


def spoken_language(words: Words, language: str) -> str:
    """A document's own language where the interface has words of it, else the words' language."""
    return language if f"{language.lower()}-".startswith(f"{words.language}-") else words.language


def view_corrections(
    corrections: tuple[Correction, ...], language: str, setting: Setting
) -> tuple[CorrectionView, ...]:
    """Make the views of notes, oldest first; `language` is that of what they stand on."""
    if not corrections:  # nearly always
        return ()
    words = setting.words(language)
    own = spoken_language(words, language)
    moments = [each.at.astimezone(setting.zone) for each in corrections]
    return tuple(
        CorrectionView(
            label=words.correction.format(day=write_date(moment, own)),
            language=own,
            moment=moment.isoformat(),
            note=each.note,
        )
        for each, moment in zip(corrections, moments, strict=True)
    )


def render_introduction(blocks: c.Blocks, target: Target) -> Markup:
    """The introduction stands beside the highlights: its headings are levelled as theirs are."""
    return render_html(blocks, msgspec.structs.replace(target, heading=target.heading - 1))
