"""Reading sources: a few at a time, one of each host, and none that stops the others."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from threading import Condition, Lock, Thread
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from publisher.runtime.fetching import Fetched, Validators, fetch
from publisher.runtime.log import describe_defect
from publisher.runtime.shelf import Kept, Shelf
from publisher.runtime.websub import read_retry_after
from publisher.sources.choose import date_entries
from publisher.sources.feed import read_feed
from publisher.sources.model import Feed, Source, UnreadableError

Status = Literal["fetched", "not modified", "waiting", "gone", "failed"]
Fetch = Callable[..., Fetched]
Progress = Callable[[str, int, int], None]

_AT_ONCE = 6
# For all sources together: an operator waits for it.
SECONDS = 90.0
# RFC 9110, section 15.5.11: gone is gone; whoever comes back does so within a month, or with
# another address.
_GONE = timedelta(days=30)
# As long as anybody may ask us to wait, and what is waited where they do not say how long.
_LONGEST_WAIT = timedelta(days=1)
_USUAL_WAIT = timedelta(minutes=15)
_BUSY = (429, 503)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What came of reading a source; without a feed nothing is known of its entries.

    `reason` says why it failed or was not asked, and what there is to do about its address.
    """

    source: Source
    status: Status
    reason: str = ""
    feed: Feed | None = None


class Reader:
    """Reads sources, each with what is kept of it."""

    def __init__(self, shelf: Shelf, now: datetime, fetch: Fetch, seconds: float = SECONDS) -> None:
        self.shelf = shelf
        self.now = now
        self.fetch = fetch
        self.seconds = seconds
        # Trees of several large feeds at once would fill a small machine.
        self._parsing = Lock()

    def read_all(self, sources: Sequence[Source], progress: Progress | None) -> list[Reading]:
        """Read sources, in their order, within the time that there is for all of them."""
        queues: dict[str, deque[tuple[int, Source]]] = {}
        for place, source in enumerate(sources):
            queues.setdefault(urlsplit(source.url).netloc, deque()).append((place, source))
        hosts, found, changed = deque(queues.values()), dict[int, Reading](), Condition()

        def work() -> None:
            while True:
                with changed:
                    if not hosts:
                        return
                    queue = hosts.popleft()
                busy = ""
                for place, source in queue:
                    reading = self._read(source, busy)
                    busy = busy or (reading.reason if reading.status == "waiting" else "")
                    with changed:
                        found[place] = reading
                        changed.notify()

        for _ in range(min(_AT_ONCE, len(hosts))):
            Thread(target=work, name="source", daemon=True).start()
        return self._wait(sources, found, changed, progress)

    def _wait(
        self,
        sources: Sequence[Source],
        found: dict[int, Reading],
        changed: Condition,
        progress: Progress | None,
    ) -> list[Reading]:
        end = time.monotonic() + self.seconds
        with changed:
            while len(found) < len(sources) and (left := end - time.monotonic()) > 0:
                changed.wait(left)
                if progress:
                    progress("Reading sources", len(found), len(sources))
            late = f"it was not read within {self.seconds:g} s, which is the limit for all sources"
            return [
                found.get(place) or Reading(source=source, status="failed", reason=late)
                for place, source in enumerate(sources)
            ]

    def _read(self, source: Source, busy: str) -> Reading:
        """Read one source; `busy` says that its host has just asked to be left alone."""
        try:
            kept = self.shelf.read(source.url)
            if kept.wait_until and kept.wait_until > self.now:
                return self._leave(source, kept, kept.why)
            return self._leave(source, kept, busy) if busy else self._ask(source, kept)
        except UnreadableError as error:
            return Reading(source=source, status="failed", reason=str(error))
        except Exception as error:  # a full disk, or a defect: the others are read all the same
            return Reading(source=source, status="failed", reason=describe_defect(error))

    def _leave(self, source: Source, kept: Kept, why: str) -> Reading:
        """Do not ask now; what it sent last counts, unless it is gone."""
        if kept.is_gone:
            return Reading(source=source, status="gone", reason=why)
        feed = self._parse(source, kept)[0] if kept.body else None
        return Reading(source=source, status="waiting", reason=why, feed=feed)

    def _ask(self, source: Source, kept: Kept) -> Reading:
        known = kept.validators if kept.body else None
        fetched = self.fetch(kept.moved_to or source.url, known=known)
        if fetched.is_unmodified and kept.body:
            feed, kept = self._parse(source, kept)
            kept = msgspec.structs.replace(kept, wait_until=None, why="")
            self.shelf.write(source.url, kept)
            reason = _name_move(kept)
            return Reading(source=source, status="not modified", reason=reason, feed=feed)
        if fetched.fault or not fetched.body:
            return self._note_failure(source, kept, fetched)
        kept = Kept(
            validators=fetched.validators,
            content_type=fetched.content_type,
            body=fetched.body,
            moved_to=fetched.moved_to or kept.moved_to,
            seen=kept.seen,
        )
        feed, kept = self._parse(source, kept)
        self.shelf.write(source.url, kept)
        return Reading(source=source, status="fetched", reason=_name_move(kept), feed=feed)

    def _parse(self, source: Source, kept: Kept) -> tuple[Feed, Kept]:
        url = kept.validators.url or source.url
        with self._parsing:
            feed = read_feed(kept.body, kept.content_type, url)
        feed, seen = date_entries(feed, kept.seen, self.now)
        return feed, msgspec.structs.replace(kept, seen=seen)

    def _note_failure(self, source: Source, kept: Kept, fetched: Fetched) -> Reading:
        """Say why there is nothing, and remember what the server asked for."""
        reason = fetched.fault or "it answered nothing"
        if fetched.status == 410:
            reason = "it is gone for good (410): take it out of the list"
            until = self.now + _GONE
            gone = Kept(wait_until=until, why=reason, is_gone=True)
            self.shelf.write(source.url, gone)
            return Reading(source=source, status="gone", reason=reason)
        asked = read_retry_after(fetched.retry_after, self.now) if fetched.retry_after else None
        if fetched.status in _BUSY and (asked is not None or fetched.status == 429):
            until = self.now + min(_USUAL_WAIT if asked is None else asked, _LONGEST_WAIT)
            why = f"{reason}, and is not asked before {until:%Y-%m-%d %H:%M} UTC"
            kept = msgspec.structs.replace(kept, wait_until=until, why=why)
            self.shelf.write(source.url, kept)
            return self._leave(source, kept, why)
        if kept.moved_to:  # the next reading begins where the list says again
            lost = msgspec.structs.replace(kept, moved_to="", validators=Validators(), body=b"")
            self.shelf.write(source.url, lost)
        return Reading(source=source, status="failed", reason=reason)


def _name_move(kept: Kept) -> str:
    """Where a source has moved for good, which belongs into the list."""
    return f"it has moved for good to {kept.moved_to}" if kept.moved_to else ""


def open_reader(
    shelf: Shelf, now: datetime, agent: str, private_hosts: Sequence[str], seconds: float = SECONDS
) -> Reader:
    """A reader that really asks, each host once at a time, also where redirects lead."""
    turns = Turns()
    asking = partial(fetch, agent=agent, private_hosts=private_hosts, take_turn=turns.take)
    return Reader(shelf, now, asking, seconds)


class Turns:
    """A lock for each host."""

    def __init__(self) -> None:
        self._adding = Lock()
        self._locks: dict[str, Lock] = {}

    def take(self, host: str) -> Lock:
        with self._adding:
            return self._locks.setdefault(host, Lock())
