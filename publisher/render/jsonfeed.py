"""Feed -> JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from collections.abc import Iterable
from typing import Any

import msgspec

from publisher.model.feed import Entry, Feed
from publisher.model.issue import Person
from publisher.render.feed_values import drop_forbidden, in_seconds, is_foreign, named_authors


def render_json(feed: Feed) -> bytes:
    """Render a JSON Feed in UTF-8; what is empty is left out, and no character is escaped in ASCII.

    JSON Feed has no archive documents: its `next_url` would page through the live feed.
    """
    feed = drop_forbidden(feed)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.url,
        "feed_url": f"{feed.stem}.json",
        "description": feed.description,
        "icon": feed.logo,
        "authors": _authors(named_authors(feed.authors, feed.title)),
        "language": feed.language,
        "hubs": [{"type": "WebSub", "url": feed.hub}] if feed.hub else [],
    }
    items = [_item(entry, feed) for entry in feed.entries]
    written = msgspec.json.encode(_without_empty(document) | {"items": items})
    return msgspec.json.format(written, indent=1) + b"\n"


def _item(entry: Entry, feed: Feed) -> dict[str, Any]:
    # One of the two must be there, even where feeds carry summaries only.
    content = {"content_html": entry.content} if entry.content else {"content_text": entry.summary}
    item = {
        "id": entry.id,
        "url": entry.url,
        "external_url": entry.source_url,
        "title": entry.title,
        "summary": entry.summary,
        "image": entry.image.src if entry.image else "",
        "date_published": in_seconds(entry.published).isoformat(),
        "date_modified": in_seconds(entry.updated).isoformat(),
        "authors": _authors(entry.authors),
        "tags": [tag.label or tag.slug for tag in entry.tags],
        "language": entry.language if is_foreign(entry.language, feed) else "",
    }
    return _without_empty(item) | content


def _authors(people: Iterable[Person]) -> list[dict[str, str]]:
    return [{"name": person.name} for person in people]


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value}
