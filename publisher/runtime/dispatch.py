"""What is sent next, and what becomes of what was sent: the delivery loop's every decision.

It opens no socket, starts no thread and reads no clock, so that the whole of it runs in simulated
time. One step is one transaction: results and next intents are on disk together.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from publisher.mailing.breaker import Breaker
from publisher.model.delivery import TO_MANY, Mailing
from publisher.runtime.aftermath import finish_all, look_after, settle_left
from publisher.runtime.batches import Batches
from publisher.runtime.board import Begun
from publisher.runtime.breaking import Breaking
from publisher.runtime.canary import Canaries
from publisher.runtime.domains import Domains
from publisher.runtime.exchange import Notice, Result, Rules
from publisher.runtime.fleet import Fleet
from publisher.runtime.jobs import Jobs
from publisher.runtime.judging import Judging
from publisher.runtime.lane import CandidateWait, Lane
from publisher.runtime.paces import Paces
from publisher.runtime.reserve import Reserve
from publisher.runtime.sweeping import Sweeping
from publisher.store.batches import Lease, find_batched
from publisher.store.candidates import Candidate, Range
from publisher.store.database import Held
from publisher.store.deliveries import Settled, Taken, find_sending, settle_all, take
from publisher.store.late import settle_late
from publisher.store.mailings import finish_if_done, get_mailing, list_active_mailings

# Where a mailing seems done and the store disagrees, it is asked again after this.
_LOOK_AGAIN = timedelta(seconds=1)


class Dispatcher:
    """Takes deliveries and settles them, for the one process that holds the delivery lock.

    Where `only` is set, of mailings to readers it is that one alone, and single messages besides.
    `random` gives 0 to 1.
    """

    def __init__(
        self,
        store: Held,
        rules: Rules,
        random: Callable[[], float],
        hear: Callable[[Notice], None] = lambda notice: None,
        only: int | None = None,
        jobs: Jobs | None = None,
        *,
        is_lead: bool = True,
    ) -> None:
        self.store = store
        self.rules = rules
        self.random = random
        self.hear = hear
        self.only = only
        self.is_lead = is_lead
        # What is done between the parts of a step: connections should not stand still.
        self.meanwhile: Callable[[], None] = lambda: None
        self.batches = Batches(store.publication, jobs)
        self.sweeping = Sweeping(store, is_wanted=is_lead and jobs is not None)
        self.fleet = Fleet(rules, store.publication)
        self.breaking = Breaking(self.fleet, store.publication)
        self.domains = Domains(rules.domain_rates)
        self.judging = Judging(self.fleet, self.domains, rules.policy, random)
        self.paces = Paces(self.fleet, self.domains, is_shared=jobs is not None)
        self.reserve = Reserve(store.publication, rules.loose)
        self.singles = Lane(store.publication, None)
        self.lanes: dict[int, Lane] = {}
        # The one at whose delivery the relay failed last: others go first, or one message that
        # the relay always fails at would hold up everybody for ever.
        self.stuck: Lane | None = None
        self.in_flight: dict[int, Candidate] = {}
        # Of which an intent may be on disk that nobody acts on: the last step failed at its end.
        self.unsure: dict[int, Lease | None] = {}
        self.version: object = None  # none that the store ever gives: look at the first step
        self.is_to_look_at: datetime | None = None

    def recover(self, now: datetime, begun: Begun | None, *, is_same: bool = True) -> int:
        """Settle what a dead process left with an intent and no outcome; give how many.

        Only `begun` ones can have reached their final dot. Where that is None it can be any of
        them, but for what was kept back if this `is_same` database that it had.
        """
        with self.store.write() as connection:
            left = find_sending(connection, self.store.publication)
            not_kept_back = self.reserve.recall(connection, left)
            begun = not_kept_back if begun is None and is_same else begun
            self._settle_left(connection, left, begun, now)
            if self.batches.jobs is None:
                self.fleet.recover(connection)  # nobody else has claimed anything
        return len(left)

    def _recover_batch(
        self, connection: Connection, scope: Range, own: Collection[int], now: datetime
    ) -> None:
        left = find_sending(connection, self.store.publication, scope)
        self._settle_left(connection, [each for each in left if each.id not in own], None, now)

    def _release_unsure(self, connection: Connection, now: datetime) -> None:
        lost = {id for id, lease in self.unsure.items() if lease and self.batches.is_lost(lease)}
        ids = self.unsure.keys() - self.in_flight.keys() - lost
        left = find_sending(connection, self.store.publication, ids)
        self._settle_left(connection, left, {}, now)
        for lane in self._in_order() if left else ():
            lane.look_again()

    def _settle_left(
        self, connection: Connection, left: Sequence[Taken], begun: Begun | None, now: datetime
    ) -> None:
        policy, known = self.rules.policy, {*self.lanes, *self.batches.mailings}
        settle_left(connection, self.store.publication, left, begun, policy, known, now)

    def step(self, now: datetime, results: Sequence[Result], room: int) -> list[Taken]:
        """Settle results and take at most `room` deliveries: these are to be sent now.

        Where it raises, nothing was written, and it can be called again with the same results.
        """
        breakers = dict(self.breaking.breakers)
        try:
            return self._step(now, results, room)
        except BaseException:
            self._forget_store(breakers)
            raise

    def _step(self, now: datetime, results: Sequence[Result], room: int) -> list[Taken]:
        began = time.monotonic()
        self.batches.lease_arrived(self.store, now, self._recover_batch)
        self._notice_changes(now)
        notices = self.sweeping.sweep_now_and_then(now)
        self.fleet.begin(results)
        is_settling = bool(results)
        chosen = [] if is_settling else self._choose_reading(now, room)
        is_due = (
            self._done_lanes(now)
            or self._canaries(self.lanes.values()).are_due(now)
            or self.batches.find_over(self._wait(now), now)
        )
        if not (is_settling or chosen or is_due or self.unsure):
            self._tell(notices)
            return []
        with self.store.write() as connection:
            self.batches.drop_lost(connection)
            self._release_unsure(connection, now)
            if is_settling:
                notices += self._settle(connection, results, now)
                self.meanwhile()
                chosen = self._choose(connection, now, room)
            self.meanwhile()
            tasks = self._take(connection, chosen, now)
            self.reserve.note(connection, tasks)
            self.meanwhile()
            notices += self._finish(connection, now)
            over = self.batches.give_back(connection, self._wait(now), now, results, tasks)
            notices += finish_all(connection, self.store.publication, over.values(), now)
            judged = self._canaries(self.lanes.values()).judge(connection, now)
        self.meanwhile()
        # What came back may be on its way again. Nothing is, where the disk did not take it.
        for result in results:
            self.in_flight.pop(result.taken.id, None)
        self.unsure.clear()
        self.reserve.end_step()
        self.batches.end_step(results, over, tasks, began)
        self.fleet.end(tasks, now)
        begun = {task.id for task in tasks}
        self.in_flight |= {each.id: each for each in chosen if each.id in begun}
        notices += self._note_canaries(judged)
        self._tell(notices)
        return tasks

    def _tell(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self.lanes.pop(notice.mailing.id, None)
            self.hear(notice)

    def next_try(self, now: datetime) -> datetime | None:
        """When there is something to try next; None is not before something changes."""
        several = [lane for lane in self._in_order() if lane is not self.singles]
        tries = [
            max(min(of_lanes), allowed)
            for lanes, is_single in (([self.singles] * self.is_lead, True), (several, False))
            if (of_lanes := self._next_tries(lanes, now))
            if (allowed := self.fleet.next_try(now, is_single=is_single)) is not None
        ]
        return min(tries, default=None)

    def wants_back(self, task: Taken) -> bool:
        """Tell whether a task that no connection has begun yet should not be begun."""
        is_stopped = task.purpose in TO_MANY and task.mailing not in self.lanes
        return is_stopped or not self.fleet.relays[task.relay].is_proven

    def is_over(self, mailing: int, now: datetime, soon: timedelta) -> bool:
        """Tell whether of a mailing nothing is in flight, and nothing will be tried soon."""
        if any(candidate.mailing == mailing for candidate in self.in_flight.values()):
            return False
        lane = self.lanes.get(mailing) or self._single_lane(mailing)
        if lane is None:
            return True
        upcoming = min(self._next_tries([lane], now), default=None)
        if not self.fleet.is_down and upcoming is not None:
            is_single = lane is self.singles
            upcoming = max(upcoming, self.fleet.next_try(now, is_single=is_single) or now)
        return upcoming is None or upcoming > now + soon

    def is_idle(self, now: datetime, soon: timedelta) -> bool:
        """Tell whether nothing is in flight, and nothing will be tried soon."""
        if self.in_flight or self.version is None or self.sweeping.has_work(now + soon):
            return False
        upcoming = self.next_try(now)
        is_waiting_for_relay = self.fleet.is_down and upcoming is not None
        return not is_waiting_for_relay and (upcoming is None or upcoming > now + soon)

    def _forget_store(self, breakers: Mapping[tuple[int, str], Breaker]) -> None:
        """Read everything anew at the next step; the breakers are as they were before this one."""
        self.singles = Lane(self.store.publication, None)
        for id, lane in self.lanes.items():
            self.lanes[id] = Lane(self.store.publication, lane.mailing)
        self.batches.renew()
        self.breaking.breakers = dict(breakers)
        self.fleet.forget()
        self.reserve.forget()
        self.version = None

    def _notice_changes(self, now: datetime) -> None:
        version = self.store.version()
        if version == self.version and not self.fleet.is_to_look(now):
            return
        with self.store.read() as connection:
            active = list_active_mailings(connection, self.store.publication)
            batched = find_batched(connection)
            self.fleet.look(connection, now)
        self.version = version
        known = self.lanes
        self.lanes = {}
        ids = {mailing.id for mailing in active}
        self.batches.note_active(ids)
        self.breaking.keep(ids)
        self.sweeping.note_active(active)
        for mailing in active if self.is_lead else ():
            is_wanted = mailing.id not in batched and self.only in (None, mailing.id)
            if mailing.purpose in TO_MANY and is_wanted:
                lane = known.get(mailing.id) or Lane(self.store.publication, mailing)
                lane.mailing = mailing
                self.lanes[mailing.id] = lane
        for lane in self._in_order():
            lane.look_again()

    def _in_order(self) -> list[Lane]:
        """Single messages go ahead of mailings, and of those the oldest."""
        mine = [self.singles, *self.lanes.values()] if self.is_lead else []
        lanes = [*mine, *self.batches.lanes.values()]
        return sorted(lanes, key=lambda lane: lane is self.stuck) if self.stuck else lanes

    def _wait(self, now: datetime) -> CandidateWait:
        def wait(candidate: Candidate) -> datetime | None:
            of_domain = self.domains.wait(candidate.domain, now)
            if not candidate.relay:
                return of_domain
            of_relay = self.fleet.wait_for(candidate.relay, now)
            return max(filter(None, (of_domain, of_relay)), default=None)

        return wait

    def _choose_reading(self, now: datetime, room: int) -> list[Candidate]:
        if self._room(now, room) <= 0 and not any(not lane.is_at_end for lane in self._in_order()):
            return []
        if all(lane.has_nothing_to_read(now) for lane in self._in_order()):
            return self._choose(None, now, room)
        with self.store.read() as connection:
            return self._choose(connection, now, room)

    def _room(self, now: datetime, room: int) -> int:
        return min(room, self.fleet.room(now))

    def _choose(self, connection: Connection | None, now: datetime, room: int) -> list[Candidate]:
        """Up to `room` deliveries that everything allows, in the lanes' order."""
        chosen: list[Candidate] = []
        room = self._room(now, room)
        wait = self._wait(now)
        for lane in self._in_order():
            if connection is not None:
                lane.fill(connection, now)
            while len(chosen) < room:
                candidate = lane.choose(wait, now)
                if candidate is None:
                    break
                if self.fleet.pick(candidate, now, is_single=lane is self.singles) is None:
                    lane.put_back(candidate)
                    break  # what another lane has may have its relay, or no allowance to wait for
                self.domains.take(candidate.domain, now)
                chosen.append(candidate)
        return chosen

    def _take(
        self, connection: Connection, chosen: Sequence[Candidate], now: datetime
    ) -> list[Taken]:
        lanes = {each.id: lane for each in chosen if (lane := self._lane_of(each)) is not None}
        if not lanes:
            return []
        chosen = [each for each in chosen if each.id in lanes]
        late = self.paces.claim(connection, chosen, now)
        for candidate in late:
            lanes[candidate.id].put_back(candidate)
        ids = [candidate.id for candidate in chosen if candidate not in late]
        self.unsure |= {id: lane.lease for id, lane in lanes.items()}
        tasks, unwanted = take(connection, self.store.publication, ids, now, self.fleet.picked)
        # Of a single message whose reader left, nothing comes back that would finish it.
        for mailing in {each.mailing for each in unwanted if each.purpose not in TO_MANY}:
            finish_if_done(connection, self.store.publication, mailing, now)
        left = set(ids) - {task.id for task in tasks}
        self.fleet.give_back(connection, left)
        for candidate in chosen if left else ():
            if candidate.id in left:
                lanes[candidate.id].drop(candidate)
        return tasks

    def _single_lane(self, mailing: int) -> Lane | None:
        """The lane of single messages, where this one waits there to be tried."""
        with self.store.read() as connection:
            is_sending = get_mailing(connection, mailing).status == "sending"
        return self.singles if is_sending else None

    def _lane_of(self, candidate: Candidate) -> Lane | None:
        if candidate.id in self.singles.loaded:
            return self.singles
        return self.lanes.get(candidate.mailing) or self.batches.find(candidate)

    def _settle(
        self, connection: Connection, results: Sequence[Result], now: datetime
    ) -> list[Notice]:
        """Write what came of tasks, and pause the mailings whose breaker that trips."""
        mine, theirs = self.batches.part(connection, results)
        settled = [self._settle_one(result, now) for result in mine]
        late = [self._settle_one(result, now) for result in theirs]
        publication = self.store.publication
        has_new = settle_all(connection, publication, settled, now)
        if settle_late(connection, publication, late, now) or has_new:
            self.version = None  # no other one's change, but one to be noticed
        notices = self.breaking.judge(connection, settled, now, self.random)
        self.fleet.record(connection, results, now)
        look_after(connection, publication, settled, {*self.lanes, *self.batches.mailings}, now)
        return notices

    def _settle_one(self, result: Result, now: datetime) -> Settled:
        taken = result.taken
        candidate = self.in_flight.get(taken.id) or Candidate(taken.id, taken.mailing, "")
        settlement = self.judging.settle(result, candidate.domain, now)
        if settlement.event == "resent":
            candidate = msgspec.structs.replace(candidate, relay=taken.relay)
        lane = self._lane_of(candidate)
        if settlement.event == "accepted":
            self.stuck = None
        elif settlement.event == "released" and lane and not result.is_withdrawn:
            self.stuck = lane
        if lane is not None:
            lane.settle(candidate, settlement, is_withdrawn=result.is_withdrawn)
        return Settled(taken=taken, settlement=settlement, outcome=result.outcome, note=result.note)

    def _next_tries(self, lanes: Sequence[Lane], now: datetime) -> list[datetime]:
        wait = self._wait(now)
        tries = [moment for lane in lanes if (moment := lane.next_try(wait, now)) is not None]
        return tries + self._canaries(lanes).next_looks(now)

    def _canaries(self, lanes: Iterable[Lane]) -> Canaries:
        return Canaries(lanes, self.in_flight.values(), self.rules.canary)

    def _note_canaries(self, judged: Sequence[Mailing]) -> list[Notice]:
        """Let lanes know what became of their canaries; those that stopped are told of.

        Where others deliver too, what is behind a canary is in batches from then on.
        """
        for mailing in judged:
            self.lanes[mailing.id].renew(mailing)
            if self.batches.jobs is not None and mailing.canary_last is None:
                del self.lanes[mailing.id]
        return [Notice("paused", mailing) for mailing in judged if mailing.status == "paused"]

    def _done_lanes(self, now: datetime) -> list[Lane]:
        if self.is_to_look_at is not None and now < self.is_to_look_at <= now + _LOOK_AGAIN:
            return []
        return [lane for lane in self.lanes.values() if lane.is_done]

    def _finish(self, connection: Connection, now: datetime) -> list[Notice]:
        notices = []
        for lane in self._done_lanes(now):
            if lane.mailing is None:
                continue
            if finish_if_done(connection, self.store.publication, lane.mailing.id, now):
                notices.append(Notice("finished", get_mailing(connection, lane.mailing.id)))
            else:  # something is there that was not seen
                self.is_to_look_at = now + _LOOK_AGAIN
                lane.look_again()
        return notices
