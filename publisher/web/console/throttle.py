"""How often somebody may try to log in: failures are counted, by account and by client."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock

import msgspec

WINDOW_SECONDS = 900.0
# People mistype a password a few times; a colleague behind the same address is let in as well.
PER_ACCOUNT = 10
PER_CLIENT = 15
# What is remembered: those who failed longest ago are forgotten first.
_MOST_KEYS = 50_000


class Limit(msgspec.Struct, frozen=True):
    """What failures are counted by, and how many of them are borne."""

    key: bytes
    most: int


class Throttle:
    """Counts tries over the last quarter of an hour; for any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: dict[bytes, deque[float]] = {}
        self._lock = Lock()

    def admit(self, limits: Sequence[Limit]) -> int:
        """Count a try, and give 0; or, where it is one too many, the seconds until the next one.

        It counts before its outcome is known, or a hundred at once would all be let through.
        """
        with self._lock:
            now = self._clock()
            waits = [self._wait(limit, now) for limit in limits]
            if (longest := max(waits)) > 0:
                return int(longest) + 1
            for limit in limits:
                tries = self._tries.pop(limit.key, deque())
                tries.append(now)
                self._tries[limit.key] = tries
            while len(self._tries) > _MOST_KEYS:
                del self._tries[next(iter(self._tries))]
            return 0

    def take_back(self, limits: Sequence[Limit]) -> None:
        """Let the last try not have been one: it was no failure."""
        with self._lock:
            for limit in limits:
                if tries := self._tries.get(limit.key):
                    tries.pop()

    def is_spent(self, limit: Limit) -> bool:
        """Tell whether no more tries are borne."""
        with self._lock:
            return self._wait(limit, self._clock()) > 0

    def _wait(self, limit: Limit, now: float) -> float:
        tries = self._tries.get(limit.key, deque())
        while tries and tries[0] <= now - WINDOW_SECONDS:
            tries.popleft()
        return tries[0] + WINDOW_SECONDS - now if len(tries) >= limit.most else 0.0
