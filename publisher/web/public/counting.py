"""How many fetch the feeds: noted while they are served, and written by another thread.

Addresses are in memory for the moment until then, and nowhere else.
"""

import hmac
import secrets
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from publisher.errors import PublisherError
from publisher.settings import Settings
from publisher.store import readings
from publisher.store.database import Database
from publisher.store.erasing import empty_log
from publisher.web.public.agents import Report, is_crawler, read_report
from publisher.web.public.pages import Tell
from publisher.web.public.visit import limit_group

# What waits to be written: more than is served until then. Above it nobody is counted, and nobody
# has to wait.
MOST_WAITING = 20_000
# Clients of feeds in a day: what is remembered of them here, and in the database.
MOST_CLIENTS = 200_000
# Programs behind one address: a household, an office. Who has more of them makes names up.
MOST_AGENTS = 50
# Of a User-Agent nothing that matters comes later.
_AGENT_CHARACTERS = 400
_HASH_BYTES = 16
# Who reads the log meanwhile is not waited for longer; it is tried again after the pause.
_LOG_SECONDS = 1.0
_LOG_PAUSE = timedelta(minutes=1)


class _Fetch(NamedTuple):
    feed: str
    client: str
    agent: str


class Counting:
    """Counts for one site. `note` is the server's thread's, `work_off` another one's."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        tell: Tell,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._zone = ZoneInfo(settings.publication.time_zone)
        self._tell = tell
        self._clock = clock
        self._waiting: deque[_Fetch] = deque()
        self._fault = ""
        # Of the present day: its salt, and what need not be written again.
        self._day: date | None = None
        self._salt = b""
        self._clients: set[tuple[str, bytes]] = set()
        self._rows = 0
        self._hashes: set[bytes] = set()
        self._agents: Counter[bytes] = Counter()
        self._empty_log_at: datetime | None = None

    def note(self, feed: str, client: str, agent: str) -> None:
        """Note that a client was given a feed, or told that it has not changed (200, 304)."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(_Fetch(feed, client, agent[:_AGENT_CHARACTERS]))

    def work_off(self) -> None:
        """Write what was noted, in one transaction, and close a day that is over."""
        fetches = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            if self._day != self._today():
                self._begin_day()
            self._empty_log()
            self._write(fetches)
            self._fault = ""
        except PublisherError as error:  # who was not counted comes again
            if self._fault != (fault := f"readers are not counted: {error}"):
                self._fault = fault
                self._tell(fault)

    def _today(self) -> date:
        return self._clock().astimezone(self._zone).date()

    def _begin_day(self) -> None:
        publication = self._database.publication
        with self._database.write() as connection:
            # Here nobody else writes, so that nobody is ahead of the day.
            day = self._today()
            has_closed = readings.close_days(connection, publication, day)
            salt = readings.require_salt(connection, publication, day, secrets.token_bytes)
            self._rows = readings.count_clients(connection, publication, day)
        self._day, self._salt = day, salt
        for remembered in (self._clients, self._hashes, self._agents):
            remembered.clear()
        if has_closed:
            self._empty_log_at = self._clock()

    def _empty_log(self) -> None:
        """Take the last day's salt out of the database's log, where it still stands."""
        if self._empty_log_at is not None and self._clock() >= self._empty_log_at:
            is_empty = empty_log(self._database, _LOG_SECONDS)
            self._empty_log_at = None if is_empty else self._clock() + _LOG_PAUSE

    def _write(self, fetches: list[_Fetch]) -> None:
        clients: set[tuple[str, bytes]] = set()
        reports: dict[tuple[str, str, str], Report] = {}
        for fetch in fetches:
            if report := read_report(fetch.agent):
                reports[fetch.feed, report.aggregator, report.feed_id] = report
            elif not is_crawler(fetch.agent) and (client := self._find_new(fetch)):
                clients.add(client)
        if not (clients or reports) or self._day is None:
            return
        publication = self._database.publication
        with self._database.write() as connection:
            if readings.find_salt(connection, publication, self._day) != self._salt:
                return  # another process has just closed the day
            readings.note_clients(connection, publication, self._day, clients)
            for (feed, _, _), report in reports.items():
                reported = readings.Reported(
                    feed,
                    report.aggregator,
                    report.feed_id,
                    report.subscribers,
                    report.is_known,
                    self._day,
                )
                readings.note_report(connection, publication, reported)
        self._remember(clients)

    def _find_new(self, fetch: _Fetch) -> tuple[str, bytes] | None:
        """The client of a feed as it is noted; None where it was, or where there are too many."""
        group = limit_group(fetch.client)
        hash = self._hash(f"{group}\0{fetch.agent}")
        if (fetch.feed, hash) in self._clients or self._rows >= MOST_CLIENTS:
            return None
        if hash not in self._hashes:
            family = self._hash(group)
            if self._agents[family] >= MOST_AGENTS:
                return None
            self._agents[family] += 1
            self._hashes.add(hash)
        return fetch.feed, hash

    def _hash(self, text: str) -> bytes:
        return hmac.digest(self._salt, text.encode("utf-8", "replace"), "sha256")[:_HASH_BYTES]

    def _remember(self, clients: set[tuple[str, bytes]]) -> None:
        self._clients |= clients
        self._rows += len(clients)
        if self._rows >= MOST_CLIENTS and clients:
            self._tell(f"more than {MOST_CLIENTS:,} clients today: the rest is not counted")
