"""The delivery loop: the dispatcher's decisions, the pool's connections and the clock, together."""

import gc
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event

from publisher.runtime.dispatch import Dispatcher
from publisher.runtime.exchange import Result, goes_well
from publisher.runtime.pool import Pool
from publisher.store.deliveries import Taken
from publisher.store.errors import StoreError

# What other processes change in the database is noticed within this.
_LOOK_SECONDS = 0.2
# What is in flight when the loop is told to stop may end; the rest of 30 s is for leaving.
_GRACE_SECONDS = 20.0
_LAST_SECONDS = 4.0
# A full disk is waited for; results that were read must not be lost.
_STORE_SECONDS = 1.0

IsOver = Callable[[datetime], bool]


def now_utc() -> datetime:
    return datetime.now(UTC)


class Loop:
    """Delivers until `is_over`, or until `stop` is set, and then lets what is in flight end.

    `patience` is how many seconds a database that cannot be written is waited for. It is over too
    when nothing may be taken any more, because another process delivers now.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        pool: Pool,
        stop: Event,
        patience: float,
        clock: Callable[[], datetime] = now_utc,
        may_take: Callable[[], bool] = lambda: True,
    ) -> None:
        self.dispatcher = dispatcher
        if dispatcher.batches.jobs is None:  # else others wait for the rows that a step has locked
            dispatcher.meanwhile = pool.attend
        self.pool = pool
        self.stop = stop
        self.patience = patience
        self.clock = clock
        self.may_take = may_take
        # When it has to be over, by the monotonic clock, once it was told to stop.
        self._end: float | None = None

    def run(self, is_over: IsOver) -> None:
        """Deliver. Raises StoreError where the database cannot be written for too long."""
        gc.freeze()  # what was imported stays, and need not be looked over again and again
        results: list[Result] = []
        while not self.stop.is_set():
            now = self.clock()
            deadline = time.monotonic() + self.patience
            may_wait = goes_well(results) and self.pool.is_quick
            room = self.pool.room_with(self.pool.ahead if may_wait else 0)
            self.pool.begin(self._step(now, results, room, deadline))
            if self.pool.ahead:  # else what waits has a connection that is just being closed
                self.pool.withdraw(self.dispatcher.wants_back)
            results = []  # they are on disk
            if is_over(now) or not self.may_take():
                break
            results = self.pool.collect(self._wait(now))
        self._drain(results)

    def _step(
        self, now: datetime, results: list[Result], room: int, deadline: float
    ) -> list[Taken]:
        """One step; a database that cannot be written is asked again until the deadline."""
        while True:
            try:
                return self.dispatcher.step(now, results, room if self.may_take() else 0)
            except StoreError:
                if time.monotonic() > (self._end or deadline):
                    raise
                time.sleep(_STORE_SECONDS)
                if self.stop.is_set():
                    room = 0
                    self._end = self._end or time.monotonic() + _GRACE_SECONDS

    def _wait(self, now: datetime) -> float:
        """How long nothing need be done, in seconds."""
        if self.pool.is_busy and not self.pool.room:
            return _LOOK_SECONDS
        upcoming = self.dispatcher.next_try(now)
        wait = upcoming - now if upcoming else timedelta(seconds=_LOOK_SECONDS)
        return min(max(wait.total_seconds(), 0.001), _LOOK_SECONDS)

    def _drain(self, results: list[Result]) -> None:
        """Let what is in flight end, break off what does not, and record all of it.

        Where a connection is not open yet, nothing is in flight.
        """
        self._end = self._end or time.monotonic() + _GRACE_SECONDS
        self.pool.interrupt(is_opening_only=True)
        results = self._collect_until(self._end, results)
        self.pool.interrupt()
        self._end = time.monotonic() + _LAST_SECONDS
        self._collect_until(self._end, results)
        self.pool.close()

    def _collect_until(self, deadline: float, results: list[Result]) -> list[Result]:
        while results or (self.pool.is_busy and time.monotonic() < deadline):
            self.pool.withdraw(lambda task: True, is_announced_too=False)
            self._step(self.clock(), results, 0, deadline)
            results = self.pool.collect(_LOOK_SECONDS) if self.pool.is_busy else []
        return results


def make_random() -> Callable[[], float]:
    """Chance for the jitter of waits, where nothing has to be secret."""
    return random.Random().random  # noqa: S311 - see above
