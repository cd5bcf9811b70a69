"""The connections to the relay, all of them waited for in one thread: tasks in, results out.

With a thread for each connection Python's threads take the interpreter from each other at every
reply, which costs twice what the work does. What still blocks, which is connecting, logging in and
saying goodbye, is done in threads beside, for it is done once for many messages.
"""

import os
import time
from collections.abc import Callable, Generator, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from socket import socket
from threading import Thread
from typing import Any, Protocol

from publisher.message.splice import Unfinished
from publisher.model.delivery import Envelope, Outcome
from publisher.runtime.exchange import Result
from publisher.runtime.signers import Signers
from publisher.smtp.wire import Steps, Wait, too_long
from publisher.store.deliveries import Taken

# A relay closes what says nothing for some minutes; we do so before.
_IDLE_SECONDS = 20.0
# So long results wait for others; a disk takes as long to write them.
_GATHER_SECONDS = 0.002
# So often it is looked whose time is over, and who has been idle for long.
_LOOK_SECONDS = 0.1
# Goodbye is politeness only.
_CLOSING_SECONDS = 3.0


class Courier(Protocol):
    """One connection to a relay: publisher.smtp.courier."""

    @property
    def name(self) -> str: ...

    @property
    def is_open(self) -> bool: ...

    @property
    def is_fresh(self) -> bool: ...

    @property
    def is_opening(self) -> bool: ...

    def open(self) -> Outcome | None: ...

    def transact(
        self,
        envelope: Envelope,
        data: bytes,
        *,
        before_body: Callable[[], bool] | None = None,
        is_stuffed: bool = False,
    ) -> Steps[Outcome]: ...

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


Compose = Callable[[Taken], Unfinished]
# Notes a connection's place, and the delivery whose body goes out over it now; False where it must
# not go out any more.
NoteBegun = Callable[[int, int], bool]
# What a connection does: it waits, or has something done beside, whose value it is given, or has a
# message signed, whose signatures it is given.
Job = Callable[[], Any]
Step = Wait | Job | Unfinished
Script = Generator[Step, Any, Result | None]


class Line:
    """One connection, and what is being done on it."""

    def __init__(self, courier: Courier, note_begun: Callable[[int], bool]) -> None:
        self.courier = courier
        self.note_begun = note_begun
        self.task: Taken | None = None
        self.script: Script | None = None
        self.wait: Wait | None = None
        # What the selector knows of it: a socket, and what of it is waited for.
        self.watched: socket | None = None
        self.events = 0
        self.idle_since = 0.0


