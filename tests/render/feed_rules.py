"""Checks of a feed document: the rules of the W3C feed validator and of JSON Feed that matter here.

Each rule has a name and looks at the document as bytes and as a tree, since some faults (a named
reference where a numeric one is needed) are lost by parsing. `check` gives what is broken, as
(rule, what was found). Written after what the validator's documentation says of each message.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import NamedTuple

from babel import Locale
from lxml import etree

from tests.render.feed_documents import ATOM, CONTENT, DC, HISTORY, XML, Document
from tests.render.feed_html import Content

_TAG_URI = re.compile(
    r"tag:([a-z0-9._-]+@)?[a-z0-9.-]+,\d{4}(-\d\d(-\d\d)?)?:[\w;/?:@&=+$.!~*'()%,-]*", re.ASCII
)
_ABSOLUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:(//)?[\w;/?:@&=+$.!~*'()%,#-]+", re.ASCII)
_DATE_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# Offsets other than whole and half hours are flagged: not every reader knows them.
_DATE_822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d (GMT|[+-]\d\d[03]0)"
)
_LANGUAGE = re.compile(r"([a-zA-Z]{2,3})(-[a-zA-Z0-9]{1,8})*")
_RELATIONS = {"alternate", "self", "hub", "via", "related", "enclosure"}
_HISTORY_RELATIONS = {"current", "prev-archive", "next-archive"}


class Fault(NamedTuple):
    rule: str
    found: str


Rule = Callable[[Document], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    RULES[function.__name__.replace("_", "-")] = function
    return function


def check(kind: str, raw: bytes, url: str) -> list[Fault]:
    """Hold a document against all rules; one that cannot be read at all breaks the first ones."""
    document = Document(kind, raw, url)
    for name in ("unreadable", "root-wrong"):
        if faults := [Fault(name, found) for found in RULES[name](document)]:
            return faults
    return [Fault(name, found) for name, each in RULES.items() for found in each(document)]


@rule
def unreadable(document: Document) -> Iterator[str]:
    try:
        _ = document.raw.decode("utf-8"), document.root
    except (ValueError, etree.XMLSyntaxError) as error:
        yield str(error)


@rule
def root_wrong(document: Document) -> Iterator[str]:
    if document.kind == "atom" and document.root.tag != f"{ATOM}feed":
        yield document.root.tag
    if document.kind == "rss" and document.root.get("version") != "2.0":
        yield str(document.root.get("version"))
    if (
        document.kind == "json"
        and document.root.get("version") != "https://jsonfeed.org/version/1.1"
    ):
        yield str(document.root.get("version"))


_NEEDED: dict[str, tuple[list[str], list[str]]] = {
    "atom": (
        [f"{ATOM}{name}" for name in ("id", "title", "updated")],
        [f"{ATOM}{name}" for name in ("id", "title", "updated", "summary")],
    ),
    "rss": (["title", "link", "description", "language"], ["title", "guid", "link", "description"]),
    "json": (["title", "home_page_url", "feed_url", "language"], ["id", "url", "title", "summary"]),
}


@rule
def element_missing(document: Document) -> Iterator[str]:
    for needed, parents in zip(
        _NEEDED[document.kind], ([document.feed], document.entries), strict=True
    ):
        for parent in parents:
            for name in needed:
                value = parent.get(name) if document.kind == "json" else parent.findtext(name)
                if not (value or "").strip():
                    yield name
    if document.kind == "json":
        for item in document.entries:
            if not item.get("content_html") and not item.get("content_text"):
                yield "content_html or content_text"


@rule
def author_missing(document: Document) -> Iterator[str]:
    path = f"{ATOM}author/{ATOM}name" if document.kind == "atom" else f"{DC}creator"
    for parent in (document.feed, *document.entries):
        if document.kind == "json":
            names = [author.get("name") for author in parent.get("authors", [])]
        else:
            names = [element.text for element in parent.iterfind(path)]
        if not names or not all(names):
            yield str(names)


@rule
def element_repeated(document: Document) -> Iterator[str]:
    many = {f"{ATOM}{name}" for name in ("author", "link", "category", "entry")}
    many |= {"item", "category", f"{DC}creator"}
    for parent in (document.feed, *document.entries) if document.kind != "json" else ():
        names = [child.tag for child in parent if child.tag not in many]
        yield from {name for name in names if names.count(name) > 1}


@rule
def metadata_after_entries(document: Document) -> Iterator[str]:
    if document.kind != "json" and document.entries:
        first = document.feed.index(document.entries[0])
        children = document.feed[first:]
        yield from (child.tag for child in children if child.tag != document.entries[0].tag)


@rule
def date_invalid(document: Document) -> Iterator[str]:
    stamps = document.values(f"{ATOM}updated", f"{ATOM}updated", "date_modified")
    stamps += document.values(f"{ATOM}published", "none", "date_published")
    if document.kind == "atom":
        stamps.append(document.feed.findtext(f"{ATOM}updated"))
    yield from (stamp for stamp in stamps if not _is_3339(stamp))
    dates = document.values("none", "pubDate", "none")
    if document.kind == "rss":
        dates.append(document.feed.findtext("lastBuildDate"))
    yield from (date for date in dates if not _is_822(date))


def _is_3339(stamp: str) -> bool:
    try:
        return bool(_DATE_3339.fullmatch(stamp) and datetime.fromisoformat(stamp))
    except ValueError:
        return False


def _is_822(date: str) -> bool:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return False
    return bool(_DATE_822.fullmatch(date)) and f"{moment:%a}" == date[:3]


@rule
def id_repeated(document: Document) -> Iterator[str]:
    ids = document.values(f"{ATOM}id", "guid", "id")
    yield from {id_ for id_ in ids if ids.count(id_) > 1}


@rule
def updated_repeated(document: Document) -> Iterator[str]:
    stamps = document.values(f"{ATOM}updated", f"{ATOM}updated", "date_modified")
    yield from {stamp for stamp in stamps if stamps.count(stamp) > 1}


@rule
def entries_out_of_order(document: Document) -> Iterator[str]:
    """Newest issue first: inside an issue, entries are seconds apart and run the other way."""
    written = document.values(f"{ATOM}published", "pubDate", "date_published")
    read = parsedate_to_datetime if document.kind == "rss" else datetime.fromisoformat
    if not any(date_invalid(document)):
        moments = [read(each) for each in written]
        for former, latter in pairwise(moments):
            if (latter - former).total_seconds() > 3600:
                yield f"{latter} after {former}"


@rule
def feed_older_than_entries(document: Document) -> Iterator[str]:
    if document.kind == "json" or any(date_invalid(document)):
        return
    stamps = document.values(f"{ATOM}updated", f"{ATOM}updated", "")
    if document.kind == "atom":
        own = datetime.fromisoformat(document.feed.findtext(f"{ATOM}updated"))
    else:
        own = parsedate_to_datetime(document.feed.findtext("lastBuildDate"))
    if stamps and own < max(map(datetime.fromisoformat, stamps)):
        yield str(own)


@rule
def url_invalid(document: Document) -> Iterator[str]:
    """Every URL is absolute and has only characters that RFC 3986 allows."""
    yield from (url for url in _urls(document) if not _is_absolute(url))


def _urls(document: Document) -> Iterator[str]:
    yield from document.values(f"{ATOM}id", "none", "external_url")
    if document.kind == "json":
        yield from (document.root[key] for key in ("home_page_url", "feed_url", "icon"))
        yield from document.values("", "", "url") + document.values("", "", "image")
        return
    yield from (link.get("href", "") for link in document.links())
    for tag in (f"{ATOM}id", f"{ATOM}logo", f"{ATOM}icon", "link", "url"):
        yield from (element.text or "" for element in document.root.iter(tag))
    for attribute in ("scheme", "domain"):
        yield from (e.get(attribute) for e in document.root.iter() if e.get(attribute) is not None)


def _is_absolute(url: str) -> bool:
    return bool((_TAG_URI if url.startswith("tag:") else _ABSOLUTE).fullmatch(url))


@rule
def self_link_wrong(document: Document) -> Iterator[str]:
    if document.kind == "json":
        found = [document.root.get("feed_url")]
    else:
        type_ = f"application/{document.kind}+xml"
        links = [e for e in document.feed.iterfind(f"{ATOM}link") if e.get("rel") == "self"]
        found = [link.get("href") for link in links if link.get("type") == type_]
    if found != [document.url]:
        yield str(found)


@rule
def link_relation_unknown(document: Document) -> Iterator[str]:
    for link in document.links():
        if link.get("rel", "alternate") not in _RELATIONS | _HISTORY_RELATIONS:
            yield link.get("rel")


@rule
def alternate_link_wrong(document: Document) -> Iterator[str]:
    """A feed and an entry of Atom have one alternate link to a page; feedgen makes more of them."""
    for parent in (document.feed, *document.entries) if document.kind == "atom" else ():
        links = [
            e for e in parent.iterfind(f"{ATOM}link") if e.get("rel", "alternate") == "alternate"
        ]
        if [link.get("type") for link in links] != ["text/html"]:
            yield str([dict(link.attrib) for link in links])


@rule
def archive_incomplete(document: Document) -> Iterator[str]:
    """RFC 5005, section 4: an archive document says so, has neighbours and a live feed."""
    if document.kind == "json":
        return
    relations = {link.get("rel") for link in document.feed.iterfind(f"{ATOM}link")}
    is_archive = document.feed.find(f"{HISTORY}archive") is not None
    if is_archive and not ("current" in relations and relations & {"prev-archive", "next-archive"}):
        yield str(relations)
    if not is_archive and relations & {"current", "next-archive"}:
        yield "links of an archive document without its mark"


@rule
def archive_link_in_entry(document: Document) -> Iterator[str]:
    for entry in document.entries if document.kind != "json" else ():
        for link in entry.iterfind(f"{ATOM}link"):
            if link.get("rel") in _HISTORY_RELATIONS:
                yield link.get("rel")


@rule
def text_type_wrong(document: Document) -> Iterator[str]:
    """Content is declared as HTML, all other text as text."""
    for tag in ("title", "subtitle", "summary", "rights", "content"):
        for element in document.root.iter(f"{ATOM}{tag}") if document.kind == "atom" else ():
            if (element.get("type", "text") == "html") != (tag == "content") or len(element):
                yield f"{tag} {dict(element.attrib)}"


@rule
def cdata_used(document: Document) -> Iterator[str]:
    if document.kind != "json" and b"<![CDATA[" in document.raw:
        yield "CDATA"


@rule
def reference_named(document: Document) -> Iterator[str]:
    """Plain text of RSS writes `&` and `<` as numeric references: some readers take it for HTML."""
    if document.kind == "rss":
        plain = rb"<(title|category|copyright)[ >][^<]*?&(amp|lt);"
        yield from (found[0].decode() for found in re.finditer(plain, document.raw))


@rule
def character_bad(document: Document) -> Iterator[str]:
    text = document.raw.decode()
    yield from {hex(ord(each)) for each in text if "\x7f" <= each <= "\x9f" or each == "\ufffd"}


@rule
def language_invalid(document: Document) -> Iterator[str]:
    tags = document.values("none", f"{DC}language", "language")
    if document.kind == "json":
        tags.append(document.root.get("language", ""))
    else:
        tags += [
            e.get(f"{XML}lang") for e in document.root.iter() if e.get(f"{XML}lang") is not None
        ]
        tags += [e.text for e in document.root.iter("language")]
    for tag in tags:
        match = _LANGUAGE.fullmatch(tag)
        if not match or match[1].lower() not in Locale("en").languages:
            yield tag


@rule
def guid_taken_for_link(document: Document) -> Iterator[str]:
    for guid in document.root.iter("guid") if document.kind == "rss" else ():
        if guid.get("isPermaLink") != "false":
            yield guid.text


@rule
def address_published(document: Document) -> Iterator[str]:
    """RSS's author and Atom's email are addresses, there for the harvesting."""
    for tag in ("author", "managingEditor", "webMaster", f"{ATOM}email"):
        yield from (
            (e.text or "" for e in document.root.iter(tag)) if document.kind != "json" else ()
        )


@rule
def source_not_a_feed(document: Document) -> Iterator[str]:
    """RSS's source names the feed that an item was taken from, never a page."""
    for source in document.root.iter("source") if document.kind == "rss" else ():
        yield source.get("url", "")


