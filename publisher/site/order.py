"""What stands where: issues in time, highlights in an issue, a tag's pages, the sitemap's parts."""

from publisher.model.issue import Highlight, Issue, Tag
from publisher.site.index import Index

# Highlights on one page of a tag. Pages are numbered from the oldest, so that a full one stays as
# it is; the tag's first page has what is left, at least this many once there are that many.
TAG_PAGE = 50
# Above this many URLs the sitemap is split by year (the protocol allows 50,000).
_SITEMAP_URLS = 2_000


def places(issue: Issue) -> list[tuple[int, Highlight]]:
    """Highlights with their places, from 1."""
    return list(enumerate(issue.highlights, 1))


def effective_tags(highlight: Highlight, issue: Issue) -> tuple[Tag, ...]:
    """A highlight's tags and its issue's, which hold for all that stands in it."""
    own = {tag.slug for tag in highlight.tags}
    return (*highlight.tags, *(tag for tag in issue.tags if tag.slug not in own))


def neighbour_slugs(index: Index, slug: str) -> tuple[str, str]:
    """NAMEs of the next newer and the next older issue; empty where there is none."""
    moment = index.value("SELECT moment FROM file WHERE slug = ? AND is_live = 1", slug)
    if moment is None:
        return "", ""
    return around(index, moment, slug)


def around(index: Index, moment: int, slug: str) -> tuple[str, str]:
    """NAMEs of the issues next to a place in the archive's order."""
    newer = index.value(
        "SELECT slug FROM file WHERE is_live = 1 AND (moment, slug) > (?, ?)"
        " ORDER BY moment, slug LIMIT 1",
        moment,
        slug,
    )
    older = index.value(
        "SELECT slug FROM file WHERE is_live = 1 AND (moment, slug) < (?, ?)"
        " ORDER BY moment DESC, slug DESC LIMIT 1",
        moment,
        slug,
    )
    return newer or "", older or ""


def full_tag_pages(count: int) -> int:
    """How many full pages stand behind a tag's first page, which keeps 50 to 99 highlights."""
    return max(0, count // TAG_PAGE - 1)


def is_sitemap_split(index: Index) -> bool:
    count = index.value("SELECT COUNT(*) FROM ident WHERE is_live = 1")
    return int(count) > _SITEMAP_URLS
