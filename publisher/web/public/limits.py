"""How often the form may be used: by one client, and by all of them together."""

import time
from collections import Counter, deque
from collections.abc import Callable

# People behind one address, an office or a school, come in small numbers; a program that goes
# through a list of other people's addresses does not.
PER_CLIENT = 20
# A day in which everybody subscribes fits. It also bounds what is remembered here, and the mail
# that strangers can make us send.
IN_ALL = 2_000
WINDOW_SECONDS = 3_600.0


class Limits:
    """Counts uses over the last hour; for one thread. It knows clients only, never addresses."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._uses: deque[tuple[float, str]] = deque()
        self._counts: Counter[str] = Counter()

    def admit(self, client: str) -> bool:
        """Count one more use, or tell that it is one too many."""
        now = self._clock()
        while self._uses and self._uses[0][0] <= now - WINDOW_SECONDS:
            self._forget(self._uses.popleft()[1])
        if len(self._uses) >= IN_ALL or self._counts[client] >= PER_CLIENT:
            return False
        self._uses.append((now, client))
        self._counts[client] += 1
        return True

    def _forget(self, client: str) -> None:
        self._counts[client] -= 1
        if not self._counts[client]:
            del self._counts[client]