@rule
def description_after_content(document: Document) -> Iterator[str]:
    for item in document.entries if document.kind == "rss" else ():
        names = [child.tag for child in item]
        content = f"{CONTENT}encoded"
        if content in names and "description" not in names[: names.index(content)]:
            yield item.findtext("title")


@rule
def category_wrong(document: Document) -> Iterator[str]:
    if document.kind == "atom":
        yield from (
            str(dict(e.attrib)) for e in document.root.iter(f"{ATOM}category") if not e.get("term")
        )
    if document.kind == "rss":
        yield from ("blank" for e in document.root.iter("category") if not "".join(e.itertext()))


@rule
def image_differs(document: Document) -> Iterator[str]:
    """RSS's image is a GIF, JPEG or PNG, and repeats the channel's title and link."""
    for image in document.root.iter("image") if document.kind == "rss" else ():
        for name in ("title", "link"):
            own, image_own = document.feed.find(name), image.find(name)
            if "".join(own.itertext()) != "".join(image_own.itertext()):
                yield name
        if not image.findtext("url").endswith((".gif", ".jpg", ".jpeg", ".png")):
            yield image.findtext("url")


@rule
def html_wrong(document: Document) -> Iterator[str]:
    """Content is well nested, of harmless elements, without styles and events, with alt texts."""
    for content in document.contents():
        yield from Content(content).wrong


@rule
def html_relative_url(document: Document) -> Iterator[str]:
    for content in document.contents():
        yield from (url for url in Content(content).urls if not _is_absolute(url))
