"""What is wrong with a feed."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from publisher.model.feed import Entry, Feed
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.markup import Tag, addresses, is_relative, read_tags
from publisher.preflight.prose import shorten

# What the contract promises of live feeds; whole oldest issues are dropped to keep below it.
MAX_BYTES = 250_000
# Entries of one issue are seconds apart and run the other way round; days are no accident.
_LEAST_SPAN = timedelta(days=1)

# Elements that readers drop from an entry, with what is inside them or around it.
_DROPPED = frozenset(
    (
        *("script", "style", "iframe", "frame", "object", "embed", "applet", "form", "input"),
        *("button", "select", "textarea", "link", "meta", "base", "svg", "math", "canvas"),
    )
)
_HTTP = re.compile(r"https?://[^\s/<>\"]++\S*+", re.IGNORECASE)
_MARKUP = re.compile(r"<[a-zA-Z]")


def check_feed(feed: Feed, data: bytes, path: str) -> list[Problem]:
    """Find what is wrong with a feed; `data` is one of its renditions, `path` where it stands."""
    return [
        *_check_document(feed, data, path),
        *_check_identity(feed, path),
        *_check_order(feed, path),
        *(found for entry in feed.entries for found in _check_entry(entry, feed, path)),
    ]


def _check_document(feed: Feed, data: bytes, path: str) -> Iterator[Problem]:
    if len(data) > MAX_BYTES and not feed.is_archive:
        yield problem("feed-too-large", path, None, found=len(data), limit=MAX_BYTES)
    if not feed.entries:
        yield problem("feed-empty", path, None)
    if not feed.title.strip():
        yield problem("feed-title-missing", path, None)
    urls = {"the feed's page": feed.url, "the feed's own address": feed.stem}
    urls |= {"the logo's address": feed.logo, "the hub's address": feed.hub}
    yield from _check_urls(urls, path)


def _check_urls(urls: dict[str, str], path: str) -> Iterator[Problem]:
    for what, url in urls.items():
        if url and not _HTTP.fullmatch(url):
            yield problem("feed-url-invalid", path, None, what=what, found=url)


def _check_identity(feed: Feed, path: str) -> Iterator[Problem]:
    ids: dict[str, Entry] = {}
    moments: dict[datetime, Entry] = {}
    for entry in feed.entries:
        if (other := ids.setdefault(entry.id, entry)) is not entry:
            values = {"title": entry.title, "other": other.title, "found": entry.id}
            yield problem("entry-id-repeated", path, None, **values)
        elif (other := moments.setdefault(entry.updated, entry)) is not entry:
            found = entry.updated.isoformat()
            values = {"title": entry.title, "other": other.title, "found": found}
            yield problem("entry-updated-repeated", path, None, **values)


def _check_order(feed: Feed, path: str) -> Iterator[Problem]:
    """Find a feed that is upside down; what stands where inside an issue is the editor's matter."""
    moments = [entry.published for entry in feed.entries]
    if moments and moments == sorted(moments) and moments[-1] - moments[0] >= _LEAST_SPAN:
        yield problem("feed-order", path, None)


def _check_entry(entry: Entry, feed: Feed, path: str) -> Iterator[Problem]:
    if not entry.title.strip():
        yield problem("entry-title-missing", path, None, id=entry.id)
    if not entry.summary.strip() and not entry.content.strip():
        yield problem("entry-content-missing", path, None, title=entry.title)
    if entry.updated > feed.updated:
        moments = {"found": entry.updated.isoformat(), "feed": feed.updated.isoformat()}
        yield problem("entry-updated-late", path, None, title=entry.title, **moments)
    name = f"of the entry {shorten(entry.title)!r}"
    urls = {f"the page {name}": entry.url, f"the source {name}": entry.source_url}
    if entry.image:
        urls[f"the image {name}"] = entry.image.src
    yield from _check_urls({what: url for what, url in urls.items() if url[:7] != "mailto:"}, path)
    if _MARKUP.search(entry.content):
        yield from _check_content(entry, read_tags(entry.content), path)


def _check_content(entry: Entry, tags: list[Tag], path: str) -> Iterator[Problem]:
    dropped = {f"<{tag.name}>" for tag in tags if tag.name in _DROPPED}
    for tag in tags:
        dropped |= {f"the attribute {name}" for name in tag.attributes if _is_dropped(name)}
    for found in sorted(dropped):
        yield problem("entry-content-dropped", path, None, title=entry.title, found=found)
    for url in dict.fromkeys(url for _, url in addresses(tags)):
        if is_relative(url) or url.startswith("#"):
            what = f"an address in the entry {shorten(entry.title)!r}"
            yield problem("feed-url-invalid", path, None, what=what, found=url)


def _is_dropped(attribute: str) -> bool:
    return attribute == "style" or attribute.startswith("on")
