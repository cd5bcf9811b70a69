"""Thunderbird: a message for each id, never changed."""

from datetime import datetime, timedelta

from publisher.preflight.feed_readers.documents import Item
from publisher.preflight.feed_readers.reader import Reader

# kInvalidItemPurgeDelayDays
_FORGOTTEN_AFTER = timedelta(days=1)


class Thunderbird(Reader):
    """The rules of mozilla/releases-comm-central, mailnews/extensions/newsblog.

    An item is Atom's id or RSS's guid, or else link, title and the beginning of its text
    (FeedParser.sys.mjs), in all feeds of an account (FeedItem.sys.mjs: findStoredResource). Once
    stored as a message it stays as it is. What a document no longer holds is forgotten if it was
    last seen more than a day ago, and is then stored again if it comes back (Feed.sys.mjs:
    removeInvalidItems). A guid is the item's address if isPermaLink is true or missing and it is
    one. Of the validators it sends If-Modified-Since alone (Feed.sys.mjs: download).
    """

    formats = ("atom", "rss")
    replaces = False
    is_forgetful = True

    def request(self, url: str, now: datetime) -> dict[str, str]:
        headers = super().request(url, now)
        headers.pop("If-None-Match", None)
        return headers

    def _identify(self, item: Item, url: str) -> str:
        return item.id or f"{item.link or url}#{item.title}#{item.summary[:150]}"

    def _is_changed(self, old: Item, new: Item) -> bool:
        return False

    def _forget(self, url: str, present: set[str], now: datetime) -> None:
        for key, kept in list(self.kept.items()):
            if url not in kept.feeds or key in present:
                continue
            if now - kept.seen >= _FORGOTTEN_AFTER:
                kept.feeds.discard(url)
                if not kept.feeds:
                    del self.kept[key]

    def _link(self, item: Item) -> str:
        is_address = item.id.startswith(("http://", "https://"))
        if item.format == "rss" and item.mark in (None, "true") and is_address:
            return item.id
        return item.link

    def _date(self, item: Item) -> datetime | None:
        if item.format == "atom":
            return item.updated or item.published
        return item.published
