"""Feed documents read back, each format by its own rules, into one shape that can be compared."""

import json
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from html import unescape
from typing import Any, NamedTuple

from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
XML = "{http://www.w3.org/XML/1998/namespace}"


class ReadEntry(NamedTuple):
    """An entry as a reader understands it; empty is what the format leaves out."""

    id: str
    url: str
    title: str
    summary: str
    content: str
    source_url: str
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    language: str
    published: datetime
    updated: datetime


class ReadFeed(NamedTuple):
    title: str
    url: str
    self_url: str
    hub: str
    description: str
    logo: str
    authors: tuple[str, ...]
    language: str
    entries: tuple[ReadEntry, ...]


def read_atom(document: bytes) -> ReadFeed:
    feed = etree.fromstring(document)
    return ReadFeed(
        title=_text(feed, f"{ATOM}title"),
        url=_href(feed, "alternate"),
        self_url=_href(feed, "self"),
        hub=_href(feed, "hub"),
        description=_text(feed, f"{ATOM}subtitle"),
        logo=_text(feed, f"{ATOM}logo"),
        authors=_texts(feed, f"{ATOM}author/{ATOM}name"),
        language=feed.get(f"{XML}lang", ""),
        entries=tuple(_read_entry(entry) for entry in feed.iterfind(f"{ATOM}entry")),
    )


def _read_entry(entry: Any) -> ReadEntry:
    return ReadEntry(
        id=_text(entry, f"{ATOM}id"),
        url=_href(entry, "alternate"),
        title=_text(entry, f"{ATOM}title"),
        summary=_text(entry, f"{ATOM}summary"),
        content=_text(entry, f"{ATOM}content[@type='html']"),
        source_url=_href(entry, "via"),
        authors=_texts(entry, f"{ATOM}author/{ATOM}name"),
        tags=tuple(each.get("label") for each in entry.iterfind(f"{ATOM}category")),
        language=entry.get(f"{XML}lang", ""),
        published=datetime.fromisoformat(_text(entry, f"{ATOM}published")),
        updated=datetime.fromisoformat(_text(entry, f"{ATOM}updated")),
    )


def read_rss(document: bytes) -> ReadFeed:
    channel = etree.fromstring(document).find("channel")
    return ReadFeed(
        title=_text(channel, "title"),
        url=_text(channel, "link"),
        self_url=_href(channel, "self"),
        hub=_href(channel, "hub"),
        description=_text(channel, "description"),
        logo=_text(channel, "image/url"),
        authors=_texts(channel, f"{DC}creator"),
        language=_text(channel, "language"),
        entries=tuple(_read_item(item) for item in channel.iterfind("item")),
    )


def _read_item(item: Any) -> ReadEntry:
    return ReadEntry(
        id=_text(item, "guid[@isPermaLink='false']"),
        url=_text(item, "link"),
        title=_text(item, "title"),
        summary=unescape(_text(item, "description")),
        content=_text(item, f"{CONTENT}encoded"),
        source_url=_href(item, "via"),
        authors=_texts(item, f"{DC}creator"),
        tags=_texts(item, "category"),
        language=_text(item, f"{DC}language"),
        published=parsedate_to_datetime(_text(item, "pubDate")),
        updated=datetime.fromisoformat(_text(item, f"{ATOM}updated")),
    )


def read_json(document: bytes) -> ReadFeed:
    feed = json.loads(document)
    return ReadFeed(
        title=feed["title"],
        url=feed["home_page_url"],
        self_url=feed["feed_url"],
        hub=next((hub["url"] for hub in feed.get("hubs", [])), ""),
        description=feed.get("description", ""),
        logo=feed.get("icon", ""),
        authors=tuple(author["name"] for author in feed["authors"]),
        language=feed["language"],
        entries=tuple(map(_read_json_item, feed["items"])),
    )


def _read_json_item(item: dict[str, Any]) -> ReadEntry:
    return ReadEntry(
        id=item["id"],
        url=item["url"],
        title=item["title"],
        summary=item["summary"],
        content=item.get("content_html", ""),
        source_url=item.get("external_url", ""),
        authors=tuple(author["name"] for author in item["authors"]),
        tags=tuple(item.get("tags", [])),
        language=item.get("language", ""),
        published=datetime.fromisoformat(item["date_published"]),
        updated=datetime.fromisoformat(item["date_modified"]),
    )


READERS = {"atom": read_atom, "rss": read_rss, "json": read_json}


def links(parent: Any) -> Iterator[dict[str, str]]:
    """The Atom links right below an element, as their attributes."""
    for link in parent.iterfind(f"{ATOM}link"):
        yield dict(link.attrib)


def _href(parent: Any, rel: str) -> str:
    # Atom: without rel, a link is the alternate one (RFC 4287, section 4.2.7.2).
    return next((each["href"] for each in links(parent) if each.get("rel", "alternate") == rel), "")


def _text(parent: Any, path: str) -> str:
    element = parent.find(path)
    return "" if element is None else "".join(element.itertext())


def _texts(parent: Any, path: str) -> tuple[str, ...]:
    return tuple("".join(element.itertext()) for element in parent.iterfind(path))


class Document:
    """A feed of one format; `url` is where it is to be found."""

    def __init__(self, kind: str, raw: bytes, url: str) -> None:
        self.kind, self.raw, self.url = kind, raw, url

    @cached_property
    def root(self) -> Any:
        return json.loads(self.raw) if self.kind == "json" else etree.fromstring(self.raw)

    @cached_property
    def feed(self) -> Any:
        return self.root.find("channel") if self.kind == "rss" else self.root

    @cached_property
    def entries(self) -> list[Any]:
        if self.kind == "json":
            return list(self.root["items"])
        return list(self.feed.iterfind(f"{ATOM}entry" if self.kind == "atom" else "item"))

    def values(self, atom: str, rss: str, json_key: str) -> list[str]:
        """One value of each entry that has it."""
        if self.kind == "json":
            return [item[json_key] for item in self.entries if json_key in item]
        path = atom if self.kind == "atom" else rss
        return [e.findtext(path) for e in self.entries if e.find(path) is not None]

    def links(self) -> list[Any]:
        return [] if self.kind == "json" else list(self.root.iter(f"{ATOM}link"))

    def contents(self) -> list[str]:
        return self.values(f"{ATOM}content", f"{CONTENT}encoded", "content_html")
