"""Feed -> RSS 2.0, with what Atom, Dublin Core and RFC 5005 add to it."""

from html import escape
from typing import Any

from publisher.model.feed import Entry, Feed
from publisher.render.feed_extension import (
    feed_links,
    source_link,
    start_entry,
    start_generator,
)
from publisher.render.feed_values import (
    RSS,
    drop_forbidden,
    in_half_hours,
    in_seconds,
    is_foreign,
    named_authors,
)

# The only kinds of picture that RSS 2.0 knows.
_PICTURES = (".gif", ".jpeg", ".jpg", ".png")


def render_rss(feed: Feed) -> bytes:
    """Render an RSS 2.0 document in UTF-8."""
    feed = drop_forbidden(feed)
    itself = {"href": f"{feed.stem}.rss", "rel": "self", "type": RSS}
    links = [itself, {"href": feed.url, "rel": "alternate"}]
    generator = start_generator(feed, links, in_half_hours(feed.updated))
    generator.ours.links = feed_links(feed)
    generator.description(feed.description or feed.title)
    generator.dc.dc_creator([author.name for author in named_authors(feed.authors, feed.title)])
    if feed.logo.lower().endswith(_PICTURES):
        generator.logo(feed.logo)
    for entry in feed.entries:
        _add_item(start_entry(generator, entry, feed), entry, feed)
    written: bytes = generator.rss_str(pretty=True)
    return written


def _add_item(made: Any, entry: Entry, feed: Feed) -> None:
    made.link(href=entry.url)
    made.published(in_half_hours(entry.published))
    made.ours.updated = in_seconds(entry.updated)
    made.ours.links = source_link(entry)
    # RSS's own author must be an e-mail address; a name goes into Dublin Core.
    made.dc.dc_creator([author.name for author in entry.authors])
    # Every reader takes a description for HTML. It must come before the content.
    made.description(escape(entry.summary or entry.title, quote=False), isSummary=True)
    if entry.content:
        made.content(entry.content)
    if is_foreign(entry.language, feed):
        made.dc.dc_language(entry.language)
