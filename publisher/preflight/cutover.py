"""How a move looks to those who follow the feed: what each reader would show as new, and why.

Every reader subscribes to the old feed, and finds the new one at the same address a moment later,
as it does after a redirect or where the new site serves its feed there in place.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from publisher.preflight.feed_readers import READERS
from publisher.preflight.feed_readers.documents import Document, Item, read_document
from publisher.preflight.feed_readers.reader import Shown

Why = Literal["identity", "later", "earlier", "missing", "reader"]
_NEXT = timedelta(hours=1)
_WORDS: dict[Why, str] = {
    "identity": "the old feed knows it as {old}, the new one as {new}",
    "later": "it is newer than anything in the old feed",
    "earlier": "it is older than what the old feed still holds",
    "missing": "the old feed does not have it",
    "reader": "the reader knows entries by more than their ids, and that is not the same",
}


class Surprise(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that readers would show as new; `why` in one word, `reason` in a sentence."""

    id: str
    title: str
    why: Why
    reason: str
    readers: tuple[str, ...]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one reader would show: counts of entries. `updated` are known ones that changed."""

    reader: str
    new: int
    updated: int


class Cutover(msgspec.Struct, frozen=True, kw_only=True):
    """How one of the new feeds looks; `new` counts entries that any reader would show as new."""

    feed: str
    entries: int
    new: int
    readers: tuple[Seen, ...]
    surprises: tuple[Surprise, ...]


def foresee_cutover(
    old: bytes, feeds: Mapping[str, bytes], address: str, now: datetime
) -> tuple[Cutover, ...]:
    """Let all readers go over from a feed to each of the new ones of its format.

    The best comes first. Raises NotAFeed where the old one is none.
    """
    before = read_document(old)
    suffix = {"atom": ".atom", "rss": ".rss", "json": ".json"}[before.format]
    found = [
        _foresee(old, before, name, body, address, now)
        for name, body in sorted(feeds.items())
        if name.endswith(suffix)
    ]
    # Entries in common go first: an empty feed surprises nobody, and loses everybody.
    return tuple(sorted(found, key=lambda each: (each.new, -each.entries, each.feed)))


def _foresee(
    old: bytes, before: Document, name: str, body: bytes, address: str, now: datetime
) -> Cutover:
    after = read_document(body)
    seen: list[Seen] = []
    surprised: dict[Item, list[str]] = {}
    for kind in READERS:
        if before.format not in kind.formats:
            continue
        reader = kind()
        reader.read(old, address, now)
        reading = reader.read(body, address, now + _NEXT)
        seen.append(Seen(reader=kind.__name__, new=len(reading.new), updated=len(reading.updated)))
        for shown in reading.new:
            surprised.setdefault(_item_of(shown, after), []).append(kind.__name__)
    surprises = tuple(
        _explain(item, tuple(surprised[item]), before) for item in after.items if item in surprised
    )
    return Cutover(
        feed=name,
        entries=len(after.items),
        new=len(surprises),
        readers=tuple(seen),
        surprises=surprises,
    )


def _item_of(shown: Shown, document: Document) -> Item:
    """The entry that was shown: by all that a reader keeps of it."""
    return max(
        document.items,
        key=lambda item: (
            item.title == shown.title,
            (item.content or item.summary) == shown.text,
            shown.link in (item.link, item.id, item.external),
        ),
    )


def _explain(item: Item, readers: tuple[str, ...], before: Document) -> Surprise:
    known = next((each for each in before.items if each.id and each.id == item.id), None)
    alike = next((each for each in before.items if _is_alike(each, item)), None)
    dates = [each.published or each.updated for each in before.items]
    moments = sorted(date for date in dates if date)
    date = item.published or item.updated
    why: Why = "missing"
    if known:
        why = "reader"
    elif alike:
        why = "identity" if alike.id else "reader"
    elif date and moments and date > moments[-1]:
        why = "later"
    elif date and moments and date < moments[0]:
        why = "earlier"
    old = alike.id if alike else ""
    reason = _WORDS[why].format(old=old, new=item.id)
    return Surprise(id=item.id, title=item.title, why=why, reason=reason, readers=readers)


def _is_alike(one: Item, other: Item) -> bool:
    # The last name in an address, which is often what of it stays.
    names = [each.link.partition("?")[0].rstrip("/").rpartition("/")[2] for each in (one, other)]
    is_near = names[0] and names[0] == names[1]
    return bool(one.title and one.title.strip() == other.title.strip()) or bool(is_near)
