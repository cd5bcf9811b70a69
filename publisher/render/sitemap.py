"""URLs -> sitemaps (sitemaps.org, protocol 0.9) and robots.txt (RFC 9309)."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from markupsafe import escape

from publisher.render.feed_values import in_seconds

# The protocol's limit for one sitemap, and for one index of sitemaps.
URLS_LIMIT = 50_000

# Pages that stand for one reader; their addresses hold that reader's token.
_PRIVATE = ("confirm/", "unsubscribe/", "preferences/", "address/")

Places = Sequence[tuple[str, datetime | None]]


def render_sitemap(urls: Places) -> bytes:
    """Render a sitemap in UTF-8 of (URL, time of its last change or None).

    Raises ValueError above the protocol's limit: what is larger is split, under an index.
    """
    return _render("urlset", "url", urls)


def render_sitemap_index(sitemaps: Places) -> bytes:
    """Render an index in UTF-8 of (URL of a sitemap, time of its last change or None)."""
    return _render("sitemapindex", "sitemap", sitemaps)


def render_robots(sitemap_url: str) -> bytes:
    """Render a robots.txt that allows everything but the pages with a reader's token."""
    closed = [urlsplit(urljoin(sitemap_url, name)).path for name in _PRIVATE]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    return "\n".join([*lines, "", f"Sitemap: {sitemap_url}", ""]).encode()


def _render(root: str, element: str, places: Places) -> bytes:
    if len(places) > URLS_LIMIT:
        raise ValueError(f"{len(places)} URLs, more than a sitemap may have ({URLS_LIMIT})")
    lines = [
        f"<{element}><loc>{escape(url)}</loc>"
        + (f"<lastmod>{in_seconds(changed).isoformat()}</lastmod>" if changed else "")
        + f"</{element}>\n"
        for url, changed in places
    ]
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    namespace = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'{head}<{root} xmlns="{namespace}">\n{"".join(lines)}</{root}>\n'.encode()
