"""The connections to the relay, each with a thread of its own: tasks in, results out."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Protocol

from publisher.message.splice import Message
from publisher.model.delivery import Envelope, Outcome
from publisher.runtime.dispatch import Result
from publisher.store.deliveries import Taken

# A relay closes what says nothing for some minutes; we do so before.
_IDLE_SECONDS = 20.0


class Courier(Protocol):
    """One connection to the relay (publisher.smtp.courier, or a simulated one)."""

    @property
    def is_open(self) -> bool: ...

    @property
    def is_fresh(self) -> bool: ...

    @property
    def is_opening(self) -> bool: ...

    def open(self) -> Outcome | None: ...

    def deliver(
        self, envelope: Envelope, data: bytes, *, before_body: Callable[[], bool] | None = None
    ) -> Outcome: ...

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


Compose = Callable[[Taken], Message]
# Notes a connection's place, and the delivery whose body goes out over it now.
NoteBegun = Callable[[int, int], None]


class Pool:
    """A fixed number of connections, opened as they are needed, the one used last first."""

    def __init__(
        self,
        count: int,
        make_courier: Callable[[], Courier],
        compose: Compose,
        note_begun: NoteBegun = lambda place, delivery: None,
    ) -> None:
        self._results: SimpleQueue[tuple[Line, Result]] = SimpleQueue()
        self._idle = [
            Line(make_courier(), compose, partial(note_begun, place), self._results)
            for place in range(count)
        ]
        self._lines = list(self._idle)

    @property
    def room(self) -> int:
        """How many tasks can be begun now."""
        return len(self._idle)

    @property
    def is_busy(self) -> bool:
        return len(self._idle) < len(self._lines)

    def begin(self, tasks: Sequence[Taken]) -> None:
        """Give tasks, at most `room`, to connections."""
        for task in tasks:
            self._idle.pop().inbox.put(task)

    def collect(self, seconds: float, linger: float) -> list[Result]:
        """The results there are; waits for the first one, so long at most.

        Those that come within `linger` seconds of it are taken along, for one transaction takes
        hardly longer for many than for one.
        """
        results: list[Result] = []
        try:
            results.append(self._take(seconds))
            if linger and self.is_busy:
                # Asleep, since to be woken by each of them takes longer than to collect them.
                time.sleep(linger)
            while self.is_busy:
                results.append(self._take(0.0))
        except Empty:
            pass
        return results

    def _take(self, seconds: float) -> Result:
        line, result = self._results.get(timeout=seconds) if seconds else self._results.get_nowait()
        self._idle.append(line)
        return result

    def interrupt(self, *, is_opening_only: bool = False) -> None:
        """Break off what is in flight, or only connections that are not open yet.

        For servers that say nothing more.
        """
        for line in self._lines:
            if line not in self._idle and (line.courier.is_opening or not is_opening_only):
                line.courier.interrupt()

    def close(self) -> None:
        """Let every connection that is idle say goodbye; the threads of others are left alone."""
        for line in self._lines:
            line.inbox.put(None)
        for line in self._idle:
            line.join(_IDLE_SECONDS)


class Line(Thread):
    """One connection's thread: it takes a task, tries it, and says what came of it."""

    def __init__(
        self,
        courier: Courier,
        compose: Compose,
        note_begun: Callable[[int], None],
        results: "SimpleQueue[tuple[Line, Result]]",
    ) -> None:
        super().__init__(name="courier", daemon=True)
        self.courier = courier
        self.compose = compose
        self.note_begun = note_begun
        self.results = results
        self.inbox: SimpleQueue[Taken | None] = SimpleQueue()
        self.start()

    def run(self) -> None:
        while True:
            try:
                task = self.inbox.get(timeout=_IDLE_SECONDS)
            except Empty:
                self.courier.close()
                continue
            if task is None:
                self.courier.close()
                return
            self.results.put((self, self._try(task)))

    def _try(self, task: Taken) -> Result:
        try:
            return attempt(self.courier, self.compose, task, self.note_begun)
        except Exception as error:
            # A defect of ours, before the body or after its reply: a courier lets none out between.
            self.courier.close()
            return Result(task, None, f"{type(error).__name__}: {error}")


def attempt(
    courier: Courier, compose: Compose, task: Taken, note_begun: Callable[[int], None]
) -> Result:
    """Make one delivery's message and hand it to the relay; note it just before its body goes."""
    message = compose(task)

    def begin() -> bool:
        note_begun(task.id)
        return True

    if not courier.is_open and (refused := courier.open()) is not None:
        return Result(task, refused)
    was_fresh = courier.is_fresh
    outcome = courier.deliver(message.envelope, message.data, before_body=begin)
    if not was_fresh and _is_of_connection(outcome):
        if (refused := courier.open()) is not None:
            return Result(task, refused)
        outcome = courier.deliver(message.envelope, message.data, before_body=begin)
    return Result(task, outcome)


def _is_of_connection(outcome: Outcome) -> bool:
    """Tell whether it may be the connection that was used up: closed while it was idle, or a limit
    of messages on it. Nothing was sent, and another one will show.
    """
    return outcome.kind == "transient" and outcome.stage in ("mail", "rset")
