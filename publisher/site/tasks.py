"""A task makes one part of the site: what it yields now replaces what it yielded before.

A task that yields nothing removes its files; so an issue that was renamed or taken back needs no
code of its own. Tasks only read the archive, and run in any order and in any process.
"""

from collections.abc import Callable
from datetime import datetime

from publisher.model.issue import Image, Issue, Tag
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.content import check_issue
from publisher.preflight.links import check_links
from publisher.preflight.message import check_message
from publisher.render.changes import view_notices
from publisher.render.email import fill_slots, render_message
from publisher.render.opml import render_opml
from publisher.render.page import (
    render_highlight_page,
    render_home_page,
    render_issue_page,
    render_tag_page,
    render_tombstone,
    render_year_page,
)
from publisher.render.sitemap import render_robots, render_sitemap, render_sitemap_index
from publisher.render.structured_data import Facts
from publisher.render.views import (
    IssueView,
    Notice,
    TagView,
    page_target,
    view_highlight,
    view_issue,
)
from publisher.site.archive import Archive
from publisher.site.changes import check_changed, make_changes, versions_of
from publisher.site.feeds import channels, live_outputs, month_outputs, tag_channel
from publisher.site.issue_cards import find_card, issue_card
from publisher.site.order import (
    TAG_PAGE,
    effective_tags,
    full_tag_pages,
    is_sitemap_split,
    places,
)
from publisher.site.overviews import (
    make_about_feeds,
    make_archive,
    make_card,
    make_moved,
    make_tags,
)
from publisher.site.register import Record
from publisher.site.result import Result
from publisher.site.scan import read_file
from publisher.site.search import make_search, make_year_index
from publisher.site.variants import make_headlines
from publisher.site.versions import is_changed
from publisher.site.write import Output

# The home page's list of issues before the newest.
_RECENT = 10
# The home page's tags; all of them are in feeds.opml.
_HOME_TAGS = 40
# What no year has, where the sitemap is split.
_SITE_MAP = "sitemap-site.xml"


def run_task(archive: Archive, kind: str, key: str) -> Result:
    """Run one task by its kind and key."""
    return _TASKS[kind](archive, key)


def _view(archive: Archive, issue: Issue) -> IssueView:
    target = page_target(archive.setting, issue.slug, heading=3, is_lazy=True)
    views = tuple(
        view_highlight(highlight, place, issue, archive.setting, target)
        for place, highlight in places(issue)
    )
    return view_issue(issue, archive.setting, target, views)


def make_page(archive: Archive, slug: str) -> Result:
    """An issue's page, which names its neighbours."""
    issue = archive.issue(slug)
    if issue is None:
        return Result(())
    newer, older = archive.neighbours(slug)
    view = _view(archive, issue)
    first = next((each.image for each in view.highlights if each.image), None)
    facts = _facts(archive, issue, issue.tags, first, archive.dates(issue)[issue.id])
    changes, notices = _changes(archive, issue)
    page = render_issue_page(archive.context, view, newer, older, facts, changes, notices)
    return Result((Output(f"issues/{slug}/index.html", page),))


def _changes(archive: Archive, issue: Issue) -> tuple[str, tuple[Notice, ...]]:
    """Where an issue's changes are told, and what those are told who have a former version."""
    if not is_changed(archive.index, issue):
        return "", ()
    notices = view_notices(versions_of(archive.index, issue), archive.setting)
    return archive.setting.urls.changes(issue.slug), notices


def make_issue(archive: Archive, slug: str) -> Result:
    """An issue's message, and its highlights' own pages."""
    issue = archive.issue(slug)
    if issue is None:
        return Result(())
    setting = archive.setting
    message = render_message(issue, setting, archive.context.templates)
    leave = f"{setting.urls.home()}#leave"
    html, text = (fill_slots(body, leave) for body in (message.html, message.text))
    titles = [highlight.title for highlight in issue.highlights]
    said = check_message(html, text, message.subject, message.cuts, issue.path, titles)
    problems = (
        *_check_withdrawn(archive, issue),
        *check_changed(archive, issue),
        *check_issue(issue, setting, archive.media),
        *check_links(issue, setting),
        *(said if issue.mail else ()),  # what is never mailed may be too long for Gmail
    )
    outputs = [
        Output(f"issues/{slug}/email.html", html.encode()),
        Output(f"issues/{slug}/email.txt", text.encode()),
        *_highlight_pages(archive, issue),
    ]
    if find_card(issue, setting):
        card = archive.draw(issue_card(issue, setting))
        outputs.append(Output(f"cards/{slug}.png", card))
    return Result(tuple(outputs), problems)


def _check_withdrawn(archive: Archive, issue: Issue) -> list[Problem]:
    """Name what stands in the file and is not published, because it was withdrawn."""
    if not archive.index.has_withdrawn():
        return []
    path, slug = issue.path, issue.slug
    return [
        problem("withdrawn-used", path, h.line, found=h.id, slug=slug)
        for h in archive.written(issue).highlights
        if archive.index.is_withdrawn(h.id)
    ]


