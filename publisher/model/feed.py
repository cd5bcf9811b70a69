"""A feed and its entries, neutral between Atom, RSS and JSON (RFC 4287's words)."""

from datetime import datetime

import msgspec

from publisher.model.issue import Image, Person, Tag


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. All URLs absolute; times aware; `content` is sanitised HTML, `summary` plain text.

    `content` is empty where a publication's feeds carry summaries only. `source_url` is the page
    that a highlight points to, `source` its name; either may be empty.
    """

    id: str
    url: str
    title: str
    published: datetime
    updated: datetime
    authors: tuple[Person, ...] = ()
    tags: tuple[Tag, ...] = ()
    language: str = ""
    summary: str = ""
    content: str = ""
    source: str = ""
    source_url: str = ""
    image: Image | None = None


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that was withdrawn (RFC 6721, section 3): its id, when, and why, as plain text."""

    id: str
    when: datetime
    reason: str = ""


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A feed document. `stem` is its URL without the format's suffix (`https://…/feed`).

    `current`, `previous` and `following` are absolute URLs of RFC 5005 (sections 3 and 4): the
    live feed this archive document belongs to, the next older and the next newer archive
    document; empty where there is none. `is_archive` marks an archive document. `tags_url` is
    the URL below which the pages of the tags stand, empty where tags need no scheme. `deletions`
    are said in Atom alone: the other formats have no word for them.
    """

    id: str
    title: str
    description: str
    url: str
    stem: str
    language: str
    updated: datetime
    entries: tuple[Entry, ...]
    authors: tuple[Person, ...] = ()
    rights: str = ""
    logo: str = ""
    hub: str = ""
    is_archive: bool = False
    current: str = ""
    previous: str = ""
    following: str = ""
    tags_url: str = ""
    deletions: tuple[Deletion, ...] = ()
