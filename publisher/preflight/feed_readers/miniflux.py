"""Miniflux: one entry for each hash of its id, whatever else changes."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from publisher.preflight.feed_readers.documents import Document, Item
from publisher.preflight.feed_readers.reader import LINK, TAGS, TEXT, TITLE, Reader

# CLEANUP_ARCHIVE_READ_DAYS; for entries that were never read it is 180 days.
_ARCHIVED_AFTER = timedelta(days=60)


class Miniflux(Reader):
    """The rules of miniflux/v2.

    Atom's id, or else the link, is hashed (internal/reader/atom/atom_10_adapter.go); of RSS the
    guid, a repeated one together with the link, or else the link (internal/reader/rss/adapter.go);
    of JSON Feed the id, the url, the external_url or the content (internal/reader/json/adapter.go).
    A known hash gets title, link, content and tags anew, without a word and without its date; after
    60 days a read entry is removed, and its hash stays as a tombstone
    (internal/storage/entry.go: RefreshFeedEntries, ArchiveEntries). A body whose ETag is the known
    one is not read, whatever the status (internal/reader/fetcher/response_handler.go: IsModified).
    """

    notices = frozenset({TITLE, TEXT, LINK, TAGS})

    def __init__(self) -> None:
        super().__init__()
        self.tombstones: set[str] = set()

    def _keyed(self, document: Document, url: str) -> Iterable[tuple[str, Item]]:
        times: dict[str, int] = {}
        for item in document.items:
            basis = self._basis(item)
            times[basis] = times.get(basis, 0) + 1
            if item.format == "rss" and item.id and times[basis] > 1:
                basis = f"{basis}|{item.link or times[basis] - 1}"
            yield self._hash(basis, url), item

    def _basis(self, item: Item) -> str:
        return item.id or item.link or item.external or f"{item.title}{item.content}"

    def _hash(self, basis: str, url: str) -> str:
        return f"{url} {sha256(basis.encode()).hexdigest()}"

    def _is_changed(self, old: Item, new: Item) -> bool:
        return _seen(old) != _seen(new)

    def _is_refused(self, key: str, item: Item, document: Document, now: datetime) -> bool:
        return key in self.tombstones

    def _forget(self, url: str, present: set[str], now: datetime) -> None:
        for key in [k for k, kept in self.kept.items() if kept.arrived < now - _ARCHIVED_AFTER]:
            del self.kept[key]
            self.tombstones.add(key)


def _seen(item: Item) -> tuple[object, ...]:
    return (item.title, item.link, item.content or item.summary, item.authors, sorted(item.tags))
