"""FeedMail: new entries by mail, unless their dates make it doubt that they are new."""

from datetime import datetime, timedelta

from publisher.preflight.feed_readers.documents import Document, Item
from publisher.preflight.feed_readers.reader import Reader

_OLDEST = timedelta(days=365)
_BEHIND = timedelta(days=7)
_NEWEST = 10


class FeedMail(Reader):
    """The rules that FeedMail publishes (blog.feedmail.org, July 2022); its source is not public.

    An entry is its id. An unknown one is passed over when it is more than a year old, older than
    the tenth newest of the document, or more than seven days older than the newest. What was passed
    over is known. Nothing is mailed twice.
    """

    formats = ("atom", "rss")
    replaces = False

    def __init__(self) -> None:
        super().__init__()
        self.passed_over: set[str] = set()

    def _identify(self, item: Item, url: str) -> str:
        return f"{url} {item.id or item.link}"

    def _is_changed(self, old: Item, new: Item) -> bool:
        return False

    def _is_refused(self, key: str, item: Item, document: Document, now: datetime) -> bool:
        dates = sorted((each.published or now for each in document.items), reverse=True)
        oldest = max(now - _OLDEST, dates[0] - _BEHIND, dates[:_NEWEST][-1])
        if key in self.passed_over or (item.published or now) < oldest:
            self.passed_over.add(key)
            return True
        return False
