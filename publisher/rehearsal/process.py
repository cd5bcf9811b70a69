"""A simulated delivery process: the dispatcher, its loop and its connections, in simulated time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from publisher.model.delivery import Outcome, Reply
from publisher.rehearsal.relay import BEFORE_MAIL, Relay, Said
from publisher.rehearsal.world import Crash, Store
from publisher.runtime.dispatch import Dispatcher
from publisher.runtime.exchange import Notice, Result, Rules, goes_well
from publisher.store.deliveries import Taken
from publisher.store.errors import StoreError

# As publisher.runtime.delivery: a full disk is asked again after this, and for so long.
_STORE_SECONDS = 1.0
_PATIENCE = 20.0
_IDLE_SECONDS = 20.0
# As publisher.runtime.pool: what waits for a connection goes back after this.
_AHEAD_SECONDS = 1.0
# It is looked this long after something happened; the real loop does so each 0.2 s for ever.
_LOOKS = (0.2, 1.5, 3600.0)


@dataclass
class Attempt:
    """One message on its way: until when, and what will have come of it."""

    task: Taken
    ends: float
    said: Said
    is_open: bool


class Process:
    """From the lock's taking to its end. Raises Crash where it is killed."""

    def __init__(self, store: Store, rules: Rules, relay: Relay, chance: Random) -> None:
        self.store, self.rules, self.relay = store, rules, relay
        self.clock, self.chance = store.clock, chance
        self.dispatcher = Dispatcher(store, rules, chance.random, self.hear)
        self.attempts: list[Attempt] = []
        # Taken ahead: they wait for a connection.
        self.waiting: list[Taken] = []
        self.kept = self.dispatcher.reserve.kept
        self.kept.count_loose = lambda: len(self.waiting) - len(self.kept)
        self.waiting_since = 0.0
        self.results: list[Result] = []
        self.idle_open, self.used_at = 0, 0.0
        self.is_ending = False
        self.disk_failed_at: float | None = None
        self.wake_at = self.clock.true
        self.looks = 0

    def hear(self, notice: Notice) -> None:
        """What happened to a mailing."""

    def seconds_for(self, task: Taken, said: Said) -> float:
        """How many seconds a message is on its way."""
        return self.chance.choice((0.01, 0.03, 0.3, 2.0))

    # The loop

    def next_event(self) -> float:
        """When, in true seconds, something happens in this process by itself."""
        ends = [each.ends for each in self.attempts]
        late = [self.waiting_since + _AHEAD_SECONDS] if self.waiting else []
        return min([self.wake_at, *ends, *late])

    def notice(self) -> None:
        """Where somebody else changed the database: the loop looks five times a second."""
        is_waiting_for_disk = self.disk_failed_at is not None
        if is_waiting_for_disk or self.dispatcher.version == self.store.version():
            return
        self.looks = 0
        self.wake_at = min(self.wake_at, self.clock.true + _LOOKS[0])

    def turn(self) -> None:
        """What is due now: results come in, the dispatcher steps, messages go out."""
        now = self.clock.true
        for attempt in [each for each in self.attempts if each.ends <= now]:
            self.end_attempt(attempt)
        if now >= self.waiting_since + _AHEAD_SECONDS or self.is_ending:
            self._withdraw(lambda task: True)
        if self.disk_failed_at is not None and now < self.wake_at:
            return  # the loop sleeps, with its results
        try:
            tasks = self.step()
        except StoreError:
            self._wait_for_disk()
            return
        self.disk_failed_at = None
        if not self.waiting:
            self.waiting_since = now
        self.waiting += tasks
        self._begin_waiting()
        self._sleep()
        self._withdraw(self.dispatcher.wants_back)

    def _withdraw(self, is_wanted_back: Callable[[Taken], bool]) -> None:
        """Give back what waits for a connection, to be settled at the next step."""
        back = [task for task in self.waiting if is_wanted_back(task)]
        self.waiting = [task for task in self.waiting if task not in back]
        self.kept.forget(task.id for task in back)
        self.results += [Result(task, None, is_withdrawn=True) for task in back]
        if back:
            self.wake_at = min(self.wake_at, self.clock.true)

    def _begin_waiting(self) -> None:
        """Those that wait first are those that are not kept back."""
        while len(self.waiting) > len(self.kept) and len(self.attempts) < self.rules.connections:
            self.waiting_since = self.clock.true
            self._begin_attempt(self.waiting.pop(0))

    def end_attempt(self, attempt: Attempt) -> None:
        """Its outcome is read."""
        self.attempts.remove(attempt)
        said = attempt.said
        note = "" if said.outcome else "ValueError: no such template"
        self.results.append(Result(attempt.task, said.outcome, note))
        is_lost = said.outcome is None or said.outcome.reply.code in (0, 421)
        if not is_lost and said.outcome and said.outcome.stage not in BEFORE_MAIL:
            self.idle_open += 1
        self.used_at = self.clock.true
        self._begin_waiting()

    @property
    def room(self) -> int:
        return max(0, self.rules.connections - len(self.attempts) - len(self.waiting))

    def room_with(self, results: Sequence[Result]) -> int:
        """How many may be taken, with some ahead where all goes well: by chance, as quickly as it
        goes.
        """
        ahead = self.chance.randint(0, self.rules.ahead) if goes_well(results) else 0
        return max(0, self.rules.connections + ahead - len(self.attempts) - len(self.waiting))

    def step(self) -> list[Taken]:
        """One step of the dispatcher; what it raises leaves the results to be written."""
        results = self.results
        room = 0 if self.is_ending else self.room_with(results)
        tasks = self.dispatcher.step(self.clock.now, results, room)
        self.results = []
        if results or tasks:
            self.looks = 0
        return tasks

    def _begin_attempt(self, task: Taken) -> None:
        now = self.clock.true
        if now - self.used_at > _IDLE_SECONDS:
            self.idle_open = 0
        is_open = self.idle_open > 0
        self.idle_open -= is_open
        said = self.relay.answer(task.email, is_open=is_open)
        self.attempts.append(Attempt(task, now + self.seconds_for(task, said), said, is_open))

    def _wait_for_disk(self) -> None:
        now = self.clock.true
        self.disk_failed_at = now if self.disk_failed_at is None else self.disk_failed_at
        if now - self.disk_failed_at > _PATIENCE:
            raise Crash(is_durable=False)
        self.wake_at = now + _STORE_SECONDS

    def _sleep(self) -> None:
        """Until the dispatcher wants to be asked, or something may have changed."""
        pause = _LOOKS[min(self.looks, len(_LOOKS) - 1)]
        self.looks += 1
        if (wait := self.next_wait()) is not None:
            pause = min(pause, wait)
        self.wake_at = self.clock.true + pause

    def next_wait(self) -> float | None:
        """In how many seconds the dispatcher wants to be asked; None is not by itself."""
        upcoming = None
        if self.room and not self.is_ending:
            upcoming = self.dispatcher.next_try(self.clock.now)
        if upcoming is None:
            return None
        return max((upcoming - self.clock.now).total_seconds(), 0.001)

    # Its end

    @property
    def is_over(self) -> bool:
        return self.is_ending and not (self.attempts or self.waiting or self.results)

    def die(self, *, is_through: bool) -> dict[int, Reply | None]:
        """The relay has the whole text of what was on its way, or it never will have.

        Gives the deliveries whose bodies were begun: what the relay took, some others, and those
        whose outcome was read and is on no disk, with what was said of them.
        """
        heard = {each.taken.id: each.outcome for each in self.results if each.outcome is not None}
        begun: dict[int, Reply | None] = {
            id: outcome.reply if outcome.kind == "accepted" else None
            for id, outcome in heard.items()
            if outcome.kind in ("accepted", "unknown")
        }
        for attempt in self.attempts:
            took = attempt.said.is_taken and is_through
            self.lose(attempt, is_taken=took)
            if took or (was_begun(attempt.said.outcome) and self.chance.random() < 0.5):
                begun[attempt.task.id] = None
        self.attempts, self.waiting = [], []
        return begun

    def lose(self, attempt: Attempt, *, is_taken: bool) -> None:
        """Nobody reads what came of an attempt."""


def was_begun(outcome: Outcome | None) -> bool:
    """Tell whether an attempt with this outcome had begun to write its body."""
    return outcome is not None and outcome.stage in ("body", "final_dot")
