"""RSS (0.9x, 1.0 and 2.0) and Atom (RFC 4287, and 0.3) as trees -> feeds."""

from collections.abc import Iterator
from html import escape
from typing import Any

from lxml import etree

from publisher.sources.addresses import absolute_url
from publisher.sources.dates import read_date
from publisher.sources.model import Entry, Feed
from publisher.sources.words import (
    MOST_CONTENT,
    TITLE_CHARACTERS,
    clean,
    clean_title,
    read_html,
    summarise,
)

# Of a feed with more, these stand first, and feeds have what is newest first.
MOST_ENTRIES = 300

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# By the beginning of their namespace, or by the prefix where a feed forgot to declare it.
_MODULES = {
    "http://purl.org/dc/": "dc",
    "http://purl.org/rss/1.0/modules/content": "content",
    "http://www.w3.org/2005/atom": "atom",
    "http://rssnamespace.org/feedburner": "feedburner",
}
_RSS = ("http://purl.org/rss/1.0/", "http://my.netscape.com/", "http://backend.userland.com/")

Parts = dict[str, list[Any]]


def local_name(element: Any) -> str:
    """An element's name without its namespace; empty where it is no element."""
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2] if isinstance(tag, str) else ""


def read_rss(root: Any) -> Feed:
    channel = next((each for each in root if local_name(each) == "channel"), root)
    about = _parts(channel)
    language = _text(about, "language", "dc:language") or root.get(_LANGUAGE, "")
    items = _first(root, "item")
    entries = [entry for item in items if (entry := _read_rss_item(item, language))]
    return Feed(
        title=clean_title(_text(about, "title")),
        entries=tuple(entries),
        unusable=len(items) - len(entries),
    )


def _read_rss_item(item: Any, language: str) -> Entry | None:
    parts = _parts(item)
    content = _markup(parts, "description", "content:encoded", "atom:summary", "atom:content")
    return _make_entry(
        title=clean_title(_markup(parts, "title", "dc:title")),
        url=_find_rss_link(item, parts),
        content=content,
        date=_text(parts, "pubDate", "dc:date", "atom:published", "atom:updated", "date"),
        language=_text(parts, "dc:language", "language") or item.get(_LANGUAGE, "") or language,
        source=clean(_text(parts, "source")),
        categories=tuple(_each_text(parts, "category", "dc:subject")),
    )


def _find_rss_link(item: Any, parts: Parts) -> str:
    """What an item leads to: its permanent link, where a service has put its own before it."""
    written = [_text(parts, "feedburner:origLink"), _text(parts, "link")]
    written += [each.get("href", "") for each in parts.get("atom:link", []) if _is_page(each)]
    written += [each.get("href", "") for each in parts.get("link", [])]
    guids = parts.get("guid", [])
    written += [each.text or "" for each in guids if each.get("isPermaLink", "true") != "false"]
    base = _base(item)
    return next((url for each in written if each.strip() and (url := absolute_url(base, each))), "")


def read_atom(root: Any) -> Feed:
    items = _first(root, "entry")
    language = root.get(_LANGUAGE, "")
    entries = [entry for item in items if (entry := _read_atom_entry(item, language))]
    return Feed(
        title=_atom_words(_parts(root).get("title", [])),
        entries=tuple(entries),
        unusable=len(items) - len(entries),
    )


def _read_atom_entry(item: Any, language: str) -> Entry | None:
    parts = _parts(item)
    titles = parts.get("title", [])
    links = [each for each in parts.get("link", []) if _is_page(each)]
    best = [each for each in links if each.get("type", "text/html") == "text/html"]
    url = next((absolute_url(_base(e), e.get("href", "")) for e in (*best, *links)), "")
    content, is_plain = _atom_content(parts.get("summary", []) + parts.get("content", []))
    origin = parts.get("source", [])
    own = titles[0].get(_LANGUAGE, "") if titles else ""
    return _make_entry(
        title=_atom_words(titles),
        url=url or absolute_url(_base(item), _text(parts, "id")),
        content=content,
        is_plain=is_plain,
        date=_text(parts, "published", "issued", "updated", "modified", "created"),
        language=own or item.get(_LANGUAGE, "") or language,
        source=_atom_words(_parts(origin[0]).get("title", [])) if origin else "",
        categories=tuple(
            each.get("label") or each.get("term") or "" for each in parts.get("category", [])
        ),
    )


