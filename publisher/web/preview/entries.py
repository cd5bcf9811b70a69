"""An Atom document -> its entries as a feed reader shows them (RFC 4287)."""

from collections.abc import Collection

import msgspec
from lxml import etree
from markupsafe import Markup

from publisher.model.language import direction
from publisher.web.preview.rewrite import localise, stay_on_page

_NAMES = {"a": "http://www.w3.org/2005/Atom"}
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class FeedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry; times stand as the feed writes them, `content` is its HTML."""

    id: str
    title: str
    url: str
    source_url: str
    published: str
    updated: str
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    language: str
    direction: str
    summary: str
    content: Markup


def read_entries(document: bytes, urls: Collection[str], base: str) -> list[FeedEntry]:
    """Read those entries of a feed that link to one of `urls`, in its order.

    Links and images in their content that begin with `base` lead to this server.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    feed = etree.fromstring(document, parser)
    language = feed.get(_LANGUAGE, "")
    entries = (_entry(element, language, base) for element in feed.iterfind("a:entry", _NAMES))
    return [entry for entry in entries if entry.url in urls]


def _entry(element: etree._Element, feed_language: str, base: str) -> FeedEntry:
    language = element.get(_LANGUAGE) or feed_language
    content = localise(_text(element, "content"), base)
    return FeedEntry(
        id=_text(element, "id"),
        title=_text(element, "title"),
        url=_link(element, "alternate"),
        source_url=_link(element, "via"),
        published=_text(element, "published"),
        updated=_text(element, "updated"),
        authors=tuple(e.text or "" for e in element.iterfind("a:author/a:name", _NAMES)),
        tags=tuple(e.get("label") or e.get("term", "") for e in _all(element, "category")),
        language=language,
        direction=direction(language),
        summary=_text(element, "summary"),
        content=Markup(stay_on_page(content, "")),  # noqa: S704 - shown without scripts, sandboxed
    )


def _all(element: etree._Element, name: str) -> list[etree._Element]:
    return list(element.iterfind(f"a:{name}", _NAMES))


def _text(element: etree._Element, name: str) -> str:
    return str(element.findtext(f"a:{name}", "", _NAMES))


def _link(element: etree._Element, relation: str) -> str:
    links = (link for link in _all(element, "link") if link.get("rel", "alternate") == relation)
    return next((link.get("href", "") for link in links), "")
