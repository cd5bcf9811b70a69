"""Feed -> Atom (RFC 4287), with archive documents (RFC 5005) and deleted entries (RFC 6721)."""

from typing import Any

from publisher.model.feed import Entry, Feed
from publisher.render.feed_extension import (
    Link,
    feed_links,
    source_link,
    start_entry,
    start_generator,
)
from publisher.render.feed_values import (
    ATOM,
    drop_forbidden,
    in_seconds,
    is_foreign,
    named_authors,
)


def render_atom(feed: Feed) -> bytes:
    """Render an Atom document in UTF-8."""
    feed = drop_forbidden(feed)
    page = {"href": feed.url, "rel": "alternate", "type": "text/html"}
    itself = {"href": f"{feed.stem}.atom", "rel": "self", "type": ATOM}
    links = [itself, *feed_links(feed), page]
    generator = start_generator(feed, links, in_seconds(feed.updated))
    generator.author([{"name": author.name} for author in named_authors(feed.authors, feed.title)])
    generator.ours.deletions = feed.deletions
    if feed.description:
        generator.subtitle(feed.description)
    if feed.logo:
        generator.logo(feed.logo)
    for entry in feed.entries:
        _add_entry(start_entry(generator, entry, feed), entry, feed)
    written: bytes = generator.atom_str(pretty=True)
    return written


def _add_entry(made: Any, entry: Entry, feed: Feed) -> None:
    links: list[Link] = [
        {"href": entry.url, "rel": "alternate", "type": "text/html"},
        *source_link(entry),
    ]
    made.link([dict(link) for link in links])
    made.ours.links = links
    made.published(in_seconds(entry.published))
    if entry.authors:
        made.author([{"name": author.name} for author in entry.authors])
    if entry.summary:
        made.summary(entry.summary)
    if entry.content:
        made.content(entry.content, type="html")
    if is_foreign(entry.language, feed):
        made.ours.language = entry.language
