"""JSON Feed (version 1 and 1.1) -> a feed."""

from typing import Any

import msgspec

from publisher.sources.addresses import absolute_url
from publisher.sources.dates import read_date
from publisher.sources.model import Entry, Feed, UnreadableError
from publisher.sources.words import MOST_CONTENT, TITLE_CHARACTERS, clean, summarise
from publisher.sources.xml_feed import MOST_ENTRIES


def read_json_feed(text: str, url: str) -> Feed:
    """Read a JSON Feed; what in it is of a wrong type is as good as not there."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise UnreadableError("it is no JSON that can be read") from None
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise UnreadableError("it is JSON without a list of items, no JSON Feed")
    language = _text(document, "language")
    items = [item for item in items if isinstance(item, dict)][:MOST_ENTRIES]
    entries = [entry for item in items if (entry := _read_item(item, url, language))]
    return Feed(
        title=clean(_text(document, "title"))[:TITLE_CHARACTERS],
        entries=tuple(entries),
        unusable=len(items) - len(entries),
    )


def _read_item(item: dict[str, Any], base: str, language: str) -> Entry | None:
    link = absolute_url(base, _text(item, "url") or _text(item, "external_url"))
    if not link:
        return None
    is_plain = not _text(item, "content_html") or bool(_text(item, "summary"))
    content = _text(item, "summary") or _text(item, "content_html") or _text(item, "content_text")
    # What is posted without a title is called by how it begins.
    title = clean(_text(item, "title"))[:TITLE_CHARACTERS]
    title = title or summarise(content, TITLE_CHARACTERS // 2, is_plain=is_plain)
    tags = item.get("tags")
    return (
        Entry(
            title=title,
            url=link,
            content=content[:MOST_CONTENT],
            is_plain=is_plain,
            date=read_date(_text(item, "date_published"))
            or read_date(_text(item, "date_modified")),
            language=_text(item, "language") or language,
            categories=tuple(t for t in tags if isinstance(t, str))
            if isinstance(tags, list)
            else (),
        )
        if title
        else None
    )


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""
