"""A highlight or an issue -> an entry, neutral between Atom, RSS and JSON."""

from datetime import datetime
from html import escape
from typing import Protocol

from publisher.model.feed import Entry
from publisher.model.issue import Highlight, Image, Issue, Person
from publisher.model.language import direction
from publisher.model.publication import Publication
from publisher.render.excerpt import excerpt, shorten
from publisher.render.feed_values import named_authors
from publisher.render.views import (
    CorrectionView,
    HighlightView,
    Setting,
    language_of,
    page_target,
    render_introduction,
    title_of,
    view_corrections,
    view_highlight,
)

# Two or three lines in a feed reader's list.
SUMMARY_LENGTH = 280
# A long headline; readers show little more of a title.
NAME_LENGTH = 80


class Dates(Protocol):
    """When an entry was first published and last changed, aware; a register's record says both."""

    @property
    def published(self) -> datetime: ...

    @property
    def updated(self) -> datetime: ...


def highlight_entry(
    highlight: Highlight,
    place: int,
    issue: Issue,
    setting: Setting,
    dates: Dates,
    *,
    full_content: bool = True,
) -> Entry:
    """Make a highlight's entry; `place` is its number in the issue, from 1.

    A highlight without a title is named by its first words, and one without text is summarised
    by its title, since every format needs both.
    """
    publication = setting.publication
    view = view_highlight(
        highlight, place, issue, setting, page_target(setting, issue.slug, heading=2)
    )
    summary = excerpt(highlight.body, SUMMARY_LENGTH)
    title = _name(highlight) or title_of(issue, publication)
    notes = "" if full_content else _say(view.corrections)
    return Entry(
        id=entry_id(publication.id, highlight.id, highlight.guid),
        url=view.url,
        title=title,
        published=dates.published,
        updated=dates.updated,
        authors=authors_of(issue, publication),
        tags=highlight.tags,
        language=view.language,
        summary=f"{notes}{summary or title}",
        content=_direct(_write(view, setting), view.language, publication) if full_content else "",
        source=view.source,
        source_url=view.source_url,
        image=view.image,
    )


def issue_entry(
    issue: Issue, setting: Setting, dates: Dates, *, full_content: bool = True
) -> Entry:
    """Make an issue's entry: its introduction, then each highlight under a linked heading."""
    publication = setting.publication
    target = page_target(setting, issue.slug, heading=3)
    introduction = render_introduction(issue.introduction, target)
    views = [
        view_highlight(highlight, place, issue, setting, target, title=_name(highlight))
        for place, highlight in enumerate(issue.highlights, 1)
    ]
    language, title = language_of(issue, publication), title_of(issue, publication)
    sections = [_write_section(view, setting) for view in views]
    corrections = view_corrections(issue.corrections, language, setting)
    notes = _write_corrections(corrections, language)
    content = "\n".join(filter(None, [notes, introduction, *sections]))
    summary = issue.summary or excerpt(issue.introduction, SUMMARY_LENGTH)
    headlines = shorten(" · ".join(view.title for view in views if view.title), SUMMARY_LENGTH)
    return Entry(
        id=entry_id(publication.id, issue.id, issue.guid),
        url=setting.urls.issue(issue.slug),
        title=title,
        published=dates.published,
        updated=dates.updated,
        authors=authors_of(issue, publication),
        tags=issue.tags,
        language=language,
        summary=f"{'' if full_content else _say(corrections)}{summary or headlines or title}",
        content=_direct(content, language, publication) if full_content else "",
        image=next((view.image for view in views if view.image), None),
    )


def entry_id(publication_id: str, id_: str, guid: str) -> str:
    """Give an entry's permanent id: the guid adopted from elsewhere, or our own."""
    return guid or f"{publication_id}/{id_}"


def authors_of(issue: Issue, publication: Publication) -> tuple[Person, ...]:
    """Give the names to put on an issue's entries: its own authors' or the publication's."""
    people = issue.authors or tuple(filter(None, [publication.author]))
    return named_authors(people, publication.title)


def _name(highlight: Highlight) -> str:
    return highlight.title or excerpt(highlight.body, NAME_LENGTH)


def _write(view: HighlightView, setting: Setting) -> str:
    notes = _write_corrections(view.corrections, view.language)
    source = _write_source(view, setting)
    return "\n".join(filter(None, [notes, _write_image(view.image), view.body, source]))


def _write_corrections(corrections: tuple[CorrectionView, ...], language: str) -> str:
    return "\n".join(_write_correction(each, language) for each in corrections)


def _write_correction(view: CorrectionView, language: str) -> str:
    label = _escape(view.label)
    if view.language != language:
        label = f'<span lang="{view.language}" dir="{direction(view.language)}">{label}</span>'
    return f'<p><strong>{label}</strong> <span dir="auto">{_escape(view.note)}</span></p>'


def _say(corrections: tuple[CorrectionView, ...]) -> str:
    """Notes as plain text, to stand before a summary."""
    return "".join(f"{each.label} {each.note} " for each in corrections)


def _write_image(image: Image | None) -> str:
    if image is None:
        return ""
    size = f' width="{image.width}" height="{image.height}"' if image.width else ""
    return f'<p><img src="{_quote(image.src)}" alt="{_quote(image.alt or "")}"{size}></p>'


def _write_source(view: HighlightView, setting: Setting) -> str:
    name = _escape(view.source_name)
    if not name:
        return ""
    link = f'<a href="{_quote(view.source_url)}">{name}</a>' if view.source_url else name
    return f"<p>{_escape(setting.words(view.language).source).format(name=link)}</p>"


def _write_section(view: HighlightView, setting: Setting) -> str:
    heading = f'<h2><a href="{_quote(view.url)}">{_escape(view.title or view.url)}</a></h2>'
    section = "\n".join(filter(None, [heading, _write(view, setting)]))
    return _mark(section, view.language) if view.is_foreign else section


def _direct(content: str, language: str, publication: Publication) -> str:
    """Say the content's language and direction where readers would not expect them of the feed."""
    is_expected = language.lower() == publication.language.lower() and direction(language) == "ltr"
    return content if is_expected or not content else _mark(content, language)


def _mark(content: str, language: str) -> str:
    # Made of sanitised parts: the list that nh3 holds them against knows neither div nor lang.
    return f'<div lang="{_quote(language)}" dir="{direction(language)}">\n{content}\n</div>'


def _escape(text: str) -> str:
    return escape(text, quote=False)


def _quote(text: str) -> str:
    # By name: readers that use feedparser lose all that follows a numeric `&#34;`.
    return _escape(text).replace('"', "&quot;")
