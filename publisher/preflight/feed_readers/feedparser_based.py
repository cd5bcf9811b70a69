"""Readers that stand on kurtmckee/feedparser: rss2email and lemon24/reader."""

from hashlib import sha1

from publisher.preflight.feed_readers.documents import Item
from publisher.preflight.feed_readers.reader import LINK, STAMP, TEXT, TITLE, Reader


class Rss2Email(Reader):
    """The rules of rss2email/rss2email, with `reply-changes`.

    An entry is its id, or else a hash of its content (rss2email/feed.py: _get_uid_for_entry). A
    known one whose content has another hash is mailed again as a reply to the first mail
    (_process_entry); other titles and links are not noticed. Nothing is forgotten, and mails leave
    in the document's order.
    """

    formats = ("atom", "rss")
    notices = frozenset({TEXT})
    replaces = False
    is_by_date = False

    def _identify(self, item: Item, url: str) -> str:
        return f"{url} {item.id or _hash(item)}"

    def _is_changed(self, old: Item, new: Item) -> bool:
        return _hash(old) != _hash(new)


def _hash(item: Item) -> str:
    text = (item.content or item.summary).strip() or item.link or item.title
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


class LemonReader(Reader):
    """The rules of lemon24/reader.

    An entry is its feed's address and its id, in RSS or else its link, and an entry without any is
    dropped (src/reader/_parser/feedparser.py, src/reader/_parser/jsonfeed.py). It is updated when
    `updated` is another one, or when the hash of all the rest is, the latter 24 times at most
    (src/reader/_update/__init__.py: should_update_entry). Entries stay when they leave the feed.
    """

    notices = frozenset({TITLE, TEXT, LINK, STAMP})

    def _identify(self, item: Item, url: str) -> str:
        id_ = item.id or (item.link if item.format == "rss" else "")
        return f"{url} {id_}" if id_ else ""

    def _is_changed(self, old: Item, new: Item) -> bool:
        return old.updated != new.updated or _rest(old) != _rest(new)


def _rest(item: Item) -> tuple[object, ...]:
    return (item.title, item.link, item.authors, item.published, item.summary, item.content)
