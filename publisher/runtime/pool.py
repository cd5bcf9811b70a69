"""The connections to the relay, all of them waited for in one thread: tasks in, results out.

With a thread for each connection Python's threads take the interpreter from each other at every
reply, which costs twice what the work does. What still blocks, which is connecting, logging in and
saying goodbye, is done in threads beside, for it is done once for many messages.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from threading import Thread
from typing import Any

from publisher.runtime.exchange import Result
from publisher.runtime.line import Courier, Job, Line, Marks, NoMarks, Ready, Script
from publisher.runtime.queue import Compose, Queue, broken, is_late, withdrawn
from publisher.runtime.reserve import KeptBack
from publisher.runtime.signers import Signers
from publisher.smtp.wire import Wait, too_long
from publisher.store.deliveries import Taken

# A relay closes what says nothing for some minutes; we do so before.
_IDLE_SECONDS = 20.0
# So long results wait for others; a disk takes as long to write them. Longer where tasks wait that
# keep the connections busy.
_GATHER_SECONDS = 0.002
_GATHER_AHEAD_SECONDS = 0.015
# Deliveries are taken ahead where each connection is back within this: it is the disk then that
# they would wait for.
_QUICK_SECONDS = 0.02
# So often it is looked whose time is over, and who has been idle for long.
_LOOK_SECONDS = 0.1
# Goodbye is politeness only.
_CLOSING_SECONDS = 3.0


class Pool:
    """A fixed number of connections, opened as they are needed, the one used last first.

    `ahead` tasks more than there are connections may be begun: they wait for the first connection
    that is free, and are signed meanwhile; but for those that are `kept` back. For one thread.
    """

    def __init__(
        self,
        count: int,
        make_courier: Callable[[], Courier],
        compose: Compose,
        signers: Signers,
        marks: Marks | None = None,
        ahead: int = 0,
        kept: KeptBack | None = None,
    ) -> None:
        marks = marks or NoMarks()
        self.ahead = ahead
        self._lines = [Line(make_courier(), marks) for _ in range(count)]
        self._idle = list(self._lines)
        # Those that are to be given something, in turn: one that ends at once is behind the others.
        self._freed: deque[Line] = deque()
        self._is_freeing = False
        # Places for marks: those that are free, and of the results those that are not handed out
        # yet, and those that were.
        self._places = list(range(count + ahead))
        self._left: list[int] = []
        self._settling: list[int] = []
        # Whether all that was collected last came back soon after its connection had it.
        self.is_quick = False
        self._slowest = 0.0
        self._results: list[Result] = []
        self._done: SimpleQueue[tuple[Line, Any, Exception | None]] = SimpleQueue()
        self._selector = DefaultSelector()
        # Rung by the threads beside.
        self._bell, self._rope = os.pipe()
        os.set_blocking(self._bell, False)
        self._selector.register(self._bell, EVENT_READ, self._answer_bell)
        self._signers = signers
        self._kept = KeptBack() if kept is None else kept
        self._kept.count_loose = self._count_loose
        self._queue = Queue(
            *(compose, signers, self._kept),
            hear=lambda result: self._results.append(result),
            serve=self._serve_idle,
        )
        signers.watch = lambda socket, read: self._selector.register(socket, EVENT_READ, read)
        signers.unwatch = self._selector.unregister
        self._looked_at = time.monotonic()

    @property
    def room(self) -> int:
        """How many tasks can be begun now without waiting for a connection."""
        return self.room_with(0)

    def room_with(self, ahead: int) -> int:
        """How many can be begun now if so many, at most `self.ahead`, may wait for one."""
        return max(0, len(self._idle) + ahead - len(self._queue) - self._announced)

    @property
    def _announced(self) -> int:
        """How many have a connection that is not theirs yet."""
        return sum(line.next is not None for line in self._lines)

    @property
    def is_busy(self) -> bool:
        """Whether anything was begun that was not collected yet."""
        return bool(self._busy or self._queue or self._results)

    @property
    def _busy(self) -> int:
        return len(self._lines) - len(self._idle)

    def begin(self, tasks: Sequence[Taken]) -> None:
        """Give tasks, at most as many as there is room for, to connections of their relays.

        All results that were collected before are on disk.
        """
        self._places += self._settling
        self._settling.clear()
        self._queue.add(tasks)
        self._serve_idle()

    def _count_loose(self) -> int:
        """How many were not kept back, and are not on a connection: a power cut now leaves those in
        doubt besides. What came back and was not collected is of them.
        """
        return len(self._queue) - len(self._kept) + self._announced + len(self._results)

    def withdraw(
        self, is_wanted_back: Callable[[Taken], bool], *, is_announced_too: bool = True
    ) -> None:
        """Give those of the tasks that still wait for a connection back, as results.

        Where the relay knows an envelope already, that costs the connection.
        """
        self._queue.withdraw(is_wanted_back)
        for line in self._lines if is_announced_too else ():
            ready = line.next
            if ready is not None and (is_late(ready.since) or is_wanted_back(ready.task)):
                self._withdraw_next(line, ready)

    def _withdraw_next(self, line: Line, ready: Ready) -> None:
        self._results.append(withdrawn(ready.task))
        line.withdraw_next()
        if not line.courier.is_open:
            self._unwatch(line)

    def collect(self, seconds: float) -> list[Result]:
        """The results there are; waits for the first ones, so long at most.

        What comes soon after the first is taken together: up to half of what is in flight, or two
        for each connection while tasks wait that keep them busy. One transaction costs hardly more
        for many than for one.
        """
        end = time.monotonic() + seconds
        while not self._results:
            left = end - time.monotonic()
            self._turn(max(0.0, min(left, _LOOK_SECONDS)))
            if left <= 0:
                break
        self._gather()
        results, self._results = self._results, []
        self._settling += self._left
        self._left.clear()
        self.is_quick, self._slowest = self._slowest <= _QUICK_SECONDS, 0.0
        return results

    def attend(self) -> None:
        """See to the connections that are ready, without waiting for any."""
        self._turn(0)

    def _gather(self) -> None:
        now = time.monotonic()
        end, end_ahead = now + _GATHER_SECONDS, now + _GATHER_AHEAD_SECONDS
        while len(self._results) < self._busy * (2 if self._queue else 1):
            left = (end_ahead if self._queue or self._announced else end) - time.monotonic()
            if left <= 0:
                break
            self._turn(left)

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

    # From a task to its message, and to a connection

    def _serve_idle(self) -> None:
        """Give what waits to connections that are idle, the one used last first."""
        for line in reversed(self._idle.copy()):
            if not self._queue:
                break
            self._idle.remove(line)
            self._free(line)

    def _free(self, line: Line) -> None:
        """Let a connection be given something. What ends at once, as what no relay could take does,
        comes here again: however many of those wait, they are not within one another.
        """
        self._freed.append(line)
        if self._is_freeing:
            return
        self._is_freeing = True
        try:
            while self._freed:
                self._give(self._freed.popleft())
        finally:
            self._is_freeing = False

    def _give(self, line: Line) -> None:
        """Give a connection that is free the next message that fits it, or let it be idle."""
        if line.next is not None and is_late(line.next.since):
            self._withdraw_next(line, line.next)
        ready, line.next = line.next or self._queue.give(line.relay), None
        if ready is None:
            self._idle.append(line)
            return
        line.begun_at = time.monotonic()
        line.place = self._places.pop()
        script = line.deliver(ready.task, ready.letter, partial(self._follow, line))
        self._start(line, script, ready.task)

    def _follow(self, line: Line) -> Ready | None:
        """What a connection is to do next, if no other one could begin that at once."""
        return self._queue.give(line.relay) if self.ahead and not self._idle else None

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
            self._end(line, stop.value)
        except Exception as defect:
            # Ours, before the body or after its reply: a courier lets none out between.
            self._break(line, defect)
        else:
            self._await(line, step)

    def _await(self, line: Line, step: Wait | Job) -> None:
        if isinstance(step, Wait):
            line.wait = step
            self._watch(line, step)
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
        result = broken(line.task, defect) if line.task is not None else None
        if not line.courier.is_open:
            self._end(line, result)
            return
        if result is not None:
            self._note(line, result)
        self._start(line, line.close())

    def _end(self, line: Line, result: Result | None) -> None:
        line.idle_since = time.monotonic()
        if result is not None:
            self._note(line, result)
            self._slowest = max(self._slowest, line.idle_since - line.begun_at)
        line.script = line.task = None
        if not line.courier.is_open:
            self._unwatch(line)
        if line.was_refused:
            line.was_refused = False
            self._idle.append(line)
        else:
            self._free(line)

    def _note(self, line: Line, result: Result) -> None:
        self._results.append(result)
        self._left.append(line.place)

    # Waiting

    def _turn(self, seconds: float) -> None:
        """Wait so long at most for anything to happen, and do what follows."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            key.data()
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self._look(now)

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
                self._start(line, line.close())
