"""Telling a WebSub hub that feeds have changed, beside whatever else a process does but build.

What is owed is in a file of the cache folder, so that it outlives the process; whoever comes next
tells it. A file is locked while the hub is told, so that two processes do not both do it.
"""

import fcntl
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from typing import TextIO, TypeVar

import msgspec

from publisher import __version__
from publisher.render.urls import Urls
from publisher.runtime.hub import Book, Reply, Seen, find_due, note_feeds, settle
from publisher.settings import Settings
from publisher.site.after_build import is_after_build_owed
from publisher.site.feed_files import list_feeds
from publisher.site.job import CACHE

_BOOK = "hub.json"
_CHANGING = "hub.lock"
_TELLING = "hub-telling.lock"
# How often it is looked whether anything is owed.
_LOOK_SECONDS = 0.5
_WAIT_SECONDS = 0.05
# A hub answers within this, for connecting, writing and reading each.
_HUB_SECONDS = 5.0
# What a command that has done its work waits for a hub at most.
SHORT = 2.0

Post = Callable[[str, str], Reply]
Say = Callable[[str], None]
T = TypeVar("T")


def _now() -> datetime:
    return datetime.now(UTC)


class HubBook:
    """The book of what is owed, as a file that several processes change."""

    def __init__(self, folder: Path) -> None:
        self._cache = folder / CACHE
        self._read: tuple[tuple[int, int, int], Book] | None = None

    def read(self) -> Book:
        """The book as it is; an empty one where there is none, or none that can be read."""
        try:
            info = (self._cache / _BOOK).stat()
            signature = (info.st_mtime_ns, info.st_size, info.st_ino)
            if self._read is None or self._read[0] != signature:
                book = msgspec.json.decode((self._cache / _BOOK).read_bytes(), type=Book)
                self._read = (signature, book)
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            return Book()
        return self._read[1]

    def change(self, change: Callable[[Book], tuple[Book, T]]) -> T:
        """Change the book, alone; it is durable when this returns."""
        with self._open(_CHANGING) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.read()
            after, result = change(before)
            if after != before:
                self._write(msgspec.json.format(msgspec.json.encode(after), indent=1))
        return result

    def _write(self, data: bytes) -> None:
        aside = self._cache / f"{_BOOK}.new"
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._cache / _BOOK)

    @contextmanager
    def telling(self) -> Iterator[bool]:
        """Be the one who tells; False where another process, or thread, does."""
        with self._open(_TELLING) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_alone = True
            except BlockingIOError:
                is_alone = False
            yield is_alone

    def _open(self, name: str) -> TextIO:
        self._cache.mkdir(exist_ok=True)
        return (self._cache / name).open("w")


def note_published(settings: Settings, folder: Path, output: Path, now: datetime) -> None:
    """Note which feeds the hub is to be told of, once they are really out.

    It compares bytes, whoever wrote them: what a killed build did not come to note is found too.
    """
    hub = settings.feeds.hub
    if not hub:
        return
    book = HubBook(folder)
    urls = Urls(settings.as_publication().url)
    known = {url: Seen(t.signature, t.digest) for url, t in book.read().topics.items()}
    seen = {}
    for path in list_feeds(output):
        url = urls.path(path)
        with suppress(FileNotFoundError):  # another build has just taken it away
            seen[url] = _look(output / path, known.get(url))
    # Looked at after the files: another process may have changed them, and not brought them out.
    if not is_after_build_owed(settings, folder):
        book.change(lambda before: (note_feeds(before, hub, seen, now), None))


def _look(path: Path, known: Seen | None) -> Seen:
    """A feed's file; its bytes are read only where it was written since."""
    info = path.stat()
    signature = f"{info.st_mtime_ns:x}-{info.st_size:x}-{info.st_ino:x}"
    if known is not None and known.signature == signature:
        return known
    return Seen(signature, sha256(path.read_bytes()).hexdigest())


def post_to_hub(hub: str, topic: str) -> Reply:
    """Tell a hub that a feed has changed: one POST for each, which every hub understands.

    No redirect is followed, and the answer's body is not read.
    """
    import httpx  # it takes longer than most builds

    form = {"hub.mode": "publish", "hub.url": topic}
    agent = {"User-Agent": f"publisher/{__version__}"}
    try:
        with httpx.stream("POST", hub, data=form, headers=agent, timeout=_HUB_SECONDS) as answer:
            after = read_retry_after(answer.headers.get("Retry-After", ""), _now())
            return Reply(status=answer.status_code, retry_after=after)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Reply(fault=f"no answer ({type(error).__name__})")


def read_retry_after(text: str, now: datetime) -> timedelta | None:
    """How long to wait (RFC 9110, section 10.2.3): seconds, or a date; None where it says neither.

    No number is too large: it is as good as the longest that anybody waits.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        return max(parsedate_to_datetime(text) - now, timedelta(0))
    except (ValueError, TypeError, OverflowError):  # no date, or one without a zone
        return None


class Teller:
    """Tells the hub of what is due, and says what goes wrong, once."""

    def __init__(
        self,
        folder: Path,
        say: Say,
        post: Post = post_to_hub,
        clock: Callable[[], datetime] = _now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.book = HubBook(folder)
        self.say = say
        self.post = post
        self.clock = clock
        self.chance = chance
        self.stop = Event()
        self._said = ""

    def tell(self, hub: str) -> bool:
        """Tell all that is due; False where some is left, since another process tells."""
        if not self._find(hub):
            return True
        with self.book.telling() as is_alone:
            while is_alone and not self.stop.is_set() and (url := self._find(hub)):
                self._tell(hub, url)
        return is_alone

    def _find(self, hub: str) -> str:
        book = self.book.read()
        due = find_due(book, self.clock()) if book.hub == hub else []
        return due[0] if due else ""

    def _tell(self, hub: str, url: str) -> None:
        digest = self.book.read().topics[url].digest
        reply = self.post(hub, url)
        now, chance = self.clock(), self.chance()
        said = self.book.change(lambda book: settle(book, url, digest, reply, now, chance))
        if said and said != self._said:
            self.say(said)
        self._said = said


@contextmanager
def telling(folder: Path, settings: Settings, say: Say, seconds: float = SHORT) -> Iterator[None]:
    """Tell the hub beside what is done here, and then for so many seconds more at most.

    What is left then is told by whoever comes next. Nothing that goes wrong with it matters here.
    No build belongs here: it forks, and what another thread holds then is never let go.
    """
    if not settings.feeds.hub:
        yield
        return
    teller, ended = Teller(folder, say), Event()
    work = Thread(target=_tell_until, args=(teller, settings.feeds.hub, ended), daemon=True)
    work.start()
    try:
        yield
    finally:
        ended.set()
        work.join(seconds)
        if work.is_alive():
            teller.stop.set()
            say("feeds.hub is slow: what is left is told by `publisher run`, or a later build")


def _tell_until(teller: Teller, hub: str, ended: Event) -> None:
    """Look until the end, and then until nothing is due any more."""
    fault = ""
    while not teller.stop.is_set():
        is_last = ended.wait(_LOOK_SECONDS)
        try:
            is_done = teller.tell(hub)
        except Exception as error:  # a full disk, or a defect: the next look may do better
            is_done = True
            if fault != (fault := f"feeds.hub could not be told: {error}"):
                teller.say(fault)
        if is_last and is_done:
            return
        if is_last:
            teller.stop.wait(_WAIT_SECONDS)
