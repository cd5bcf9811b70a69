"""What was taken and has no connection yet: from a task to its message, in turn."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from publisher.message.splice import Unfinished
from publisher.runtime.exchange import Result
from publisher.runtime.line import Ready, make_letter
from publisher.runtime.reserve import KeptBack
from publisher.runtime.signers import Signers
from publisher.store.deliveries import Taken

# So many messages are made at once: meanwhile all connections wait.
_AT_ONCE = 4
# So long a task waits for a connection at most: who left meanwhile should not be written to.
_AHEAD_SECONDS = 1.0

Compose = Callable[[Taken], Unfinished]


class Queue:
    """Tasks, whose messages are made just before they are given out, or signed beside meanwhile.

    What is `kept` back is not given out. What waits for too long is not either: it comes back as a
    result. `hear` is given that, and what comes of a task whose message cannot be made; `serve` is
    called when messages have been signed. For one thread.
    """

    def __init__(
        self,
        compose: Compose,
        signers: Signers,
        kept: KeptBack,
        hear: Callable[[Result], None],
        serve: Callable[[], None],
    ) -> None:
        self._compose = compose
        self._signers = signers
        self._kept = kept
        self._hear = hear
        self._serve = serve
        # Each with the moment at which it came, of the monotonic clock.
        self._waiting: deque[tuple[Taken, float]] = deque()
        self._made: deque[Ready] = deque()
        # How many are being signed.
        self._unsigned = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._made) + self._unsigned

    def add(self, tasks: Sequence[Taken]) -> None:
        """Take tasks in, of which the intents are just on disk."""
        now = time.monotonic()
        if not self._signers.are_needed:
            self._waiting += [(task, now) for task in tasks]
            return
        for task in tasks:
            self._sign(task, now)
        self._signers.flush()

    def give(self, relay: str) -> Ready | None:
        """The next message that goes over a relay, made if need be."""
        while len(self) > len(self._kept):
            for place, ready in enumerate(self._made):
                if ready.task.relay == relay and ready.task.id not in self._kept:
                    del self._made[place]
                    if not is_late(ready.since):
                        return ready
                    self._hear(withdrawn(ready.task))
                    break
            else:
                if not any(task.relay == relay for task, _ in self._waiting):
                    return None
                self._make_some()
        return None

    def withdraw(self, is_wanted_back: Callable[[Taken], bool]) -> None:
        """Give those back that are wanted back, and those that wait for too long."""
        came = [*self._waiting, *((task, since) for task, _, since in self._made)]
        back = [task for task, since in came if is_late(since) or is_wanted_back(task)]
        if not back:
            return
        ids = {task.id for task in back}
        self._waiting = deque(each for each in self._waiting if each[0].id not in ids)
        self._made = deque(each for each in self._made if each.task.id not in ids)
        self._kept.forget(ids)
        for task in back:
            self._hear(withdrawn(task))

    def _make_some(self) -> None:
        """Make the next messages: several are made more quickly than each by itself."""
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            task, since = self._waiting.popleft()
            if (unfinished := self._make(task)) is not None:
                self._made.append(Ready(task, make_letter(unfinished.finish(())), since))

    def _make(self, task: Taken) -> Unfinished | None:
        """Make a task's message; where that breaks, it is a result."""
        try:
            return self._compose(task)
        except Exception as defect:
            self._hear(broken(task, defect))
            self._kept.forget((task.id,))
            return None

    def _sign(self, task: Taken, since: float) -> None:
        if (unfinished := self._make(task)) is not None:
            self._unsigned += 1
            self._signers.sign(unfinished, partial(self._finish, task, since, unfinished))

    def _finish(
        self, task: Taken, since: float, unfinished: Unfinished, signatures: Sequence[bytes]
    ) -> None:
        self._unsigned -= 1
        self._made.append(Ready(task, make_letter(unfinished.finish(signatures)), since))
        self._serve()


def is_late(since: float) -> bool:
    """Tell whether what waits since a moment of the monotonic clock does so for too long."""
    return time.monotonic() - since > _AHEAD_SECONDS


def withdrawn(task: Taken) -> Result:
    """What comes of a task that no connection has begun."""
    return Result(task, None, is_withdrawn=True)


def broken(task: Taken, defect: Exception) -> Result:
    """What comes of a task that broke before its body went."""
    return Result(task, None, f"{type(defect).__name__}: {defect}")