def _highlight_pages(archive: Archive, issue: Issue) -> list[Output]:
    target = page_target(archive.setting, issue.slug, heading=2)
    link = archive.link_issue(issue)
    links = (None, *link.highlights, None)
    dates = archive.dates(issue)
    pages = []
    for place, highlight in places(issue):
        view = view_highlight(highlight, place, issue, archive.setting, target)
        tags = effective_tags(highlight, issue)
        facts = _facts(archive, issue, tags, view.image, dates[highlight.id])
        page = render_highlight_page(
            archive.context, view, link, links[place - 1], links[place + 1], facts
        )
        pages.append(Output(f"highlights/{highlight.id}/index.html", page))
    return pages


def _facts(
    archive: Archive,
    issue: Issue,
    tags: tuple[Tag, ...],
    image: Image | None,
    record: Record,
) -> Facts:
    """What machines are told of an issue or of a highlight of it."""
    assert issue.date is not None  # noqa: S101 - published issues have one
    published = issue.date.astimezone(archive.setting.zone)
    return Facts(
        published=published,
        # What was never changed is registered some seconds after its issue's date.
        updated=max(published, record.updated) if record.updated > record.published else published,
        authors=issue.authors or tuple(filter(None, [archive.setting.publication.author])),
        keywords=tuple(tag.label for tag in tags),
        image=image or find_card(issue, archive.setting),
    )


def make_home(archive: Archive, _: str) -> Result:
    slugs = archive.index.live_slugs(limit=_RECENT + 1)
    issues = archive.issues(slugs)
    newest = _view(archive, issues[0]) if issues else None
    recent = tuple(archive.link_issue(issue) for issue in issues[1:])
    tags = tuple(archive.tags(_HOME_TAGS))
    page = render_home_page(archive.context, newest, recent, archive.years, tags)
    return Result((Output("index.html", page),))


def make_year(archive: Archive, key: str) -> Result:
    """A year's page, its issues newest first."""
    issues = archive.issues(archive.index.live_slugs("AND year = ?", int(key)))
    if not issues:
        return Result(())
    links = tuple(archive.link_issue(issue) for issue in issues)
    page = render_year_page(archive.context, int(key), links, archive.year_links())
    return Result((Output(f"archive/{int(key):04d}/index.html", page),))


def make_tag(archive: Archive, key: str) -> Result:
    """A tag's first page and its feeds."""
    tag = archive.tag(key)
    if tag is None:
        return Result(())
    count = archive.index.value("SELECT COUNT(*) FROM tagged WHERE tag = ?", key)
    full = full_tag_pages(count)
    entries = tuple(archive.tagged(key, newest=count - full * TAG_PAGE))
    older = f"{tag.url}{full}/" if full else ""
    page = render_tag_page(archive.context, tag, entries, 0, "", older)
    feeds, problems = live_outputs(archive, tag_channel(archive, tag))
    outputs = (Output(f"tags/{key}/index.html", page), *feeds)
    return Result(outputs, tuple(problems))


def make_tag_page(archive: Archive, key: str) -> Result:
    """One full page of a tag: `TAG/N`, N counted from the oldest."""
    slug, _, number_text = key.rpartition("/")
    number = int(number_text)
    tag = archive.tag(slug)
    count = archive.index.value("SELECT COUNT(*) FROM tagged WHERE tag = ?", slug)
    full = full_tag_pages(count)
    if tag is None or number > full:
        return Result(())
    entries = archive.tagged(slug, newest=TAG_PAGE, skip=count - number * TAG_PAGE)
    # The next newer page is linked by number also from the newest full one: where no such page
    # exists yet, that is the tag's first page, so only that one page changes when it is filled.
    newer = f"{tag.url}{number + 1}/" if number < full else tag.url
    older = f"{tag.url}{number - 1}/" if number > 1 else ""
    page = render_tag_page(archive.context, tag, tuple(entries), number, newer, older)
    return Result((Output(f"tags/{slug}/{number}/index.html", page),))


def make_feeds(archive: Archive, _: str) -> Result:
    """The publication's live feeds."""
    outputs: list[Output] = []
    problems: list[Problem] = []
    for channel in channels(archive):
        made, found = live_outputs(archive, channel)
        outputs += made
        problems += found
    return Result(tuple(outputs), tuple(problems))


def make_month(archive: Archive, month: str) -> Result:
    return Result(tuple(month_outputs(archive, month)))


def make_opml(archive: Archive, _: str) -> Result:
    urls, publication = archive.setting.urls, archive.setting.publication
    all_channels = [
        *channels(archive),
        *(tag_channel(archive, tag) for tag, _ in sorted(archive.tags(), key=_by_slug)),
    ]
    rows = [(c.title, urls.path(f"{c.stem}.atom"), c.url) for c in all_channels]
    robots = render_robots(urls.path("sitemap.xml"))
    return Result(
        (Output("feeds.opml", render_opml(publication.title, rows)), Output("robots.txt", robots))
    )


