"""A Feedly-like service: entries that are crawled once, and recognised in other feeds."""

from datetime import datetime, timedelta

from publisher.preflight.feed_readers.documents import Document, Item
from publisher.preflight.feed_readers.reader import LINK, TEXT, TITLE, Reader

# Articles of other sources are compared so far back (docs.feedly.com/article/218).
_COMPARED = timedelta(days=31)


class Feedly(Reader):
    """What is public of Feedly's rules; its source is not.

    An article's id is immutable, made when a feed's `originId` (Atom's id, RSS's guid, or else the
    link) was first crawled; `recrawled` tells when a changed one was read again
    (developers.feedly.com/reference/articlejson). An article like one of another source within 31
    days is not shown a second time; within a source nothing is compared (docs.feedly.com/article/
    218-how-does-deduplication-work). Here, alike are those of the same title and text.
    """

    formats = ("atom", "rss")
    notices = frozenset({TITLE, TEXT, LINK})

    def _identify(self, item: Item, url: str) -> str:
        return f"{url} {item.id or item.link}"

    def _is_changed(self, old: Item, new: Item) -> bool:
        return _crawled(old) != _crawled(new)

    def _is_refused(self, key: str, item: Item, document: Document, now: datetime) -> bool:
        source = key.partition(" ")[0]
        return any(
            source not in kept.feeds
            and now - kept.arrived <= _COMPARED
            and (kept.item.title, kept.item.content) == (item.title, item.content)
            for kept in self.kept.values()
        )


def _crawled(item: Item) -> tuple[str, ...]:
    return (item.title, item.content or item.summary, item.link)
