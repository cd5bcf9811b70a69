"""NetNewsWire: articles of a feed's address and an entry's id."""

from datetime import datetime, timedelta
from hashlib import md5

from publisher.preflight.feed_readers.documents import Format, Item
from publisher.preflight.feed_readers.reader import LINK, STAMP, TEXT, TITLE, Reader, Reading

# An article that is no longer in its feed is removed so long after it came.
_REMOVED_AFTER = timedelta(days=30)
_VALIDATORS_DROPPED_AFTER = timedelta(days=8)


class NetNewsWire(Reader):
    """The rules of Ranchero-Software/NetNewsWire, with an account on the device.

    The article's id is a hash of the feed's address and the entry's unique id
    (Modules/Articles/Sources/Articles/Article.swift: calculatedArticleID): Atom's id, RSS's guid,
    or a hash of what there is (Modules/RSParser/Sources/RSParser/Feeds/XML/RSSItem.swift),
    JSON Feed's id, without which an item is dropped (…/Feeds/JSON/JSONFeedParser.swift). In RSS a
    guid is the entry's address if isPermaLink is not false and it looks like one, which `tag:` does
    not (…/Feeds/XML/RSSParser.swift). Whatever else differs updates the article; one that left
    the feed is removed 30 days after it came, and its status with it
    (Modules/ArticlesDatabase/Sources/ArticlesDatabase/ArticlesTable.swift: update,
    deleteOldStatuses).
    Validators are dropped after 8 days, and an equal body is not read again
    (Modules/Account/Sources/Account/LocalAccount/LocalAccountRefresher.swift).
    """

    notices = frozenset({TITLE, TEXT, LINK, STAMP})
    is_forgetful = True

    def notices_of(self, format_: Format) -> frozenset[str]:
        # RSS has no element for the time of a change that it knows.
        return self.notices - {STAMP} if format_ == "rss" else self.notices

    def __init__(self) -> None:
        super().__init__()
        self.bodies: dict[str, bytes] = {}
        self.asked: dict[str, datetime] = {}

    def request(self, url: str, now: datetime) -> dict[str, str]:
        if now - self.asked.get(url, now) > _VALIDATORS_DROPPED_AFTER:
            self.validators.pop(url, None)
            self.asked[url] = now
        return super().request(url, now)

    def read(self, body: bytes, url: str, now: datetime) -> Reading:
        self.asked[url] = now
        if self.bodies.get(url) == body:
            return Reading()
        reading = super().read(body, url, now)
        self.bodies[url] = body
        return reading

    def _identify(self, item: Item, url: str) -> str:
        unique = item.id
        if not unique:
            if item.format == "json":
                return ""
            stamp = f"{item.published.timestamp():.0f}" if item.published else ""
            parts = (item.link, item.title) if stamp else (item.link, item.title, item.content)
            basis = next(filter(None, parts), "") + stamp
            unique = md5(basis.encode(), usedforsecurity=False).hexdigest()
        return md5(f"{url} {unique}".encode(), usedforsecurity=False).hexdigest()

    def _is_changed(self, old: Item, new: Item) -> bool:
        return _compared(old) != _compared(new)

    def _forget(self, url: str, present: set[str], now: datetime) -> None:
        for key, kept in list(self.kept.items()):
            is_old = kept.arrived < now - _REMOVED_AFTER
            if url in kept.feeds and key not in present and is_old:
                del self.kept[key]

    def _link(self, item: Item) -> str:
        is_address = "/" in item.id and " " not in item.id and not item.id.startswith("tag:")
        if item.format == "rss" and (item.mark or "").lower() != "false" and is_address:
            return item.id
        return item.link


def _compared(item: Item) -> tuple[object, ...]:
    return (
        *(item.id, item.title, item.content, item.link, item.external, item.summary),
        *(item.published, None if item.format == "rss" else item.updated, item.authors),
    )
