"""An issue's versions -> the page that shows what changed from each to the next."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from babel.dates import format_time

from publisher.model import content as c
from publisher.model.issue import Highlight, Issue
from publisher.model.language import direction
from publisher.model.version import Version
from publisher.render.diff import Line, compare_lines
from publisher.render.frame import PageContext, fill_in, make_page
from publisher.render.html import Target
from publisher.render.plain import plain_text
from publisher.render.structured_data import breadcrumbs
from publisher.render.urls import version_anchor
from publisher.render.views import (
    CorrectionView,
    IssueView,
    Notice,
    Setting,
    find_locale,
    language_of,
    page_target,
    spoken_language,
    title_of,
    view_corrections,
    view_highlight,
    view_issue,
    write_date,
)
from publisher.render.words import Words


class PartChange(msgspec.Struct, frozen=True, kw_only=True):
    """What changed in a highlight, or in the issue's own words where `title` is empty.

    `remark` says what lines cannot. `url` is the highlight's page while it stands in the issue.
    """

    title: str
    language: str
    direction: str
    lines: tuple[Line, ...]
    remark: str = ""
    url: str = ""


class Withdrawn(msgspec.Struct, frozen=True):
    url: str
    reason: str


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """One version: `label` says when, `changes` what is different from the version before it.

    `whole` is its text, None where that is the issue's page itself. `anchor` is empty where the
    same text stands further up, having come back.
    """

    anchor: str
    label: str
    moment: str
    corrections: tuple[CorrectionView, ...]
    changes: tuple[PartChange, ...]
    withdrawn: tuple[Withdrawn, ...]
    is_hidden: bool
    whole: IssueView | None


def compare_issues(old: Issue, new: Issue, setting: Setting) -> tuple[PartChange, ...]:
    """What differs between two versions: first the issue's own words, then its highlights."""
    words = setting.words(language_of(new, setting.publication))
    before = {highlight.id: highlight for highlight in old.highlights}
    after = {highlight.id for highlight in new.highlights}
    found = list(_compare_own(old, new, setting, words))
    for highlight in new.highlights:
        earlier = before.get(highlight.id)
        if earlier is None or _bare(earlier) != _bare(highlight):
            found.append(_compare_highlight(earlier, highlight, new, setting, words))
    for highlight in old.highlights:
        if highlight.id not in after:
            part = _part(highlight, old, setting, (), words.diff_gone)
            found.append(msgspec.structs.replace(part, url=""))
    return tuple(found)


def _compare_own(old: Issue, new: Issue, setting: Setting, words: Words) -> Iterator[PartChange]:
    ids = {h.id for h in old.highlights} & {h.id for h in new.highlights}
    orders = [[h.id for h in each.highlights if h.id in ids] for each in (old, new)]
    lines = compare_lines(_own_lines(old, setting, words), _own_lines(new, setting, words))
    is_set_anew = _without_places(old.introduction) != _without_places(new.introduction)
    remark = words.diff_order if orders[0] != orders[1] else ""
    if not lines and not remark and is_set_anew:
        remark = words.diff_form
    if lines or remark:
        language = language_of(new, setting.publication)
        yield PartChange(
            title="",
            language=language,
            direction=direction(language),
            lines=lines,
            remark=remark,
        )


def _compare_highlight(
    old: Highlight | None, new: Highlight, issue: Issue, setting: Setting, words: Words
) -> PartChange:
    if old is None:
        return _part(new, issue, setting, (), words.diff_new)
    lines = compare_lines(_lines(old, words), _lines(new, words))
    return _part(new, issue, setting, lines, "" if lines else words.diff_form)


def _part(
    highlight: Highlight, issue: Issue, setting: Setting, lines: tuple[Line, ...], remark: str
) -> PartChange:
    language = highlight.language or language_of(issue, setting.publication)
    return PartChange(
        title=highlight.title or highlight.id,
        language=language,
        direction=direction(language),
        lines=lines,
        remark=remark,
        url=setting.urls.highlight(highlight.id),
    )


def _bare(highlight: Highlight) -> tuple[object, ...]:
    return (
        *(highlight.title, highlight.url, highlight.source, highlight.image, highlight.language),
        tuple(tag.label for tag in highlight.tags),
        _without_places(highlight.body),
    )


def _without_places(value: object) -> object:
    """Blocks as they compare: what only says where they stand in a file is left out."""
    if isinstance(value, tuple):
        return tuple(_without_places(item) for item in value)
    if not isinstance(value, c.Node):
        return value
    names = (name for name in value.__struct_fields__ if name not in ("line", "language"))
    return (type(value), *(_without_places(getattr(value, name)) for name in names))


def _own_lines(issue: Issue, setting: Setting, words: Words) -> list[str]:
    day = _write_moment(issue.date, setting, words.language) if issue.date else ""
    number = "" if issue.number is None else words.issue_number.format(number=issue.number)
    names = words.list_separator.join(person.name for person in issue.authors)
    lines = (title_of(issue, setting.publication), day, number, names, _tags(issue, words))
    return [*filter(None, lines), *filter(None, (issue.summary, *_body(issue.introduction)))]


