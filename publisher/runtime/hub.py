"""What a WebSub hub is owed, and what comes of telling it (W3C WebSub, sections 4 and 5).

A hub is owed a word of each feed whose bytes differ from those it was told of last. Everything here
decides and returns: time, chance and the hub's answers are handed in.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

# The first try again is after about this, each next one after twice as long, up to the longest.
_FIRST_WAIT = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(hours=2)
# Half a wait more or less: hubs that come back are not met by all of their publishers at once.
_JITTER = 0.5
# What could not be told for so long is stale: readers have fetched the feed by themselves.
GIVE_UP = timedelta(days=1)
# Of the answers that refuse for good, these do not: too slow, too many.
_PASSING = (408, 429)

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Seen(msgspec.Struct, frozen=True):
    """A feed's file: what tells that it was written (`signature`), and its bytes' digest."""

    signature: str
    digest: str


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """A feed as a hub knows it. `told` is the digest it was told of last, or is not told of again.

    `changed_at` is when the feed was first seen as it is, `next_at` when it may be told.
    """

    signature: str
    digest: str
    told: str = ""
    changed_at: datetime
    next_at: datetime
    attempts: int = 0

    @property
    def is_owed(self) -> bool:
        return self.digest != self.told


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one hub. `topics` are by the feed's URL.

    Before `wait_until` the hub is left alone: it asked for that, or could not be reached.
    """

    hub: str = ""
    topics: dict[str, Topic] = {}
    wait_until: datetime = _LONG_AGO


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of telling: an HTTP status, or 0 and the `fault` that there was no answer."""

    status: int = 0
    retry_after: timedelta | None = None
    fault: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_final(self) -> bool:
        return 400 <= self.status < 500 and self.status not in _PASSING


def note_feeds(book: Book, hub: str, seen: Mapping[str, Seen], now: datetime) -> Book:
    """The book with the feeds as they are now; what is no more is owed no word."""
    if book.hub != hub:
        book = Book(hub=hub)
    topics = {url: _note(book.topics.get(url), feed, now) for url, feed in sorted(seen.items())}
    return msgspec.structs.replace(book, topics=topics)


def _note(topic: Topic | None, feed: Seen, now: datetime) -> Topic:
    if topic is not None and topic.digest == feed.digest:
        return msgspec.structs.replace(topic, signature=feed.signature)
    return Topic(
        signature=feed.signature,
        digest=feed.digest,
        told=topic.told if topic else "",
        changed_at=now,
        next_at=now,
    )


def find_due(book: Book, now: datetime) -> list[str]:
    """The URLs of the feeds that the hub is to be told of now, those that waited longest first."""
    if now < book.wait_until:
        return []
    due = [url for url, topic in book.topics.items() if topic.is_owed and topic.next_at <= now]
    return sorted(due, key=lambda url: (book.topics[url].next_at, url))


def settle(
    book: Book, url: str, digest: str, reply: Reply, now: datetime, chance: float
) -> tuple[Book, str]:
    """What the book says after the hub was told of a feed's `digest`, and what to say of it.

    `chance` is in [0, 1).
    """
    if url not in book.topics:  # gone meanwhile
        return book, ""
    if reply.is_success:
        return _tell(book, [url], digest, now), ""
    if reply.is_final:
        said = f"feeds.hub refuses {url} with {reply.status}: it is not told of this change again"
        return _tell(book, [url], digest, now), said
    stale = [
        each
        for each, topic in book.topics.items()
        # No answer at all says it of every feed.
        if topic.is_owed and (each == url or not reply.status) and now - topic.changed_at >= GIVE_UP
    ]
    book = _put_off(book, url, reply, now, chance)
    why = f"it answered {reply.status}" if reply.status else reply.fault
    if stale:
        said = f"feeds.hub was not told of a change in {', '.join(sorted(stale))}: given up, {why}"
        return _tell(book, stale, "", now), said
    return book, f"feeds.hub could not be told: {why}; `publisher run`, or a later build, will"


def _tell(book: Book, urls: list[str], digest: str, now: datetime) -> Book:
    """Owe nothing for a digest (where it is empty, for the present one) of these feeds."""
    topics = dict(book.topics)
    for url in urls:
        topic = topics[url]
        topics[url] = msgspec.structs.replace(
            topic, told=digest or topic.digest, attempts=0, next_at=now
        )
    return msgspec.structs.replace(book, topics=topics)


def _put_off(book: Book, url: str, reply: Reply, now: datetime, chance: float) -> Book:
    topic = book.topics[url]
    wait = min(_FIRST_WAIT * 2 ** min(topic.attempts, 20), _LONGEST_WAIT)
    wait *= 1 - _JITTER + 2 * _JITTER * chance
    if reply.retry_after is not None:
        wait = min(reply.retry_after, GIVE_UP)
    put_off = msgspec.structs.replace(topic, attempts=topic.attempts + 1, next_at=now + wait)
    # A hub that is down, or asks to be left alone, is not called for the other feeds either.
    is_all = not reply.status or reply.retry_after is not None
    return msgspec.structs.replace(
        book,
        topics=book.topics | {url: put_off},
        wait_until=now + wait if is_all else book.wait_until,
    )
