"""Tasks for the pages that lead to others: all years, all tags, the feeds, and where pages went."""

from collections import defaultdict

from publisher.preflight.catalogue import problem
from publisher.render.feeds_page import render_feeds_page
from publisher.render.overview import render_archive_page, render_moved, render_tags_page
from publisher.render.page import render_tombstone
from publisher.render.views import language_of
from publisher.site.archive import Archive
from publisher.site.issue_cards import SITE_CARD, site_card
from publisher.site.register import Record
from publisher.site.result import Result
from publisher.site.versions import is_changed
from publisher.site.write import Output


def make_archive(archive: Archive, _: str) -> Result:
    """All years, with their months."""
    months: dict[int, dict[int, int]] = defaultdict(dict)
    sql = "SELECT month, COUNT(*) FROM file WHERE is_live = 1 GROUP BY month"
    for month, count in archive.index.rows(sql):
        months[int(month[:-3])][int(month[-2:])] = count
    has_tags = bool(archive.index.value("SELECT 1 FROM tagged LIMIT 1"))
    page = render_archive_page(archive.context, archive.years, months, has_tags)
    return Result((Output("archive/index.html", page),))


def make_tags(archive: Archive, _: str) -> Result:
    """All tags, where there are any."""
    if not archive.tags():
        return Result(())
    page = render_tags_page(archive.context, archive.tags())
    return Result((Output("tags/index.html", page),))


def make_about_feeds(archive: Archive, _: str) -> Result:
    page = render_feeds_page(archive.context, [tag for tag, _ in archive.tags()])
    return Result((Output("feeds/index.html", page),))


def make_card(archive: Archive, _: str) -> Result:
    """The site's own card; what is wrong with the font is said here, once for all cards."""
    found = archive.card_font_problem
    problems = (
        (problem("card-font-unusable", archive.card_font, None, found=found),) if found else ()
    )
    card = archive.draw(site_card(archive.setting))
    return Result((Output(f"cards/{SITE_CARD}.png", card),), problems)


def make_moved(archive: Archive, slug: str) -> Result:
    """What stands at a NAME that issues had before: the way to the one that had it last."""
    if archive.issue(slug) is not None or slug in archive.withdrawn_slugs:
        return Result(())
    ids = [id_ for (id_,) in archive.index.rows("SELECT id FROM former WHERE slug = ?", slug)]
    records = [r for r in archive.index.records(ids).values() if slug in r.former]
    found = [record for record in records if record.withdrawn or _is_there(archive, record)]
    if not found:
        return Result(())
    last = max(found, key=lambda r: (r.moved or r.published, r.id))
    return Result(tuple(_moved_pages(archive, slug, last)))


def _is_there(archive: Archive, record: Record) -> bool:
    issue = archive.issue(record.slug)
    return issue is not None and issue.id == record.id


def _moved_pages(archive: Archive, slug: str, record: Record) -> list[Output]:
    context, urls = archive.context, archive.setting.urls
    page = f"issues/{slug}/index.html"
    if record.withdrawn:
        language = archive.setting.publication.language
        tombstone = render_tombstone(context, "issue", record.withdrawn, record.reason, language)
        return [Output(page, tombstone)]
    issue = archive.issue(record.slug)
    assert issue is not None  # noqa: S101 - or else it would not have been found
    language = language_of(issue, archive.setting.publication)
    link = archive.link_issue(issue)
    label = archive.setting.words(language).issue_label.format(title=link.title, day=link.day)
    # Messages that were sent link to themselves on the web, and to what was changed since.
    places = [(page, link.url), (f"issues/{slug}/email.html", urls.message(record.slug))]
    if is_changed(archive.index, issue):
        places.append((f"issues/{slug}/changes/index.html", urls.changes(record.slug)))
    return [Output(path, render_moved(context, url, label, language)) for path, url in places]
