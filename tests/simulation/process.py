"""A simulated delivery process, which is held against what the contract lets it do."""

from datetime import datetime
from random import Random

import msgspec

from publisher.mailing.retry import wait_for_domain
from publisher.model.delivery import TO_MANY, Outcome, Reply
from publisher.rehearsal.process import Attempt
from publisher.rehearsal.process import Process as Simulated
from publisher.rehearsal.relay import BEFORE_MAIL, Relay, Said
from publisher.rehearsal.world import Crash, Store
from publisher.runtime.board import Begun
from publisher.runtime.exchange import Result, Rules
from publisher.store.deliveries import Taken
from publisher.store.errors import StoreError
from tests.simulation.expected import Delivery, Expected, require

# What stands for a delivery whose body was not begun.
_NOT_BEGUN = Reply(0, "", "not begun")
# Looking in vain, while the loop says that there is something to do now.
_MOST_IN_VAIN = 4


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


class Process(Simulated):
    """From the lock's taking to its end. Raises Crash where it is killed."""

    def __init__(
        self, store: Store, rules: Rules, relay: Relay, expected: Expected, chance: Random
    ) -> None:
        super().__init__(store, rules, relay, chance)
        self.expected = expected
        self.has_passed = False
        self.has_recovered = False
        self.in_vain = 0
        self.forget_rates()

    def forget_rates(self) -> None:
        """The clock has jumped."""
        self.bucket = Bucket(self.rules.rate, self.rules.rate / 10)
        self.domain_buckets = {
            domain: Bucket(rate, 1.0) for domain, rate in self.rules.domain_rates.items()
        }

    def recover(self, rules: Rules | None, begun: Begun | None) -> None:
        """Settle what a dead process left: at most as many doubts as it had connections.

        `begun` are those of which a body was begun; None where the machine itself went down: then
        it is all but those that are known to have been kept back. The `rules` are those of the dead
        one; None where there was none.
        """
        left = [each for each in self.expected.deliveries.values() if each.status == "sending"]
        most = rules.connections if rules else 0
        ahead = rules.ahead if rules else 0
        require(len(left) <= most + ahead, f"{len(left)} were taken, of {most} and {ahead}")
        told, now = begun, self.clock.now
        if begun is None:
            kept = self._find_kept_back()
            begun = {each.id: None for each in left if each.id not in kept}
            most *= 2  # as many again may have been begun since the last step
        doubts = [each for each in left if begun.get(each.id, _NOT_BEGUN) is None]
        require(len(doubts) <= most, f"{len(doubts)} are in doubt, of {most} connections")
        try:
            self.dispatcher.recover(now, told)
        except StoreError:
            raise Crash(is_durable=False) from None  # it says so, and ends
        except Crash as crash:
            if crash.is_durable:
                self._record_recovery(left, begun, now)
            raise
        self._record_recovery(left, begun, now)
        self.has_recovered = True

    def _find_kept_back(self) -> set[int]:
        found = self.store.disk.run("SELECT value FROM installation WHERE key LIKE 'reserve-%'")
        return {id for (value,) in found for id in msgspec.json.decode(value)}

    def _record_recovery(self, left: list[Delivery], begun: Begun, now: datetime) -> None:
        for each in left:
            reply = begun.get(each.id, _NOT_BEGUN)
            if reply is None:
                each.settlements += 1
                self.expected.doubt(each, self.rules.policy, now)
            elif reply is _NOT_BEGUN:
                each.settlements += 1
                self.expected.release(each)
            else:
                outcome = Outcome(kind="accepted", stage="final_dot", reply=reply)
                self.expected.settle(each, outcome, self.rules.policy, now)

    # The loop

    @property
    def slowed(self) -> set[str]:
        """The domains that asked for less, and are not tried yet."""
        domains, now = self.dispatcher.domains, self.clock.now
        return {each for each, slow in domains.backoffs.items() if wait_for_domain(slow, now)}

    def end_attempt(self, attempt: Attempt) -> None:
        super().end_attempt(attempt)
        self.expected.deliveries[attempt.task.id].taken_by_relay += attempt.said.is_taken

    def step(self) -> list[Taken]:
        results, now = self.results, self.clock.now
        newest = max(self.expected.deliveries, default=0)
        changes = self.store.disk.changes
        try:
            tasks = super().step()
        except Crash as crash:
            if crash.is_durable:
                self._record(results)
                self._record_unseen()
            raise
        self._record(results)
        self._require_order(tasks, newest)
        for task in tasks:
            taken = self.expected.take(task.id, now)
            told = f"delivery {task.id} goes with revision {task.revision}, not {taken.revision}"
            require(task.revision == taken.revision, told)
            self._require_rates(task)
        busy = len(self.attempts) + len(tasks)
        busy += len(self.waiting)
        most = self.rules.connections + self.rules.ahead
        most = most if self.has_passed else max(1, len(self.attempts))
        require(busy <= most or not tasks, f"{busy} at once, and {most} are allowed")
        if results or tasks or changes != self.store.disk.changes:
            self.in_vain = 0  # or somebody who left was passed over
        return tasks

    def _record(self, results: list[Result]) -> None:
        """What was settled; corrections that follow from it may be taken in the same step."""
        for result in results:
            each = self.expected.deliveries[result.taken.id]
            if result.is_withdrawn:
                each.settlements += 1
                self.expected.release(each)
                continue
            self.expected.settle(each, result.outcome, self.rules.policy, self.clock.now)
            if result.outcome is not None and result.outcome.stage not in BEFORE_MAIL:
                self.has_passed = True
        self.expected.find_rows(self.store.disk)

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

    def seconds_for(self, task: Taken, said: Said) -> float:
        return super().seconds_for(task, said) * (60 if self.relay.is_slow else 1)

    def next_wait(self) -> float | None:
        wait = super().next_wait()
        self.in_vain = self.in_vain + 1 if wait is not None and wait <= 0.001 else 0
        require(self.in_vain < _MOST_IN_VAIN, "it spins, and nothing can be tried")
        return wait

    def lose(self, attempt: Attempt, *, is_taken: bool) -> None:
        self.expected.deliveries[attempt.task.id].taken_by_relay += is_taken
