"""Newsboat: articles of a guid, the same in all feeds."""

from publisher.preflight.feed_readers.documents import Item
from publisher.preflight.feed_readers.reader import LINK, TEXT, TITLE, Reader


class Newsboat(Reader):
    """The rules of newsboat/newsboat.

    An article is its guid, or else link and date, the link or the title
    (src/rssparser.cpp: get_guid), in whatever feed it stands (src/cache.cpp:
    update_rssitem_unlocked counts by the guid alone). Title, link and content are replaced, the
    date is not; with `reset-unread-on-update` other content makes it unread again. Nothing is
    removed unless `keep-articles-days` says so.
    """

    formats = ("atom", "rss")
    notices = frozenset({TITLE, TEXT, LINK})

    def _identify(self, item: Item, url: str) -> str:
        if item.id:
            return item.id
        return f"{item.link}{item.published or ''}" if item.link else item.title

    def _is_changed(self, old: Item, new: Item) -> bool:
        return _replaced(old) != _replaced(new)


def _replaced(item: Item) -> tuple[str, ...]:
    return (item.title, item.link, item.content or item.summary, *item.authors)
