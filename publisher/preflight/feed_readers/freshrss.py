"""FreshRSS: one entry for each guid, a hash of what stands in it for its changes."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from publisher.preflight.feed_readers.documents import Document, Item
from publisher.preflight.feed_readers.reader import LINK, TAGS, TEXT, TITLE, Reader, Reading

_KEEP_PERIOD = timedelta(days=90)  # P3M
_KEEP_MOST = 200
_KEEP_LEAST = 50
# What may differ in a document that is the same to it: when it was built, and comments.
_DATES = re.compile(
    rb"<(lastBuildDate|pubDate|updated|feedDate|dc:date|slash:comments)>[^<]*</\1>|<!--.*?-->",
    re.DOTALL,
)


class FreshRSS(Reader):
    """The rules of FreshRSS/FreshRSS, with its SimplePie.

    The guid is SimplePie's get_id (lib/simplepie/simplepie/src/Item.php): Atom's id, RSS's guid,
    and for JSON Feed the id; where an entry has none, or too many are the same, a hash of link and
    date (app/Models/Feed.php: decideEntryGuid, loadGuids). A known guid with another hash of link,
    title, authors, content and tags is updated (app/Models/Entry.php: hash), and is unread again
    where `mark_updated_article_unread` is set (app/Controllers/feedController.php). Entries go in
    oldest first, by date. What left the feed is deleted three months later, or when 200 others were
    seen since, and then forgotten (app/Models/EntryDAO.php: cleanOldEntries, here at every reading
    and not once in thirty). A document that differs in dates alone is the same to it
    (lib/simplepie/simplepie/src/SimplePie.php: clean_hash).
    """

    notices = frozenset({TITLE, TEXT, LINK, TAGS})
    is_forgetful = True

    def __init__(self) -> None:
        super().__init__()
        self.hashes: dict[str, bytes] = {}
        self.degraded: set[str] = set()

    def read(self, body: bytes, url: str, now: datetime) -> Reading:
        clean = _DATES.sub(b"", body)
        if self.hashes.get(url) == clean:
            return Reading()
        reading = super().read(body, url, now)
        self.hashes[url] = clean
        return reading

    def _keyed(self, document: Document, url: str) -> Iterable[tuple[str, Item]]:
        ids = [item.id for item in document.items]
        invalid = len(ids) - len(set(filter(None, ids)))
        if invalid > round(0.05 * len(ids)):
            self.degraded.add(url)
        yield from super()._keyed(document, url)

    def _identify(self, item: Item, url: str) -> str:
        if item.id and url not in self.degraded:
            return f"{url} {item.id}"
        return f"{url} {item.link} {item.published}"

    def _is_changed(self, old: Item, new: Item) -> bool:
        return _hashed(old) != _hashed(new)

    def _forget(self, url: str, present: set[str], now: datetime) -> None:
        ours = sorted(
            (k for k, kept in self.kept.items() if url in kept.feeds),
            key=lambda key: self.kept[key].seen,
            reverse=True,
        )
        for place, key in enumerate(ours):
            seen = self.kept[key].seen
            is_old = seen < now - _KEEP_PERIOD or place >= _KEEP_MOST
            if key not in present and place >= _KEEP_LEAST and is_old:
                del self.kept[key]


def _hashed(item: Item) -> tuple[object, ...]:
    return (item.link, item.title, item.authors, item.content or item.summary, item.tags)