class Pool:
    """A fixed number of connections, opened as they are needed, the one used last first.

    For one thread.
    """

    def __init__(
        self,
        count: int,
        make_courier: Callable[[], Courier],
        compose: Compose,
        signers: Signers,
        note_begun: NoteBegun = lambda place, delivery: True,
    ) -> None:
        self._lines = [Line(make_courier(), partial(note_begun, place)) for place in range(count)]
        self._idle = list(self._lines)
        # Those whose relay's idle connections are being closed just now.
        self._late: list[Taken] = []
        self._compose = compose
        self._results: list[Result] = []
        self._done: SimpleQueue[tuple[Line, Any, Exception | None]] = SimpleQueue()
        self._selector = DefaultSelector()
        # Rung by the threads beside.
        self._bell, self._rope = os.pipe()
        os.set_blocking(self._bell, False)
        self._selector.register(self._bell, EVENT_READ, self._answer_bell)
        self._signers = signers
        signers.watch = lambda socket, read: self._selector.register(socket, EVENT_READ, read)
        signers.unwatch = self._selector.unregister
        self._looked_at = time.monotonic()

    @property
    def room(self) -> int:
        """How many tasks can be begun now."""
        return len(self._idle)

    @property
    def is_busy(self) -> bool:
        return self._busy > 0

    @property
    def _busy(self) -> int:
        return len(self._lines) - len(self._idle)

    def begin(self, tasks: Sequence[Taken]) -> None:
        """Give tasks, at most `room`, to connections of their relays."""
        for task in tasks:
            line = next((each for each in reversed(self._idle) if _fits(each, task)), None)
            if line is None:
                self._late.append(task)
                continue
            self._idle.remove(line)
            self._attempt(line, task)

    def _attempt(self, line: Line, task: Taken) -> None:
        self._start(line, _attempt(line, self._compose, task), task)

    def collect(self, seconds: float) -> list[Result]:
        """The results there are; waits for the first ones, so long at most.

        What comes soon after the first is taken together, up to half of what is in flight: one
        transaction costs hardly more for many than for one, and the other half keeps the relay
        busy meanwhile.
        """
        end = time.monotonic() + seconds
        while not self._results:
            left = end - time.monotonic()
            self._turn(max(0.0, min(left, _LOOK_SECONDS)))
            if left <= 0:
                break
        end = time.monotonic() + _GATHER_SECONDS
        while len(self._results) < self._busy and (left := end - time.monotonic()) > 0:
            self._turn(left)
        results, self._results = self._results, []
        return results

    def interrupt(self, *, is_opening_only: bool = False) -> None:
        """Break off what is in flight, or only connections that are not open yet.

        For servers that say nothing more.
        """
        for line in self._lines:
            if line not in self._idle and (line.courier.is_opening or not is_opening_only):
                line.courier.interrupt()

    def close(self) -> None:
        """Let every connection that is idle say goodbye; others are left alone. It is the end."""
        self._signers.close()
        self._selector.close()
        threads = [Thread(target=line.courier.close, daemon=True) for line in self._idle]
        for thread in threads:
            thread.start()
        until = time.monotonic() + _CLOSING_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    # What happens on a connection

    def _start(self, line: Line, script: Script, task: Taken | None = None) -> None:
        line.task, line.script = task, script
        self._advance(line)

    def _advance(self, line: Line, value: Any = None, error: BaseException | None = None) -> None:
        """Go on with a connection's script, to its next wait or to its end."""
        script = line.script
        if script is None:
            return
        try:
            step = script.throw(error) if error else script.send(value)
        except StopIteration as stop:
            self._finish(line, stop.value)
        except Exception as defect:
            # Ours, before the body or after its reply: a courier lets none out between.
            self._break(line, defect)
        else:
            self._await(line, step)

    def _await(self, line: Line, step: Step) -> None:
        if isinstance(step, Wait):
            line.wait = step
            self._watch(line, step)
        elif isinstance(step, Unfinished):
            self._signers.sign(step, partial(self._advance, line))
        else:
            self._unwatch(line)
            Thread(target=self._do_beside, args=(line, step), daemon=True).start()

    def _do_beside(self, line: Line, job: Job) -> None:
        try:
            self._done.put((line, job(), None))
        except Exception as error:
            self._done.put((line, None, error))
        os.write(self._rope, b"!")

    def _break(self, line: Line, defect: Exception) -> None:
        if line.task is not None:
            said = f"{type(defect).__name__}: {defect}"
            self._results.append(Result(line.task, None, said))
        if line.courier.is_open:
            self._start(line, _close(line))
        else:
            self._finish(line, None)

    def _finish(self, line: Line, result: Result | None) -> None:
        if result is not None:
            self._results.append(result)
        line.script = line.task = None
        if not line.courier.is_open:
            self._unwatch(line)
        line.idle_since = time.monotonic()
        task = next((each for each in self._late if _fits(line, each)), None)
        if task is None:
            self._idle.append(line)
        else:
            self._late.remove(task)
            self._attempt(line, task)

    # Waiting

    def _turn(self, seconds: float) -> bool:
        """Wait so long at most for anything to happen, and do what follows; tell if there was."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            key.data()
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self._look(now)
        return bool(ready)

    def _go_on(self, line: Line) -> None:
        """A connection's socket is ready."""
        if line.wait is None:
            self._unwatch(line)  # it is idle: what the relay says is seen when it is used
        else:
            line.wait = None
            self._advance(line)

    def _watch(self, line: Line, wait: Wait) -> None:
        """Be told when a socket is ready; it stays watched for as long as it is used."""
        events = EVENT_WRITE if wait.is_write else EVENT_READ
        if line.watched is not wait.socket:
            self._unwatch(line)
            self._selector.register(wait.socket, events, partial(self._go_on, line))
        elif line.events != events:
            self._selector.modify(wait.socket, events, partial(self._go_on, line))
        line.watched, line.events = wait.socket, events

    def _unwatch(self, line: Line) -> None:
        """Before its socket is closed, or as soon as it is: its number may be another's then."""
        if line.watched is not None:
            self._selector.unregister(line.watched)
            line.watched = None

    def _answer_bell(self) -> None:
        os.read(self._bell, 1024)
        try:
            while True:
                line, value, error = self._done.get_nowait()
                self._advance(line, value, error)
        except Empty:
            pass

    def _look(self, now: float) -> None:
        for line in self._lines:
            if line.wait is not None and line.wait.deadline <= now:
                line.wait = None
                self._advance(line, error=too_long())
        for line in [line for line in self._idle if line.courier.is_open]:
            if now - line.idle_since > _IDLE_SECONDS:
                self._idle.remove(line)
                self._start(line, _close(line))


def _fits(line: Line, task: Taken) -> bool:
    return line.courier.name == task.relay


def _close(line: Line) -> Script:
    yield line.courier.close
    return None


def _attempt(line: Line, compose: Compose, task: Taken) -> Script:
    """Make one delivery's message and hand it to the relay; note it just before its body goes."""
    courier = line.courier
    unfinished = compose(task)
    message = unfinished.finish((yield unfinished) if unfinished.unsigned else ())

    def begin() -> bool:
        return line.note_begun(task.id)

    while True:
        if not courier.is_open and (refused := (yield courier.open)) is not None:
            return Result(task, refused)
        was_fresh = courier.is_fresh
        outcome = yield from courier.transact(
            message.envelope, message.data, before_body=begin, is_stuffed=True
        )
        if was_fresh or not _is_of_connection(outcome):
            return Result(task, outcome)
        yield courier.close  # for another one


def _is_of_connection(outcome: Outcome) -> bool:
    """Tell whether it may be the connection that was used up: closed while it was idle, or a limit
    of messages on it. Nothing was sent, and another one will show.
    """
    return outcome.kind == "transient" and outcome.stage in ("mail", "rset")
