"""A simulated delivery process: the dispatcher, its loop and its connections, in simulated time."""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from publisher.mailing.retry import wait_for_domain
from publisher.model.delivery import TO_MANY, Outcome
from publisher.runtime.dispatch import Dispatcher
from publisher.runtime.exchange import Result, Rules
from publisher.store.deliveries import Taken
from publisher.store.errors import StoreError
from tests.simulation.expected import Delivery, Expected, require
from tests.simulation.relay import BEFORE_MAIL, Relay, Said
from tests.simulation.world import Crash, Store

# As publisher.runtime.delivery: a full disk is asked again after this, and for so long.
_STORE_SECONDS = 1.0
_PATIENCE = 20.0
_IDLE_SECONDS = 20.0
# It is looked this long after something happened; the real loop does so each 0.2 s for ever.
_LOOKS = (0.2, 1.5, 3600.0)
# Looking in vain, while the loop says that there is something to do now.
_MOST_IN_VAIN = 4


@dataclass
class Attempt:
    """One message on its way: until when, and what will have come of it."""

    task: Taken
    ends: float
    said: Said
    is_open: bool


class Bucket:
    """What a rate allows at most; a new process and a jump of the clock begin anew."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, max(burst, 1.0)
        self.tokens, self.at = self.burst, 0.0

    def take(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        self.tokens -= 1
        return self.tokens > -0.001


class Process:
    """From the lock's taking to its end. Raises Crash where it is killed."""

    def __init__(
        self, store: Store, rules: Rules, relay: Relay, expected: Expected, chance: Random
    ) -> None:
        self.store, self.rules, self.relay = store, rules, relay
        self.clock, self.expected, self.chance = store.clock, expected, chance
        self.dispatcher = Dispatcher(store, rules, chance.random)  # type: ignore[arg-type]
        self.attempts: list[Attempt] = []
        self.results: list[Result] = []
        self.idle_open, self.used_at = 0, 0.0
        self.has_passed = False
        self.has_recovered = False
        self.is_ending = False
        self.disk_failed_at: float | None = None
        self.wake_at = self.clock.true
        self.looks = 0
        self.in_vain = 0
        self.forget_rates()

    def forget_rates(self) -> None:
        """The clock has jumped."""
        self.bucket = Bucket(self.rules.rate, self.rules.rate / 10)
        self.domain_buckets = {
            domain: Bucket(rate, 1.0) for domain, rate in self.rules.domain_rates.items()
        }

    def recover(self, most: int, begun: set[int] | None) -> None:
        """Settle what a dead process left: at most as many doubts as it had connections.

        `begun` are those of which a body was begun; None where the machine itself went down.
        """
        left = [each for each in self.expected.deliveries.values() if each.status == "sending"]
        require(len(left) <= most, f"{len(left)} are in doubt, of {most} connections")
        now = self.clock.now
        try:
            self.dispatcher.recover(now, begun)
        except StoreError:
            raise Crash(is_durable=False) from None  # it says so, and ends
        except Crash as crash:
            if crash.is_durable:
                self._record_recovery(left, begun, now)
            raise
        self._record_recovery(left, begun, now)
        self.has_recovered = True

    def _record_recovery(self, left: list[Delivery], begun: set[int] | None, now: datetime) -> None:
        for each in left:
            each.settlements += 1
            if begun is None or each.id in begun:
                self.expected.doubt(each, self.rules.policy, now)
            else:
                self.expected.release(each)

    # The loop

    @property
    def slowed(self) -> set[str]:
        """The domains that asked for less, and are not tried yet."""
        domains, now = self.dispatcher.domains, self.clock.now
        return {each for each, slow in domains.backoffs.items() if wait_for_domain(slow, now)}

    def next_event(self) -> float:
        """When, in true seconds, something happens in this process by itself."""
        return min([self.wake_at, *(each.ends for each in self.attempts)])

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
            self._end_attempt(attempt)
        if self.disk_failed_at is not None and now < self.wake_at:
            return  # the loop sleeps, with its results
        try:
            tasks = self._step()
        except StoreError:
            self._wait_for_disk()
            return
        self.disk_failed_at = None
        for task in tasks:
            self._begin_attempt(task)
        self._sleep()

    def _end_attempt(self, attempt: Attempt) -> None:
        self.attempts.remove(attempt)
        said = attempt.said
        self.expected.deliveries[attempt.task.id].taken_by_relay += said.is_taken
        note = "" if said.outcome else "ValueError: no such template"
        self.results.append(Result(attempt.task, said.outcome, note))
        is_lost = said.outcome is None or said.outcome.reply.code in (0, 421)
        if not is_lost and said.outcome and said.outcome.stage not in BEFORE_MAIL:
            self.idle_open += 1
        self.used_at = self.clock.true

    @property
    def room(self) -> int:
        return self.rules.connections - len(self.attempts)

    def _step(self) -> list[Taken]:
        results, now = self.results, self.clock.now
        room = 0 if self.is_ending else self.room
        newest = max(self.expected.deliveries, default=0)
        changes = self.store.disk.changes
        try:
            tasks = self.dispatcher.step(now, results, room)
        except Crash as crash:
            if crash.is_durable:
                self._record(results)
                self._record_unseen()
            raise
        self.results = []
        self._record(results)
        self._require_order(tasks, newest)
        for task in tasks:
            taken = self.expected.take(task.id, now)
            told = f"delivery {task.id} goes with revision {task.revision}, not {taken.revision}"
            require(task.revision == taken.revision, told)
            self._require_rates(task)
        busy = len(self.attempts) + len(tasks)
        most = self.rules.connections if self.has_passed else max(1, len(self.attempts))
        require(busy <= most or not tasks, f"{busy} at once, and {most} are allowed")
        if results or tasks:
            self.looks = self.in_vain = 0
        if changes != self.store.disk.changes:
            self.in_vain = 0  # somebody who left was passed over
        return tasks

    def _record(self, results: list[Result]) -> None:
        for result in results:
            each = self.expected.deliveries[result.taken.id]
            self.expected.settle(each, result.outcome, self.rules.policy, self.clock.now)
            if result.outcome is not None and result.outcome.stage not in BEFORE_MAIL:
                self.has_passed = True

    def _record_unseen(self) -> None:
        """Killed after the commit: what was taken is on disk, and nobody begins it."""
        for (id,) in self.store.disk.run("SELECT id FROM delivery WHERE status = 'sending'"):
            if self.expected.deliveries[id].status != "sending":
                self.expected.take(id, self.clock.now)

    def _require_order(self, tasks: list[Taken], newest: int) -> None:
        """No message of a mailing goes while a single one waits that could."""
        if not any(task.purpose in TO_MANY for task in tasks):
            return
        if self.dispatcher.stuck is self.dispatcher.singles:
            return  # the relay has just failed at one
        taken = {task.id for task in tasks}
        waiting = [
            each.id
            for each in self.expected.deliveries.values()
            if each.id <= newest and each.mailing.purpose not in TO_MANY
            if each.status == "queued" and each.is_wanted and each.id not in taken
            if self.dispatcher.domains.wait(each.domain, self.clock.now) is None
            if each.domain not in self.rules.domain_rates
        ]
        require(not waiting, f"{waiting} are single messages, and a mailing went ahead of them")

    def _require_rates(self, task: Taken) -> None:
        now, domain = self.clock.true, task.email.rpartition("@")[2]
        if self.rules.rate:
            require(self.bucket.take(now), f"faster than {self.rules.rate} a second")
        if domain in self.domain_buckets:
            require(self.domain_buckets[domain].take(now), f"faster than {domain}'s rate")

    def _begin_attempt(self, task: Taken) -> None:
        now = self.clock.true
        if now - self.used_at > _IDLE_SECONDS:
            self.idle_open = 0
        is_open = self.idle_open > 0
        self.idle_open -= is_open
        said = self.relay.answer(task.email, is_open=is_open)
        seconds = self.chance.choice((0.01, 0.03, 0.3, 2.0)) * (60 if self.relay.is_slow else 1)
        self.attempts.append(Attempt(task, now + seconds, said, is_open))

    def _wait_for_disk(self) -> None:
        now = self.clock.true
        self.disk_failed_at = now if self.disk_failed_at is None else self.disk_failed_at
        if now - self.disk_failed_at > _PATIENCE:
            raise Crash(is_durable=False)
        self.wake_at = now + _STORE_SECONDS

    def _sleep(self) -> None:
        """Until the dispatcher wants to be asked, or something may have changed."""
        now = self.clock.true
        pause = _LOOKS[min(self.looks, len(_LOOKS) - 1)]
        self.looks += 1
        upcoming = None
        if self.room and not self.is_ending:
            upcoming = self.dispatcher.next_try(self.clock.now)
        if upcoming is None:
            self.in_vain = 0
        else:
            wait = max((upcoming - self.clock.now).total_seconds(), 0.001)
            self.in_vain = self.in_vain + 1 if wait <= 0.001 else 0
            require(self.in_vain < _MOST_IN_VAIN, "it spins, and nothing can be tried")
            pause = min(pause, wait)
        self.wake_at = now + pause

    # Its end

    @property
    def is_over(self) -> bool:
        return self.is_ending and not self.attempts and not self.results

    def die(self, *, is_through: bool) -> set[int]:
        """The relay has the whole text of what was on its way, or it never will have.

        Gives the deliveries whose bodies were begun: what the relay took, some others, and those
        whose outcome was read and is on no disk.
        """
        begun = {each.taken.id for each in self.results if _was_begun(each.outcome)}
        for attempt in self.attempts:
            took = attempt.said.is_taken and is_through
            self.expected.deliveries[attempt.task.id].taken_by_relay += took
            if took or (_was_begun(attempt.said.outcome) and self.chance.random() < 0.5):
                begun.add(attempt.task.id)
        self.attempts = []
        return begun


def _was_begun(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.stage in ("body", "final_dot")
