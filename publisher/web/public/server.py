"""All that the handlers of the public site need, put together once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from litestar import Response
from sqlalchemy import Connection, text

from publisher.runtime.start import load_keys
from publisher.settings import Settings
from publisher.store.database import Database
from publisher.web.public.answers import Answers
from publisher.web.public.asking import Asking
from publisher.web.public.consents import Link, LinkPurpose, Press, look, press, read_link
from publisher.web.public.limits import Limits
from publisher.web.public.notices import Kind
from publisher.web.public.pages import Pages, Tell
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


class PublicServer:
    """The public site of one publication, apart from HTTP's own forms."""

    def __init__(self, folder: Path, settings: Settings, database: Database, tell: Tell) -> None:
        self.public = folder / "public"
        self.pages = Pages(folder, settings, tell)
        self.asking = Asking(database, settings, folder, tell)
        self.answers = Answers(settings)
        self.doorway = Doorway(settings)
        self.limits = Limits()
        self.tell = tell
        self._database = database
        self._keys = load_keys(database, settings).links
        self._readers = ThreadPoolExecutor(_READERS, "reader")
        # One: the database lets only one write at a time, and readers are not to wait for that.
        self._writer = ThreadPoolExecutor(1, "writer")

    def show(
        self,
        kind: Kind,
        *,
        status: int = 0,
        address: str = "",
        headers: dict[str, str] | None = None,
    ) -> Response[bytes]:
        """A page of the server's own."""
        page = self.pages.render(kind, address)
        status = status or _STATUSES.get(kind, 200)
        retry = {"Retry-After": _RETRY_SECONDS} if status in (429, 503) else {}
        return self.answers.show_page(page, status, retry | (headers or {}))

    def find_link(self, visit: Visit, purpose: LinkPurpose) -> Link | None:
        """The link of a request, whose path has the token in its one spelling and nothing else."""
        token = visit.path.removeprefix(f"/{purpose}/")
        return read_link(token, purpose, self._keys)

    async def look(self, link: Link) -> Kind:
        """What a link's page says now."""
        publication, now = self._database.publication, datetime.now(UTC)
        return await self._run(
            self._readers, self._read, lambda connection: look(connection, publication, link, now)
        )

    async def press(self, link: Link, pressed: Press) -> Kind:
        """Do what a link's button says; durable when this returns."""
        publication = self._database.publication
        return await self._run(
            self._writer,
            self._write,
            lambda connection: press(connection, publication, link, pressed),
        )

    async def require_database(self) -> None:
        """Raise StoreError where the database does not answer."""
        await self._run(self._readers, self._read, lambda c: c.execute(text("SELECT 1")).scalar())

    def close(self) -> None:
        self._readers.shutdown(cancel_futures=True)
        self._writer.shutdown()
        self.asking.work_off()

    def _read(self, query: Callable[[Connection], T]) -> T:
        with self._database.read() as connection:
            return query(connection)

    def _write(self, change: Callable[[Connection], T]) -> T:
        with self._database.write() as connection:
            return change(connection)

    async def _run(self, threads: ThreadPoolExecutor, function: Callable[[A], T], argument: A) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, function, argument)
