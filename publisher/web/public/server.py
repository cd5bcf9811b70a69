"""All that the handlers of the public site need, put together once."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from litestar import Response
from sqlalchemy import Connection, text

from publisher.audience.choosing import make_offer
from publisher.errors import PublisherError
from publisher.message.links import Purpose
from publisher.runtime.start import load_keys
from publisher.settings import Settings
from publisher.store.database import Database
from publisher.store.erasing import scrub
from publisher.store.evidence import is_doubtful
from publisher.store.wishes import NewWish
from publisher.web.public.answers import Answers
from publisher.web.public.asking import Asking
from publisher.web.public.consents import Link, Press, Seen, look, note_link, press, read_link
from publisher.web.public.counting import Counting
from publisher.web.public.fileserver import FileServer
from publisher.web.public.limits import Limits
from publisher.web.public.names import choose_language
from publisher.web.public.notices import Kind
from publisher.web.public.pages import Pages, Tell
from publisher.web.public.search import Asked, Search, show_found
from publisher.web.public.visit import Doorway, Visit

# More than a disk answers at once, fewer than the database has connections for.
_READERS = 6

A = TypeVar("A")
T = TypeVar("T")

_STATUSES: dict[Kind, int] = {
    "link_unusable": 404,
    "not_found": 404,
    "refused": 403,
    "bad_address": 422,
    "unavailable": 503,
}
_RETRY_SECONDS = "60"
# An answer to a wish comes at a multiple of the one, which writing it down takes a part of, and is
# waited for no longer than the other.
_STEP_SECONDS = 0.1
_KEEP_SECONDS = 2.0


class PublicServer:
    """The public site of one publication, apart from HTTP's own forms."""

    def __init__(self, folder: Path, settings: Settings, database: Database, tell: Tell) -> None:
        self.files = FileServer(folder / "public", settings)
        self.pages = Pages(folder, settings, tell)
        self.asking = Asking(database, settings, folder, tell)
        self.answers = Answers(settings)
        own_urls = (settings.as_publication().url, settings.web_url)
        self.doorway = Doorway(own_urls, settings.web.trusted_proxies)
        self.limits = Limits()
        self.search = Search(folder, tell)
        self.counting = Counting(database, settings, tell)
        self.tell = tell
        self.publication = settings.as_publication()
        self.offer = make_offer(settings)
        self.database = database
        self._keys = load_keys(database, settings).links
        self._readers = ThreadPoolExecutor(_READERS, "reader")
        # One: the database lets only one write at a time, and readers are not to wait for that.
        self._writer = ThreadPoolExecutor(1, "writer")
        self._scrubber = ThreadPoolExecutor(1, "scrubber")

    def show(
        self,
        kind: Kind,
        *,
        status: int = 0,
        address: str = "",
        language: str = "",
        is_of_preferences: bool = False,
        headers: dict[str, str] | None = None,
    ) -> Response[bytes]:
        """A page of the server's own, in a language that a reader chose."""
        page = self.pages.render(kind, address, language, is_of_preferences=is_of_preferences)
        status = status or _STATUSES.get(kind, 200)
        retry = {"Retry-After": _RETRY_SECONDS} if status in (429, 503) else {}
        return self.answers.show_page(page, status, retry | (headers or {}))

    def show_seen(self, seen: Seen) -> Response[bytes]:
        """The page that a link leads to."""
        return self.show(seen.kind, address=seen.address, language=seen.language)

    def choose_language(self, text: str) -> str:
        """A language that a form names, where there are words in it; empty for our own."""
        return choose_language(text, self.pages.languages, self.publication.language)

    async def take(self, wish: NewWish | None) -> None:
        """Keep a wish, if it is one, and come back at a moment that tells nothing of it.

        It is durable then, unless others write to the database for longer than anybody waits.
        """
        begun = time.monotonic()
        if wish is not None:
            kept = asyncio.ensure_future(self._run(self._writer, self.asking.keep, wish))
            done, _ = await asyncio.wait((kept,), timeout=_KEEP_SECONDS)
            if done:
                kept.result()
            else:
                kept.add_done_callback(self._tell_lost)
        await asyncio.sleep(-(time.monotonic() - begun) % _STEP_SECONDS)

    def _tell_lost(self, kept: asyncio.Future[None]) -> None:
        if not kept.cancelled() and (error := kept.exception()):
            why = str(error) if isinstance(error, PublisherError) else type(error).__name__
            self.tell(f"what somebody asked for was lost: {why}")

    async def show_found(self, asked: Asked) -> Response[bytes]:
        """The page of what a query finds. Raises PublisherError where it cannot be made."""
        found = await self.search.find(asked)
        page = self.pages.fill(show_found(asked, found))
        if found is None:
            return self.answers.show_page(page, 503, {"Retry-After": _RETRY_SECONDS})
        return self.answers.show_page(page)

    def find_link(self, visit: Visit, purpose: Purpose) -> Link | None:
        """The link of a request, whose path has the token in its one spelling and nothing else."""
        token = visit.path.removeprefix(f"/{purpose}/")
        return read_link(token, purpose, self._keys)

    async def look(self, link: Link) -> Seen:
        """What a link's page says now."""
        publication, now = self.database.publication, datetime.now(UTC)

        def read(connection: Connection) -> tuple[Seen, bool]:
            doubtful = is_doubtful(connection, publication, link.delivery, link.ref)
            return look(connection, publication, link, now), doubtful

        seen, is_evidence = await self.read(read)
        if is_evidence:
            await self.write(lambda it: note_link(it, publication, link, now, is_used=False))
        return seen

    async def press(self, link: Link, pressed: Press) -> Seen:
        """Do what a link's button says; durable when this returns."""
        publication, means = self.database.publication, self.asking.means
        return await self.write(
            lambda connection: press(connection, publication, link, pressed, means)
        )

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Ask the database, in another thread."""
        return await self._run(self._readers, self._read, query)

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Change the database, in a thread of its own; durable when this returns."""
        return await self._run(self._writer, self._write, change)

    def scrub(self, emails: Sequence[str]) -> None:
        """Take what an erasure left in the database's files out of them, after its answer."""
        self._scrubber.submit(self._scrub, emails)

    def _scrub(self, emails: Sequence[str]) -> None:
        try:
            if not scrub(self.database, *emails):
                self.tell("a reader was erased; the database's log keeps traces for a while")
        except Exception as error:  # nobody waits for it
            self.tell(f"a reader was erased, but traces may be left: {type(error).__name__}")

    async def require_database(self) -> None:
        """Raise StoreError where the database does not answer."""
        await self.read(lambda connection: connection.execute(text("SELECT 1")).scalar())

    def close(self) -> None:
        self.files.close()
        self._readers.shutdown(cancel_futures=True)
        self._writer.shutdown()
        self._scrubber.shutdown()
        self.search.close()
        self.asking.work_off()
        self.counting.work_off()

    def _read(self, query: Callable[[Connection], T]) -> T:
        with self.database.read() as connection:
            return query(connection)

    def _write(self, change: Callable[[Connection], T]) -> T:
        with self.database.write() as connection:
            return change(connection)

    async def _run(self, threads: ThreadPoolExecutor, function: Callable[[A], T], argument: A) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, function, argument)
