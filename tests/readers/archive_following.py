"""A reader that follows a feed's archive, so that nothing is lost to it (RFC 5005, section 4)."""

from collections.abc import Callable
from datetime import datetime

from publisher.preflight.feed_readers.documents import Item, read_document
from publisher.preflight.feed_readers.reader import STAMP, Reader, Reading

Fetch = Callable[[str], bytes]


class ArchiveFollowing(Reader):
    """A reader by RFC 5005, section 4, and RFC 4287 alone.

    An entry is its id, and changed when its atom:updated is later. From the live document
    it goes back through `prev-archive` until a document whose address it knows, since those do not
    change. `fetch` gives the body behind an address.
    """

    formats = ("atom", "rss")
    notices = frozenset({STAMP})

    def __init__(self, fetch: Fetch) -> None:
        super().__init__()
        self.fetch = fetch
        self.known: set[str] = set()

    def read(self, body: bytes, url: str, now: datetime) -> Reading:
        readings = [super().read(body, url, now)]
        address = read_document(body).previous
        while address and address not in self.known:
            body = self.fetch(address)
            readings.append(super().read(body, url, now))
            self.known.add(address)
            address = read_document(body).previous
        new = [shown for reading in readings for shown in reading.new]
        updated = [shown for reading in readings for shown in reading.updated]
        return Reading(
            tuple(self._sort(new)), tuple(updated), sum(each.unchanged for each in readings)
        )

    def _identify(self, item: Item, url: str) -> str:
        return f"{url} {item.id}" if item.id else ""

    def _is_changed(self, old: Item, new: Item) -> bool:
        return bool(old.updated and new.updated and old.updated < new.updated)
