"""One connection of the pool: what is done on it, step by step, and what it waits for meanwhile."""

from collections.abc import Callable, Generator
from socket import socket
from typing import Any, NamedTuple, Protocol

from publisher.message.splice import Message
from publisher.model.delivery import Outcome
from publisher.runtime.exchange import Result
from publisher.smtp.letter import Letter, Needs
from publisher.smtp.wire import Steps, Wait
from publisher.store.deliveries import Taken


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
        letter: Letter,
        before_body: Callable[[], bool] | None = None,
        following: Callable[[], Letter | None] = ...,
    ) -> Steps[Outcome]: ...

    def withdraw(self) -> None: ...

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


class Marks(Protocol):
    """Where it is noted what is done about deliveries, each of which has a place of its own."""

    def begin(self, place: int, delivery: int) -> bool:
        """Its body goes out now; False where it must not go out any more."""

    def end(self, place: int, outcome: Outcome) -> None:
        """This is what came of it."""


class NoMarks:
    """Nothing is noted, and all may go out."""

    def begin(self, place: int, delivery: int) -> bool:
        return True

    def end(self, place: int, outcome: Outcome) -> None:
        pass


# What a connection does: it waits, or has something done beside, whose value it is given.
Job = Callable[[], Any]
Script = Generator[Wait | Job, Any, Result | None]


class Ready(NamedTuple):
    """A task with its message, and since when it waits, by the monotonic clock."""

    task: Taken
    letter: Letter
    since: float


def make_letter(message: Message) -> Letter:
    """A message for the wire, of which all is ASCII unless its envelope says UTF-8."""
    is_utf8 = message.envelope.is_utf8
    needs = Needs(sum(map(len, message.parts)), not is_utf8, is_utf8)
    return Letter(message.envelope, message.parts, needs)


class Line:
    """One connection, and what is being done on it."""

    def __init__(self, courier: Courier, marks: Marks) -> None:
        self.courier = courier
        self.relay = courier.name
        self.marks = marks
        self.task: Taken | None = None
        # What goes over this one as soon as the task is done with: the relay knows its envelope.
        self.next: Ready | None = None
        # That of the task.
        self.place = 0
        self.script: Script | None = None
        self.wait: Wait | None = None
        # What the selector knows of it: a socket, and what of it is waited for.
        self.watched: socket | None = None
        self.events = 0
        self.begun_at = self.idle_since = 0.0
        # Whether it could not be opened: then it is left alone until there is more to begin.
        self.was_refused = False

    def begin_body(self) -> bool:
        """Note that the task's body goes out now; False where it must not."""
        return self.task is not None and self.marks.begin(self.place, self.task.id)

    def withdraw_next(self) -> None:
        """Do without what would go next: the connection ends, now or with the task."""
        self.next = None
        self.courier.withdraw()

    def deliver(self, task: Taken, letter: Letter, following: Callable[[], Ready | None]) -> Script:
        """Hand a delivery's message to the relay; note it just before its body goes.

        `following` gives what is to go next, when that can be announced.
        """

        def announce() -> Letter | None:
            self.next = following()
            return self.next and self.next.letter

        courier = self.courier
        while True:
            if not courier.is_open and (refused := (yield courier.open)) is not None:
                self.was_refused = True
                return Result(task, refused)
            was_fresh = courier.is_fresh
            outcome = yield from courier.transact(letter, self.begin_body, announce)
            if was_fresh or not _is_of_connection(outcome):
                self.marks.end(self.place, outcome)
                return Result(task, outcome)
            yield courier.close  # for another one

    def close(self) -> Script:
        """Say goodbye."""
        yield self.courier.close
        return None


def _is_of_connection(outcome: Outcome) -> bool:
    """Tell whether it may be the connection that was used up: closed while it was idle, or a limit
    of messages on it. Nothing was sent, and another one will show.
    """
    return outcome.kind == "transient" and outcome.stage in ("mail", "rset")
