"""Procrastinate's worker, in a thread beside the delivery loop: it brings batches to deliver.

A job ends when the loop says that its batch is over. A worker that is not heard of for LEASE has
its jobs given to others, by whoever notices first.
"""

import asyncio
import logging
import os
import socket
from collections import deque
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING, Any

from publisher.store.columns import to_milliseconds
from publisher.store.engine_postgresql import connect_arguments
from publisher.store.jobs import TASK, name_queue
from publisher.store.place import Place
from publisher.store.place_server import ServerPlace

if TYPE_CHECKING:
    from procrastinate import App

# In seconds: who is silent for so long has lost its batches.
LEASE = 10.0
_HEARTBEAT = 2.0
# In seconds: whoever was heard of within this has its batches, whatever became of their jobs.
SILENT = LEASE - _HEARTBEAT
# In seconds: a lost connection is tried again; jobs are looked for where no notice came of them.
_AGAIN = 1.0
# So many batches at once: the next one is at hand before the last one's last replies are.
_AT_ONCE = 3
_STOPPING = 5.0


def name_process() -> str:
    """What this process is called among those that deliver: HOST:PID."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Jobs:
    """The batches that come to this process, and how it is seen by others.

    `only` is the mailing whose batches alone are wanted. `sent` counts accepted messages;
    `fault` is why no batches come, empty where they may.
    """

    def __init__(self, url: str, only: int | None, *, is_lead: bool) -> None:
        self.name = name_process()
        self.sent = 0
        self.fault = ""
        self._is_lead = is_lead
        self._queues = None if only is None else [name_queue(only)]
        _, self._options = connect_arguments(url)
        self._arrived: deque[int] = deque()
        self._over: dict[int, asyncio.Event] = {}
        self._loop = asyncio.new_event_loop()
        self._is_stopping = False
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._started_at = self._shown_at = datetime.now(UTC)
        self._thread.start()

    def stop(self) -> None:
        """Let the jobs of all batches end, and the thread; who is gone is not waited for."""
        self._is_stopping = True
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(_STOPPING)

    def next_arrived(self) -> int | None:
        """A batch that came and was not dropped yet."""
        return self._arrived[0] if self._arrived else None

    def drop_arrived(self) -> None:
        self._arrived.popleft()

    def end(self, batch: int) -> None:
        """A batch is over here; its job ends."""
        self._loop.call_soon_threadsafe(self._end_one, batch)

    # In the thread

    def _run(self) -> None:
        for name in ("procrastinate", "psycopg.pool"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        asyncio.set_event_loop(self._loop)
        # That a job cannot be ended is nothing to tell: others have it, or will.
        self._loop.set_exception_handler(lambda loop, context: None)
        self._main = self._loop.create_task(self._serve_always())
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._main)
        self._loop.close()

    def _end(self) -> None:
        for batch in list(self._over):
            self._end_one(batch)
        self._main.cancel()

    def _end_one(self, batch: int) -> None:
        if batch in self._over:
            self._over[batch].set()

    async def _serve_always(self) -> None:
        while not self._is_stopping:
            try:
                await self._serve()
            except Exception as error:  # such as a server that is gone, and comes back
                self.fault = str(error.__cause__ or error)
            await asyncio.sleep(_AGAIN)

    async def _serve(self) -> None:
        app = self._make_app()
        async with app.open_async():
            works = app.run_worker_async(
                queues=self._queues,  # type: ignore[arg-type] # None is all
                name=self.name,
                concurrency=_AT_ONCE,
                fetch_job_polling_interval=_AGAIN,
                shutdown_graceful_timeout=_STOPPING / 2,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=_HEARTBEAT,
                stalled_worker_timeout=LEASE,
            )
            try:
                await _until_one_ends(works, self._retry_stalled(app), self._show(app))
            finally:
                if self._is_stopping:
                    with suppress(Exception):
                        await app.connector.execute_query_async(_LEAVE, name=self.name)
                        await app.connector.execute_query_async(_UNSHOW, name=self.name)

    def _make_app(self) -> "App":
        from procrastinate import App, PsycopgConnector

        connector = PsycopgConnector(
            conninfo="", kwargs=self._options, min_size=1, max_size=3, timeout=_STOPPING
        )
        app = App(connector=connector)
        app.task(name=TASK)(self._carry)
        return app

    async def _carry(self, batch: int) -> None:
        """A job: until the loop says that the batch is over."""
        over = self._over[batch] = asyncio.Event()
        self._arrived.append(batch)
        try:
            await over.wait()
        finally:
            if self._over.get(batch) is over:
                del self._over[batch]

    async def _retry_stalled(self, app: "App") -> None:
        """Let others have what a worker left that is not heard of any more."""
        from procrastinate.exceptions import ConnectorException

        while True:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LEASE):
                with suppress(ConnectorException):  # another one was quicker
                    await app.job_manager.retry_job(job)
            await asyncio.sleep(_HEARTBEAT)

    async def _show(self, app: "App") -> None:
        """Let others see that this process lives, and how quick it is."""
        before = self.sent
        while True:
            now = datetime.now(UTC)
            seconds = max((now - self._shown_at).total_seconds(), 0.1)
            values = {"name": self.name, "started_at": to_milliseconds(self._started_at)}
            values |= {"is_lead": self._is_lead, "sent": self.sent}
            values |= {"rate": (self.sent - before) / seconds}
            before, self._shown_at = self.sent, now
            await app.connector.execute_query_async(_SHOW, **values)
            self.fault = ""
            await asyncio.sleep(_HEARTBEAT)


_SHOW: Any = """
    INSERT INTO worker (name, started_at, seen_at, is_lead, sent, rate)
    VALUES (%(name)s, %(started_at)s, (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint,
        %(is_lead)s, %(sent)s, %(rate)s)
    ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at, seen_at = excluded.seen_at,
        is_lead = excluded.is_lead, sent = excluded.sent, rate = excluded.rate
"""
# Others need not wait for what is not begun here any more.
_LEAVE: Any = "UPDATE batch SET holder = NULL WHERE holder = %(name)s"
_UNSHOW: Any = "DELETE FROM worker WHERE name = %(name)s"


@contextmanager
def working(place: Place, only: int | None, *, is_lead: bool) -> Iterator[Jobs | None]:
    """What brings batches, where mailings are delivered in those: by a server's database."""
    if not isinstance(place, ServerPlace):
        yield None
        return
    jobs = Jobs(place.url, only, is_lead=is_lead)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.stop()


async def _until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Do all of them at once until one ends, and then end the others. Raises what that one did."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for each in ended:
        if isinstance(each, Exception):
            raise each
