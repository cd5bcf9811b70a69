"""What every reader has: entries kept under keys of its own making, and a way of asking for feeds.

A model is pure: it is handed bytes and the time, and says what its person would see.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

import msgspec

from publisher.preflight.feed_readers.documents import Document, Format, Item, read_document

# Parts of an entry that may change after its publication. `stamp` is the time of the last change.
TITLE, TEXT, LINK, TAGS, STAMP = "title", "text", "link", "tags", "stamp"


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as a reader shows it; `key` is the identity that the reader gave it."""

    key: str
    title: str
    link: str
    text: str
    date: datetime


class Reading(msgspec.Struct, frozen=True):
    """What came of reading a document once; `new` as the person sees it, the topmost first."""

    new: tuple[Shown, ...] = ()
    updated: tuple[Shown, ...] = ()
    unchanged: int = 0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A server's answer, as far as readers look: 200 with a body, 304, or 404."""

    status: int
    body: bytes = b""
    etag: str = ""
    last_modified: str = ""


class Kept(msgspec.Struct, kw_only=True):
    """An entry as a reader keeps it: since when, last seen when, and in which feeds."""

    item: Item
    shown: Shown
    arrived: datetime
    seen: datetime
    feeds: set[str]


class Reader:
    """The common part of all models; each says how it differs in the methods below `read`.

    `formats` are those it reads. `notices` are the parts whose change makes an entry updated to it;
    where `replaces` is false, what was shown first stays as it was. Where `is_forgetful`, an entry
    that left the feed and comes back may be shown again. `is_by_date` tells that its list is
    sorted by date, newest first, rather than as the document is.
    """

    formats: ClassVar[tuple[Format, ...]] = ("atom", "rss", "json")
    notices: ClassVar[frozenset[str]] = frozenset()
    replaces: ClassVar[bool] = True
    is_forgetful: ClassVar[bool] = False
    is_by_date: ClassVar[bool] = True

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.validators: dict[str, tuple[str, str]] = {}

    def notices_of(self, format_: Format) -> frozenset[str]:
        """What it notices in one format, where that differs."""
        return self.notices

    def request(self, url: str, now: datetime) -> dict[str, str]:
        """Give the headers of a conditional GET: by default both that the last answer had."""
        etag, modified = self.validators.get(url, ("", ""))
        headers = {"If-None-Match": etag, "If-Modified-Since": modified}
        return {name: value for name, value in headers.items() if value}

    def receive(self, answer: Answer, url: str, now: datetime) -> Reading:
        """Take an answer to `request`."""
        if answer.status == 304:
            return Reading()
        reading = self.read(answer.body, url, now)
        self.validators[url] = (answer.etag, answer.last_modified)
        return reading

    def read(self, body: bytes, url: str, now: datetime) -> Reading:
        """Read a document that was fetched from `url`. Raises NotAFeed."""
        document = read_document(body)
        new, updated, present = [], [], set()
        for key, item in self._keyed(document, url):
            if key in present:
                continue
            present.add(key)
            kept = self.kept.get(key)
            if kept is None:
                if not self._is_refused(key, item, document, now):
                    shown = self._show(key, item, now)
                    self.kept[key] = Kept(
                        item=item, shown=shown, arrived=now, seen=now, feeds={url}
                    )
                    new.append(shown)
                continue
            kept.seen = now
            kept.feeds.add(url)
            if self.replaces:
                again = self._show(key, item, now)
                kept.shown = msgspec.structs.replace(again, date=kept.shown.date)
            if self._is_changed(kept.item, item):
                updated.append(kept.shown)
            kept.item = item
        self._forget(url, present, now)
        unchanged = len(present) - len(new) - len(updated)
        return Reading(tuple(self._sort(new)), tuple(updated), unchanged)

    def _keyed(self, document: Document, url: str) -> Iterable[tuple[str, Item]]:
        """The entries that the reader takes, with the key it knows each by."""
        for item in document.items:
            if key := self._identify(item, url):
                yield key, item

    def _identify(self, item: Item, url: str) -> str:
        raise NotImplementedError

    def _is_changed(self, old: Item, new: Item) -> bool:
        raise NotImplementedError

    def _is_refused(self, key: str, item: Item, document: Document, now: datetime) -> bool:
        """Tell whether an unknown entry is passed over."""
        return False

    def _forget(self, url: str, present: set[str], now: datetime) -> None:
        """Remove what the reader no longer keeps; `present` are the keys of this document."""

    def _show(self, key: str, item: Item, now: datetime) -> Shown:
        return Shown(
            key=key,
            title=item.title,
            link=self._link(item),
            text=item.content or item.summary,
            date=self._date(item) or now,
        )

    def _link(self, item: Item) -> str:
        return item.link

    def _date(self, item: Item) -> datetime | None:
        """The date it sorts by; without one it takes the time of reading."""
        return item.published or item.updated

    def _sort(self, new: list[Shown]) -> list[Shown]:
        return sorted(new, key=lambda shown: shown.date, reverse=True) if self.is_by_date else new
