"""The batches that this process has leases of: a lane for each.

Whoever loses a lease takes nothing more of it, as the store says in the transaction of the intent;
and begins no body whose intent is so old that the lease may be lost.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from publisher.runtime.exchange import Result
from publisher.runtime.jobs import LEASE, SILENT, Jobs
from publisher.runtime.lane import CandidateWait, Lane
from publisher.store.batches import Lease, find_lost, give_back, leave, take_lease
from publisher.store.candidates import Candidate, Range
from publisher.store.database import Held
from publisher.store.deliveries import Taken
from publisher.store.late import find_settled
from publisher.store.mailings import get_mailing

# Settles what is left of a range, but for what is still in flight here.
Recover = Callable[[Connection, Range, Collection[int], datetime], None]

# In seconds: a lease is not lost before this, whenever in it the intent was.
_OLD = LEASE / 2


class Batches:
    """Lanes by their batch. Without jobs, as on SQLite, there are none."""

    def __init__(self, publication: int, jobs: Jobs | None = None) -> None:
        self.publication = publication
        self.jobs = jobs
        self.lanes: dict[int, Lane] = {}
        # Of what is in flight: under which lease it was taken, and when, by the monotonic clock.
        self._taken: dict[int, tuple[Lease, float]] = {}

    @property
    def fault(self) -> str:
        """Why no batches come; empty where they may."""
        return self.jobs.fault if self.jobs else ""

    @property
    def mailings(self) -> set[int]:
        """Those that the batches are of."""
        return {lane.lease.mailing for lane in self.lanes.values() if lane.lease is not None}

    def lease_arrived(self, store: Held, now: datetime, recover: Recover) -> None:
        """Be the one who works at the batches that came, and settle what a dead one left of them.

        Whether its bodies were begun is known on its own machine at most. What comes once more to
        who has it goes on: its job was lost with a connection to the server.
        """
        while self.jobs is not None and (batch := self.jobs.next_arrived()) is not None:
            lane, own = None, set[int]()
            with store.write() as connection:
                lease = take_lease(connection, batch, self.jobs.name, SILENT)
                if lease is not None:
                    own = self._list_own(lease)
                    recover(connection, Range(lease.mailing, lease.first, lease.last), own, now)
                    mailing = get_mailing(connection, lease.mailing)
                    lane = Lane(self.publication, mailing, lease)
                    lane.is_closed = mailing.status != "sending"
            self.jobs.drop_arrived()
            if lane is None or lease is None:
                self._end(batch)
                continue
            self.lanes[batch] = lane
            lane.loaded |= own
            for id in own:
                self._taken[id] = (lease, self._taken[id][1])

    def _list_own(self, lease: Lease) -> set[int]:
        """What is in flight under the lease before this one, where that was this process's too."""
        return {
            id
            for id, (had, _) in self._taken.items()
            if had.batch == lease.batch and had.token == lease.token - 1
        }

    def find(self, candidate: Candidate) -> Lane | None:
        """The lane of a delivery."""
        return next((lane for lane in self.lanes.values() if lane.covers(candidate)), None)

    def drop_lost(self, connection: Connection) -> None:
        """Forget the batches that others have taken over; the connection writes."""
        leases = [lane.lease for lane in self.lanes.values() if lane.lease is not None]
        for batch in find_lost(connection, leases) if leases else ():
            del self.lanes[batch]
            self._end(batch)

    def note_active(self, mailings: Collection[int]) -> None:
        """Take nothing more of a mailing that is not being sent any more."""
        for lane in self.lanes.values():
            lane.look_again()
            lane.is_closed = lane.lease is None or lane.lease.mailing not in mailings

    def _note_taken(self, tasks: Iterable[Taken], began: float) -> None:
        """These were taken in a step that began at a moment of the monotonic clock."""
        for lane in self.lanes.values():
            if lane.lease is not None:
                for task in tasks:
                    if task.id in lane.loaded:
                        self._taken[task.id] = (lane.lease, began)

    def may_begin(self, delivery: int) -> bool:
        """Tell whether a body may still go out; in any thread."""
        lease, began = self._taken.get(delivery, (None, 0.0))
        return lease is None or time.monotonic() - began < _OLD

    def part(
        self, connection: Connection, results: Sequence[Result]
    ) -> tuple[list[Result], list[Result]]:
        """Apart: results of leases that are held, and those that come late; the connection writes.

        Of what is in no batch another one has settled the doubts who leads since.
        """
        late = {id for id, (lease, _) in self._taken.items() if self.is_lost(lease)}
        free = [result.taken.id for result in results if result.taken.id not in self._taken]
        if free and self.jobs is not None:
            late |= find_settled(connection, free)
        mine = [result for result in results if result.taken.id not in late]
        return mine, [result for result in results if result.taken.id in late]

    def is_lost(self, lease: Lease) -> bool:
        """Tell whether a lease is not this process's any more, as far as is known here."""
        lane = self.lanes.get(lease.batch)
        return lane is None or lane.lease != lease

    def _forget(self, results: Iterable[Result]) -> None:
        """What came of these is on disk."""
        for result in results:
            self._taken.pop(result.taken.id, None)
            if self.jobs and result.outcome and result.outcome.kind == "accepted":
                self.jobs.sent += 1

    def find_over(
        self, wait: CandidateWait, now: datetime, settled: Collection[int] = ()
    ) -> dict[int, Lane]:
        """The lanes with nothing to do now, and nothing in flight but what is just settled."""
        busy = {lease for id, (lease, _) in self._taken.items() if id not in settled}
        return {
            batch: lane
            for batch, lane in self.lanes.items()
            if lane.lease not in busy and lane.has_nothing(wait, now)
        }

    def give_back(
        self,
        connection: Connection,
        wait: CandidateWait,
        now: datetime,
        results: Iterable[Result],
        tasks: Iterable[Taken],
    ) -> dict[int, int]:
        """End the leases of batches that are over, and give those, each with its mailing.

        `results` were just settled, and `tasks` are just taken; the connection writes. What is left
        of a mailing that is not being sent stays as it is until that goes on.
        """
        settled, begun = {each.taken.id for each in results}, {task.id for task in tasks}
        found = self.find_over(wait, now, settled)
        over = {id: lane for id, lane in found.items() if not lane.loaded & begun}
        due = {
            lane.lease: lane.next_try(wait, now)
            for lane in over.values()
            if lane.lease is not None and not lane.is_closed
        }
        if due:
            give_back(connection, due)
        closed = [lane.lease for lane in over.values() if lane.lease and lane.is_closed]
        if closed:
            leave(connection, closed)
        return {batch: lane.lease.mailing for batch, lane in over.items() if lane.lease}

    def end_step(
        self,
        results: Iterable[Result],
        over: Iterable[int],
        tasks: Iterable[Taken],
        began: float,
    ) -> None:
        """The step is on disk: what came back, the batches that were given back, what was taken."""
        self._forget(results)
        for batch in over:
            del self.lanes[batch]
            self._end(batch)
        self._note_taken(tasks, began)

    def renew(self) -> None:
        """Read every lane anew."""
        for batch, lane in self.lanes.items():
            self.lanes[batch] = Lane(self.publication, lane.mailing, lane.lease)

    def _end(self, batch: int) -> None:
        if self.jobs is not None:
            self.jobs.end(batch)