def _lines(highlight: Highlight, words: Words) -> list[str]:
    image = highlight.image
    lines = (
        highlight.title,
        words.source.format(name=highlight.source) if highlight.source else "",
        highlight.url,
        *(((image.alt or ""), image.src) if image else ()),
        _tags(highlight, words),
    )
    return [*filter(None, lines), *_body(highlight.body)]


def _tags(tagged: Issue | Highlight, words: Words) -> str:
    labels = words.list_separator.join(tag.label for tag in tagged.tags)
    return words.labelled.format(label=words.tags, value=labels) if labels else ""


def _body(blocks: c.Blocks) -> list[str]:
    """Each block's words, an item or a row for itself."""
    lines: list[str] = []
    for block in blocks:
        match block:
            case c.List(items=items):
                lines += [line for item in items for line in _body(item)]
            case c.Quote(children):
                lines += _body(children)
            case c.CodeBlock(text):
                lines += text.split("\n")
            case c.Table(header=header, rows=rows):
                cells = ([plain_text((c.Paragraph(cell),)) for cell in row] for row in rows)
                heads = [plain_text((c.Paragraph(cell),)) for cell in header]
                lines += [" | ".join(row) for row in (heads, *cells)]
            case _:
                lines.append(plain_text((block,)))
    return [line for line in lines if line.strip()]


def view_notices(versions: tuple[Version, ...], setting: Setting) -> tuple[Notice, ...]:
    """What to tell those who were sent one of the versions before the present one."""
    if not versions:
        return ()
    present = versions[-1]
    language = language_of(present.issue, setting.publication)
    last = {version.name: place for place, version in enumerate(versions)}
    notices = []
    for name, place in last.items():
        if name != present.name:
            later = versions[place + 1 :]
            notes = tuple(note for version in later for note in version.corrections)
            url = f"{setting.urls.changes(present.issue.slug)}#{version_anchor(later[0].name)}"
            views = view_corrections(notes, language, setting)
            notices.append(Notice(version_anchor(name), url, views))
    return tuple(notices)


def render_changes_page(
    context: PageContext, versions: tuple[Version, ...], published: datetime
) -> bytes:
    """Render `issues/NAME/changes/index.html`; `versions` are oldest first.

    What the issue said at first was not kept where `published` is before the first of them.
    No search engine keeps the page, since most of what it shows is what was wrong.
    """
    setting = context.setting
    issue = versions[-1].issue
    language = language_of(issue, setting.publication)
    words = setting.words(language)
    link = view_issue(issue, setting, _target(setting, issue), ())
    is_whole = versions[0].at <= published
    places = range(len(versions))
    views = tuple(_view_version(setting, versions, place, is_whole) for place in places)
    label = words.issue_label.format(title=link.title, day=link.day)
    title = words.changes_to.format(title=label)
    url = setting.urls.changes(issue.slug)
    page = make_page(
        setting.publication,
        name="changes",
        title=title,
        description=words.changes_pitch,
        url=url,
        language=language,
        is_indexed=False,
        nodes=(
            breadcrumbs(
                (setting.publication.title, setting.urls.home()),
                (label, link.url),
                (title, url),
            ),
        ),
    )
    unknown = "" if is_whole else _say_moment(words.version_unknown, published, setting, language)
    return fill_in(context, page, issue=link, title=title, versions=views[::-1], unknown=unknown)


def _view_version(
    setting: Setting, versions: tuple[Version, ...], place: int, is_whole: bool
) -> VersionView:
    version = versions[place]
    language = language_of(versions[-1].issue, setting.publication)
    words = setting.words(language)
    before = versions[place - 1] if place else None
    changes = compare_issues(before.issue, version.issue, setting) if before else ()
    phrase = words.version_changed if before or not is_whole else words.version_published
    is_last = all(each.name != version.name for each in versions[place + 1 :])
    return VersionView(
        anchor=version_anchor(version.name) if is_last else "",
        label=_say_moment(phrase, version.at, setting, language),
        moment=version.at.astimezone(setting.zone).isoformat(),
        corrections=view_corrections(version.corrections, language, setting),
        changes=changes,
        withdrawn=tuple(
            Withdrawn(setting.urls.highlight(each.id), each.reason) for each in version.withdrawals
        ),
        is_hidden=bool(before) and not (changes or version.withdrawals),
        whole=None if version is versions[-1] else _view_whole(version.issue, setting),
    )


def _view_whole(issue: Issue, setting: Setting) -> IssueView:
    target = _target(setting, issue)
    views = tuple(
        view_highlight(highlight, number, issue, setting, target)
        for number, highlight in enumerate(issue.highlights, 1)
    )
    return view_issue(issue, setting, target, views)


def _target(setting: Setting, issue: Issue) -> Target:
    """Former texts show no pictures: what is in media/ is what is needed now."""
    target = page_target(setting, issue.slug, heading=4)
    return msgspec.structs.replace(target, image=lambda _: None)


def _say_moment(phrase: str, moment: datetime, setting: Setting, language: str) -> str:
    return phrase.format(moment=_write_moment(moment, setting, language))


def _write_moment(moment: datetime, setting: Setting, language: str) -> str:
    """Write a day and a time of it in the language of the words around them."""
    local = moment.astimezone(setting.zone)
    spoken = spoken_language(setting.words(language), language)
    time = format_time(local, "short", locale=find_locale(spoken))
    return f"{write_date(local, spoken)}{setting.words(language).separator}{time}"
