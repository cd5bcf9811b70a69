"""A source, its feed and its entries, whichever format they came in."""

from datetime import datetime

import msgspec

from publisher.errors import PublisherError


class UnreadableError(PublisherError):
    """A document is no list and no feed, or must not be read; says why, about `it`."""


class Source(msgspec.Struct, frozen=True):
    """A feed that is read, by the name that an editor gave it, or else by none."""

    url: str
    name: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: `title` clean, `url` absolute, `content` as it came: HTML unless `is_plain`.

    `source` is whose it is where a feed brings others' entries. `date` is None where it has none
    that can be read; `language` is what the feed says, a tag or empty.
    """

    title: str
    url: str
    content: str = ""
    is_plain: bool = False
    date: datetime | None = None
    language: str = ""
    source: str = ""
    categories: tuple[str, ...] = ()


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A feed that was read; `unusable` entries had no link, or nothing to call them by."""

    title: str = ""
    entries: tuple[Entry, ...] = ()
    unusable: int = 0
