"""What was taken and has no connection yet: from a task to its message, in turn."""

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
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

    `loose` of them at most are given out between two calls of `add`, which is when more is on disk;
    the rest is kept back until then. `hear` is given the result where making one breaks, and
    `serve` is called when messages have been signed. For one thread.
    """

    def __init__(
        self,
        compose: Compose,
        signers: Signers,
        loose: int,
        hear: Callable[[Result], None],
        serve: Callable[[], None],
    ) -> None:
        self._compose = compose
        self._signers = signers
        self._kept = KeptBack(loose)
        self._hear = hear
        self._serve = serve
        self._waiting: deque[Taken] = deque()
        self._made: deque[Ready] = deque()
        # How many are being signed.
        self._unsigned = 0
        # When one was given out last.
        self._served_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._made) + self._unsigned

    def add(self, tasks: Sequence[Taken]) -> None:
        """Take tasks in; what was kept back until now may go, but for what is kept back anew."""
        self._kept.end_step()
        if not self:
            self._served_at = time.monotonic()
        if not self._signers.are_needed:
            self._waiting += tasks
            return
        for task in tasks:
            self._sign(task)
        self._signers.flush()

    def keep_back(self, tasks: Sequence[Taken], announced: int) -> Collection[int]:
        """Tell which ones none gets before the `add` after that of these tasks.

        So many were `announced` already, and not begun.
        """
        return self._kept.choose(len(self) + announced, tasks)

    def give(self, relay: str) -> Ready | None:
        """The next message that goes over a relay, made if need be."""
        while len(self) > len(self._kept):
            for place, ready in enumerate(self._made):
                if ready[0].relay == relay and ready[0].id not in self._kept:
                    del self._made[place]
                    self._served_at = time.monotonic()
                    return ready
            if not any(task.relay == relay for task in self._waiting):
                break
            self._make_some()
        return None

    def withdraw(self, is_wanted_back: Callable[[Taken], bool]) -> list[Taken]:
        """Take those out that are wanted back; all, where none was given out for long."""
        is_over = is_late(self._served_at)
        tasks = [*self._waiting, *(task for task, _ in self._made)]
        back = [task for task in tasks if is_over or is_wanted_back(task)]
        if back:
            ids = {task.id for task in back}
            self._waiting = deque(task for task in self._waiting if task.id not in ids)
            self._made = deque(each for each in self._made if each[0].id not in ids)
            self._kept.forget(ids)
        return back

    def _make_some(self) -> None:
        """Make the next messages: several are made more quickly than each by itself."""
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            task = self._waiting.popleft()
            if (unfinished := self._make(task)) is not None:
                self._made.append((task, make_letter(unfinished.finish(()))))

    def _make(self, task: Taken) -> Unfinished | None:
        """Make a task's message; where that breaks, it is a result."""
        try:
            return self._compose(task)
        except Exception as defect:
            self._hear(broken(task, defect))
            self._kept.forget((task.id,))
            return None

    def _sign(self, task: Taken) -> None:
        if (unfinished := self._make(task)) is not None:
            self._unsigned += 1
            self._signers.sign(unfinished, partial(self._finish, task, unfinished))

    def _finish(self, task: Taken, unfinished: Unfinished, signatures: Sequence[bytes]) -> None:
        self._unsigned -= 1
        self._made.append((task, make_letter(unfinished.finish(signatures))))
        self._serve()


def is_late(since: float) -> bool:
    """Tell whether what waits since a moment of the monotonic clock does so for too long."""
    return time.monotonic() - since > _AHEAD_SECONDS


def broken(task: Taken, defect: Exception) -> Result:
    """What came of a task that broke before its body went."""
    return Result(task, None, f"{type(defect).__name__}: {defect}")