def _atom_words(elements: list[Any]) -> str:
    """A text construct on one line (RFC 4287, section 3.1), with what some call `text` mended."""
    if not elements:
        return ""
    element, kind = elements[0], elements[0].get("type", "text")
    if kind in ("html", "text/html"):
        return clean_title(_inner(element))
    if kind in ("xhtml", "application/xhtml+xml") or len(element):
        words = " ".join(read_html(_inner(element)))
    else:
        words = clean(element.text or "")
    return words[:TITLE_CHARACTERS]


def _atom_content(elements: list[Any]) -> tuple[str, bool]:
    """The first content in words, and whether it is plain text."""
    for element in elements:
        kind = element.get("type", "text").lower()
        is_markup = kind in ("html", "xhtml", "text/html", "application/xhtml+xml")
        if (is_markup or kind.startswith("text")) and (text := _inner(element)).strip():
            return text, not is_markup and not len(element)
    return "", True


def _make_entry(
    *,
    title: str,
    url: str,
    content: str,
    date: str,
    language: str,
    source: str,
    categories: tuple[str, ...],
    is_plain: bool = False,
) -> Entry | None:
    """An entry; None where it leads nowhere, or nothing says what it is about."""
    # What is posted without a title is called by how it begins.
    title = title or summarise(content, TITLE_CHARACTERS // 2, is_plain=is_plain)
    if not title or not url:
        return None
    return Entry(
        title=title,
        url=url,
        content=content[:MOST_CONTENT],
        is_plain=is_plain,
        date=read_date(date),
        language=language,
        source=source,
        categories=categories,
    )


def _first(root: Any, name: str) -> list[Any]:
    """The first elements of a name, wherever a damaged feed has them."""
    found = []
    for element in root.iter(etree.Element):
        if local_name(element) == name:
            found.append(element)
            if len(found) == MOST_ENTRIES:
                break
    return found


def _parts(element: Any) -> Parts:
    """An element's children by their names, those of modules with a prefix."""
    parts: Parts = {}
    for child in element:
        if isinstance(child.tag, str):
            parts.setdefault(_name(child.tag, element.tag), []).append(child)
    return parts


def _name(tag: str, above: str) -> str:
    space, _, local = tag.rpartition("}")
    space = space[1:].lower()
    if not space or space.startswith(_RSS) or tag.startswith(f"{above.rpartition('}')[0]}}}"):
        return local
    module = next((name for start, name in _MODULES.items() if space.startswith(start)), "other")
    return f"{module}:{local}"


def _text(parts: Parts, *names: str) -> str:
    """The text of the first element that has one."""
    return next(_each_text(parts, *names), "")


def _each_text(parts: Parts, *names: str) -> Iterator[str]:
    for name in names:
        for element in parts.get(name, []):
            if text := "".join(element.itertext()).strip():
                yield text


def _markup(parts: Parts, *names: str) -> str:
    """The HTML in the first element that has any, escaped or (which is wrong) not."""
    found = (_inner(element) for name in names for element in parts.get(name, []))
    return next((text for text in found if text.strip()), "")


def _inner(element: Any) -> str:
    """What is inside an element: its text, or its markup where it has elements."""
    text = element.text or ""
    if not len(element):
        return text
    return escape(text) + "".join(
        etree.tostring(child, encoding="unicode", method="html") for child in element
    )


def _is_page(link: Any) -> bool:
    return bool(link.get("href")) and link.get("rel", "alternate") == "alternate"


def _base(element: Any) -> str:
    """What its links are relative to: `xml:base`, and at last where the feed is."""
    return element.base or ""
