"""Feed documents as they stand on the wire: nothing is decided here, that is each reader's affair.

What a document says of an entry is kept under the words of its own format, since readers differ in
which of them they take.
"""

import json
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec
from lxml import etree

_ATOM = "{http://www.w3.org/2005/Atom}"
_HISTORY = "{http://purl.org/syndication/history/1.0}"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"

Format = Literal["atom", "rss", "json"]


class NotAFeed(ValueError):
    """The bytes are no Atom, RSS or JSON Feed document."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `id` is Atom's id, RSS's guid or JSON Feed's id; `mark` is isPermaLink as written.

    `link` is where the entry itself is, `external` what it points to. Times are aware.
    """

    format: Format
    id: str = ""
    mark: str | None = None
    link: str = ""
    external: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A feed document; `previous` is the next older archive document (RFC 5005, section 4)."""

    format: Format
    items: tuple[Item, ...]
    link: str = ""
    previous: str = ""
    is_archive: bool = False


@lru_cache(maxsize=64)
def read_document(body: bytes) -> Document:
    """Read a document of any of the three formats. Raises NotAFeed."""
    try:
        return _read_json(body) if body.lstrip()[:1] == b"{" else _read_xml(body)
    except (etree.XMLSyntaxError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAFeed(str(error)) from error


def _read_xml(body: bytes) -> Document:
    root = _parse_xml(body)
    if root.tag == f"{_ATOM}feed":
        return _read_atom(root)
    if root.tag == "rss" and (channel := root.find("channel")) is not None:
        return _read_rss(channel)
    raise NotAFeed(f"<{root.tag}> is neither Atom nor RSS")


def _parse_xml(body: bytes) -> Any:
    """The document's root; of one that is not well-formed, what readers make of it."""
    safe = {"resolve_entities": False, "no_network": True}
    try:
        return etree.fromstring(body, etree.XMLParser(**safe))
    except etree.XMLSyntaxError:
        mended = etree.fromstring(body, etree.XMLParser(**safe, recover=True))
        if mended is None or not len(mended):
            raise
        return mended


def _read_atom(feed: Any) -> Document:
    return Document(
        format="atom",
        items=tuple(_read_entry(entry) for entry in feed.iterfind(f"{_ATOM}entry")),
        link=_link(feed, "alternate"),
        previous=_link(feed, "prev-archive"),
        is_archive=feed.find(f"{_HISTORY}archive") is not None,
    )


def _read_entry(entry: Any) -> Item:
    authors = entry.iterfind(f"{_ATOM}author/{_ATOM}name")
    return Item(
        format="atom",
        id=_text(entry, f"{_ATOM}id"),
        link=_link(entry, "alternate"),
        external=_link(entry, "related"),
        title=_text(entry, f"{_ATOM}title"),
        summary=_text(entry, f"{_ATOM}summary"),
        content=_text(entry, f"{_ATOM}content"),
        published=_iso(_text(entry, f"{_ATOM}published")),
        updated=_iso(_text(entry, f"{_ATOM}updated")),
        authors=tuple(name.text or "" for name in authors),
        tags=tuple(
            tag.get("label") or tag.get("term", "") for tag in entry.iterfind(f"{_ATOM}category")
        ),
    )


def _read_rss(channel: Any) -> Document:
    return Document(
        format="rss",
        items=tuple(_read_item(item) for item in channel.iterfind("item")),
        link=_text(channel, "link"),
        previous=_link(channel, "prev-archive"),
        is_archive=channel.find(f"{_HISTORY}archive") is not None,
    )


def _read_item(item: Any) -> Item:
    guid = item.find("guid")
    return Item(
        format="rss",
        id=_text(item, "guid"),
        mark=None if guid is None else guid.get("isPermaLink"),
        link=_text(item, "link"),
        title=_text(item, "title"),
        summary=_text(item, "description"),
        content=_text(item, _CONTENT),
        published=_rfc822(_text(item, "pubDate")),
        updated=_iso(_text(item, f"{_ATOM}updated")),
        authors=tuple(name.text or "" for name in item.iterfind(_CREATOR)),
        tags=tuple(tag.text or "" for tag in item.iterfind("category")),
    )


def _read_json(body: bytes) -> Document:
    feed = json.loads(body)
    if "jsonfeed.org/version/1" not in feed["version"]:
        raise NotAFeed(f"{feed['version']!r} is no version of JSON Feed")
    items = tuple(_read_json_item(item) for item in feed["items"])
    return Document(format="json", items=items, link=feed.get("home_page_url") or "")


def _read_json_item(item: dict[str, Any]) -> Item:
    def word(name: str) -> str:
        return str(item.get(name) or "")

    # `author` is of version 1.0.
    authors = item.get("authors") or [item.get("author") or {}]
    return Item(
        format="json",
        id=word("id").strip(),
        link=word("url"),
        external=word("external_url"),
        title=word("title"),
        summary=word("summary"),
        content=word("content_html") or word("content_text"),
        published=_iso(word("date_published")),
        updated=_iso(word("date_modified")),
        authors=tuple(author["name"] for author in authors if author.get("name")),
        tags=tuple(item.get("tags") or ()),
    )


def _text(parent: Any, tag: str) -> str:
    found = parent.find(tag)
    return "" if found is None else "".join(found.itertext()).strip()


def _link(parent: Any, rel: str) -> str:
    for link in parent.iterfind(f"{_ATOM}link"):
        if link.get("rel", "alternate") == rel:
            return str(link.get("href", ""))
    return ""


def _iso(written: str) -> datetime | None:
    with suppress(ValueError):
        return _aware(datetime.fromisoformat(written))
    return None


def _rfc822(written: str) -> datetime | None:
    with suppress(ValueError):
        return _aware(parsedate_to_datetime(written))
    return None


def _aware(moment: datetime) -> datetime:
    """RFC 2822's `-0000` and what has no offset: readers take it for UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