def _by_slug(tag: tuple[TagView, int]) -> str:
    return tag[0].slug


def make_sitemap(archive: Archive, _: str) -> Result:
    """One sitemap, or an index of one for each year where there are many URLs."""
    urls = archive.setting.urls
    places_ = _standing_places(archive)
    if is_sitemap_split(archive.index):
        names = [_SITE_MAP, *(f"sitemap-{year.year:04d}.xml" for year in archive.years)]
        index = render_sitemap_index([(urls.path(name), None) for name in names])
        return Result(
            (Output("sitemap.xml", index), Output(_SITE_MAP, render_sitemap(places_))),
        )
    for year in archive.years:
        places_ += _year_places(archive, year.year)
    return Result((Output("sitemap.xml", render_sitemap(places_)),))


def make_year_sitemap(archive: Archive, key: str) -> Result:
    year = int(key)
    found = _year_places(archive, year) if is_sitemap_split(archive.index) else []
    if not found:
        return Result(())
    return Result((Output(f"sitemap-{year:04d}.xml", render_sitemap(found)),))


def _standing_places(archive: Archive) -> list[tuple[str, datetime | None]]:
    """The pages that are there whatever the issues are."""
    urls = archive.setting.urls
    pages = [urls.home(), urls.about_feeds()]
    if archive.years:
        pages.append(urls.archive())
    if archive.tags(1):
        pages.append(urls.tags())
    return [(page, None) for page in pages]


def _year_places(archive: Archive, year: int) -> list[tuple[str, datetime | None]]:
    urls = archive.setting.urls
    found: list[tuple[str, datetime | None]] = []
    for slug in archive.index.live_slugs("AND year = ?", year):
        issue = archive.issue(slug)
        if issue is None:
            continue
        dates = archive.dates(issue)
        found.append((urls.issue(slug), dates[issue.id].updated))
        found += [(urls.highlight(h.id), dates[h.id].updated) for h in issue.highlights]
    return [(urls.year(year), max(m for _, m in found if m)), *found] if found else []


def make_tombstone(archive: Archive, id_: str) -> Result:
    """What stands where an issue or a highlight was withdrawn."""
    record = archive.index.records([id_]).get(id_)
    if record is None or record.withdrawn is None:
        return Result(())
    path, problems = f"highlights/{id_}", tuple[Problem, ...]()
    if record.kind == "issue":
        path, problems = f"issues/{record.slug}", _still_there(archive, id_)
        if not _is_last_of_name(archive, record):
            return Result((), problems)
    language = archive.setting.publication.language
    page = render_tombstone(archive.context, record.kind, record.withdrawn, record.reason, language)
    return Result((Output(f"{path}/index.html", page),), problems)


def _still_there(archive: Archive, id_: str) -> tuple[Problem, ...]:
    """Say that a withdrawn issue's file is there, of which nothing is published any more."""
    sql = "SELECT path, slug FROM ident JOIN file USING (path) WHERE id = ?"
    return tuple(
        problem("withdrawn-used", path, 1, found=id_, slug=slug)
        for path, slug in archive.index.rows(sql, id_)
    )


def _is_last_of_name(archive: Archive, record: Record) -> bool:
    """Tell whether no other issue has or had the withdrawn issue's name since."""
    others = [r for r in archive.withdrawn if (r.kind, r.slug) == ("issue", record.slug)]
    last = max(others, key=lambda r: (r.withdrawn or r.published, r.id))
    return record == last and archive.issue(record.slug) is None


def make_media(archive: Archive, path: str) -> Result:
    """A copy of a file that published issues use."""
    is_used = archive.index.value(
        "SELECT 1 FROM media WHERE path = ? AND (user = '' OR user IN"
        " (SELECT path FROM file WHERE is_live = 1))",
        path,
    )
    if not is_used or path not in archive.media:
        return Result(())
    reason = archive.media[path]
    if not reason:
        try:
            return Result((Output(path, read_file(archive.folder, path)),))
        except OSError as error:
            reason = error.strerror or str(error)
    return Result((), (problem("media-unreadable", path, None, found=reason),))


def make_assets(archive: Archive, _: str) -> Result:
    name, data = archive.stylesheet
    return Result((Output(f"assets/{name}", data),))


_TASKS: dict[str, Callable[[Archive, str], Result]] = {
    "about-feeds": make_about_feeds,
    "archive": make_archive,
    "assets": make_assets,
    "card": make_card,
    "changes": make_changes,
    "feeds": make_feeds,
    "headlines": make_headlines,
    "home": make_home,
    "issue": make_issue,
    "media": make_media,
    "month": make_month,
    "moved": make_moved,
    "opml": make_opml,
    "page": make_page,
    "search": make_search,
    "search-year": make_year_index,
    "sitemap": make_sitemap,
    "sitemap-year": make_year_sitemap,
    "tag": make_tag,
    "tag-page": make_tag_page,
    "tags": make_tags,
    "tombstone": make_tombstone,
    "year": make_year,
}
