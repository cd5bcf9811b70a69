"""An extension of feedgen 1.0.0 that mends its faults and adds what it lacks.

Mended: the links of an Atom entry lose their rel and type (its issues 135 and 143); RSS drops all
links of a channel but rel=self. Added: RFC 5005's mark of an archive document, RFC 6721's deleted
entries, the language of an entry, the time of an item's last change, and titles in RSS that survive
readers which take them for HTML. Every default that reads the clock is overwritten.
"""

import re
from datetime import datetime
from typing import Any

from feedgen.feed import FeedGenerator
from lxml import etree

from publisher.model.feed import Deletion, Entry, Feed
from publisher.render.feed_values import in_seconds, media_type_of

Link = dict[str, str]

_ATOM = "http://www.w3.org/2005/Atom"
_HISTORY = "http://purl.org/syndication/history/1.0"
_TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"

# RSS elements of plain text that some readers take for HTML all the same.
_PLAIN = {"title", "description", "copyright", "category"}
_MARKUP = re.compile("([&<])")
# Hexadecimal, as the RSS Advisory Board's profile wants "Character Data" written.
_REFERENCES = {"&": "#x26", "<": "#x3C"}


class FeedExtension:
    """The feed's half: `links` are those that feedgen does not write itself."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.is_archive = False
        self.deletions: tuple[Deletion, ...] = ()

    def extend_ns(self) -> dict[str, str]:
        history = {"fh": _HISTORY} if self.is_archive else {}
        return history | ({"at": _TOMBSTONES} if self.deletions else {})

    def extend_atom(self, feed: Any) -> Any:
        self._mark(feed)
        for each in self.deletions:
            when = in_seconds(each.when).isoformat()
            deleted = etree.SubElement(
                feed, f"{{{_TOMBSTONES}}}deleted-entry", {"ref": each.id, "when": when}
            )
            if each.reason:
                etree.SubElement(deleted, f"{{{_TOMBSTONES}}}comment").text = each.reason
        return feed

    def extend_rss(self, rss: Any) -> Any:
        channel = rss[0]
        for link in self.links:
            etree.SubElement(channel, f"{{{_ATOM}}}link", link)
        self._mark(channel)
        for element in channel:
            # An item's description is HTML, and feedgen adds the items later.
            _respell(element)
        for title in channel.iterfind("image/title"):
            _respell(title)
        return rss

    def _mark(self, parent: Any) -> None:
        if self.is_archive:
            etree.SubElement(parent, f"{{{_HISTORY}}}archive")


class EntryExtension:
    """The entry's half. `links` are all links of an Atom entry, in the order feedgen was told."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.language = ""
        self.updated: datetime | None = None

    def extend_ns(self) -> dict[str, str]:
        return {}

    def extend_atom(self, entry: Any) -> Any:
        for element, link in zip(entry.findall("link"), self.links, strict=True):
            element.attrib.clear()
            element.attrib.update(link)
        if self.language:
            entry.set(_LANGUAGE, self.language)
        return entry

    def extend_rss(self, item: Any) -> Any:
        if self.updated is not None:
            # RSS has no element for it; without it a corrected item looks unchanged.
            etree.SubElement(item, f"{{{_ATOM}}}updated").text = self.updated.isoformat()
        for link in self.links:
            etree.SubElement(item, f"{{{_ATOM}}}link", link)
        for element in item:
            if element.tag != "description":
                _respell(element)
        return item


def start_generator(feed: Feed, links: list[Link], updated: datetime) -> FeedGenerator:
    """Begin a generator for one format with what both formats share; `links` ends with the page.

    feedgen takes the last link of a feed for the page, in RSS.
    """
    generator = FeedGenerator()
    generator.load_extension("dc", atom=False)
    generator.register_extension("ours", FeedExtension, EntryExtension)
    generator.ours.is_archive = feed.is_archive
    generator.id(feed.id)
    generator.title(feed.title)
    generator.link(links)
    # Set before anything else can: feedgen's default is the present time.
    generator.updated(updated)
    generator.generator("Publisher")
    generator.language(feed.language)
    if feed.rights:
        generator.rights(feed.rights)
    return generator


def start_entry(generator: FeedGenerator, entry: Entry, feed: Feed) -> Any:
    """Add an entry at the feed's end with what both formats share."""
    made = generator.add_entry(order="append")
    made.id(entry.id)
    made.title(entry.title)
    made.updated(in_seconds(entry.updated))
    if entry.tags:
        scheme = {"scheme": feed.tags_url} if feed.tags_url else {}
        made.category(
            [{"term": tag.slug, "label": tag.label or tag.slug, **scheme} for tag in entry.tags]
        )
    return made


def feed_links(feed: Feed) -> list[Link]:
    """Give the links of a feed to its hub (WebSub) and its archive (RFC 5005, section 4)."""
    targets = {
        "hub": feed.hub,
        "current": feed.current,
        "prev-archive": feed.previous,
        "next-archive": feed.following,
    }
    return [
        _link(url, rel, media_type_of(url.partition("?")[0])) for rel, url in targets.items() if url
    ]


def source_link(entry: Entry) -> list[Link]:
    """Give the link to the page that an entry's information is from (RFC 4287, 4.2.7.2: via).

    RSS's own `source` is no place for it: that names the feed an item was taken over from.
    """
    link = _link(entry.source_url, "via")
    return [link | ({"title": entry.source} if entry.source else {})] if entry.source_url else []


def _link(href: str, rel: str, type_: str = "") -> Link:
    return {"href": href, "rel": rel} | ({"type": type_} if type_ else {})


def _respell(element: Any) -> None:
    """Write `&` and `<` of a plain text as numeric references instead of named ones."""
    if element.tag not in _PLAIN or not _MARKUP.search(element.text or ""):
        return
    element.text, *rest = _MARKUP.split(element.text)
    for mark, tail in zip(rest[::2], rest[1::2], strict=True):
        reference = etree.Entity(_REFERENCES[mark])
        reference.tail = tail
        element.append(reference)
