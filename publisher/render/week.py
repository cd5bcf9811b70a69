"""A week's highlights, as they are mailed to those who want one message a week."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import msgspec
from babel.dates import format_interval
from jinja2 import Environment

from publisher.errors import SettingsError
from publisher.model.choices import Content
from publisher.model.issue import Highlight, Issue
from publisher.model.language import direction
from publisher.render.chosen import bare
from publisher.render.email import RenderedMessage, render_line, render_message
from publisher.render.urls import with_params
from publisher.render.views import Setting, find_locale, language_of, title_of, write_day
from publisher.render.week_opening import WeekHeadlines, WeekOpening, WeekPart
from publisher.render.words import Words

# Without its year, as it is said within the year: `December 8 – 14`.
_DAYS = "MMMMd"


class WeekView(msgspec.Struct, frozen=True, kw_only=True):
    """What the subject's template sees of a week: its days, written out, and its title of them."""

    title: str
    days: str
    first: date
    last: date


def render_week(
    issues: Sequence[Issue],
    subject: str,
    setting: Setting,
    templates: Environment,
    *,
    form: Content = "full",
    days: tuple[date, date] | None = None,
    total: int = 0,
) -> RenderedMessage:
    """Render both bodies of a message with the highlights of several issues, the oldest first.

    `subject` is a template of `week`, empty for its title. Of a week of which some is left out,
    `days` are those of all its issues, and `total` says how many highlights they have. Raises as
    render_message does.
    """
    first, last = days or days_of(issues, setting)
    language = setting.publication.language
    words = setting.words(language)
    written = _write_days(first, last, words.language)
    title = words.week_title.format(days=written)
    view = WeekView(title=title, days=written, first=first, last=last)
    try:
        line = render_line(subject, templates, week=view) if subject else ""
    except Exception as error:  # a template may also divide by nothing
        raise SettingsError(f"publisher.toml: choices.weekly_subject: {error}") from None
    whole = _gather(issues, title, setting)
    kind = WeekHeadlines if form == "headlines" else WeekOpening
    opening = kind(
        subject=line or title,
        days=written,
        url=with_params(setting.urls.archive(), setting.link_params),
        parts=tuple(_list_parts(issues, setting)),
        lines=_say_chosen(form, len(whole.highlights), total, words),
        preferences_url=f"{setting.web_url}/preferences",
    )
    return render_message(
        bare(whole) if form == "headlines" else whole, setting, templates, opening
    )


def _say_chosen(form: Content, shown: int, total: int, words: Words) -> tuple[str, ...]:
    lines = [words.chosen_weekly]
    if form == "headlines":
        lines.append(words.chosen_headlines)
    if shown < total:
        lines.append(words.chosen_of_week.format(shown=shown, total=total))
    return tuple(lines)


def _write_days(first: date, last: date, language: str) -> str:
    written: str = format_interval(first, last, _DAYS, locale=find_locale(language))
    # Many fonts have no thin space, and no inbox needs one in a subject.
    return written.replace("\u2009", " ")


def days_of(issues: Sequence[Issue], setting: Setting) -> tuple[date, date]:
    """The days of the first and of the last issue, in the publication's zone."""
    days = [_date(issue).astimezone(setting.zone).date() for issue in issues]
    return min(days), max(days)


def _date(issue: Issue) -> datetime:
    if issue.date is None:
        raise ValueError(f"{issue.path} has no date")
    return issue.date


def _list_parts(issues: Sequence[Issue], setting: Setting) -> Iterator[WeekPart]:
    first = 1
    for issue in issues:
        if issue.highlights:
            yield _part(issue, first, setting)
            first += len(issue.highlights)


def _part(issue: Issue, first: int, setting: Setting) -> WeekPart:
    language = language_of(issue, setting.publication)
    return WeekPart(
        slug=issue.slug,
        title=title_of(issue, setting.publication),
        day=write_day(_date(issue).astimezone(setting.zone), language),
        url=with_params(_url(issue, setting), setting.link_params),
        language=language,
        direction=direction(language),
        is_foreign=language.lower() != setting.publication.language.lower(),
        ids=tuple(highlight.id for highlight in issue.highlights),
        first=first,
    )


def _url(issue: Issue, setting: Setting) -> str:
    """Its page; with its version where that is known, for those who come much later."""
    urls = setting.urls
    return urls.version(issue.slug, issue.version) if issue.version else urls.issue(issue.slug)


def _gather(issues: Sequence[Issue], title: str, setting: Setting) -> Issue:
    """One issue of all the highlights, in the publication's language."""
    return Issue(
        slug="",
        path="",
        title=title,
        date=max(map(_date, issues)),
        highlights=tuple(each for issue in issues for each in _speak(issue, setting)),
    )


def _speak(issue: Issue, setting: Setting) -> list[Highlight]:
    """An issue's highlights, each with its language, which is the issue's where it has none."""
    own = language_of(issue, setting.publication)
    return [
        msgspec.structs.replace(each, language=each.language or own) for each in issue.highlights
    ]
