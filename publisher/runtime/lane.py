"""What is being sent: which deliveries of a mailing may go next, read in pages from the store.

What is in memory here is only ever a hint. The store decides, in the transaction of the intent.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from publisher.mailing.settle import Settlement
from publisher.model.delivery import Mailing
from publisher.store.batches import Lease
from publisher.store.candidates import (
    Candidate,
    Range,
    Scope,
    find_due,
    find_next_due,
    find_queued,
)

_PAGE = 500
# So many wait in memory for their domain's turn; above it, all behind them wait too.
_MAX_HELD = 50_000
# Where all due ones that were read wait for their domain, it is looked again after this.
_LOOK_AGAIN = timedelta(seconds=1)

# When a delivery's domain may be sent to, and the relay be used that it goes over alone; None is
# now.
CandidateWait = Callable[[Candidate], datetime | None]


class Lane:
    """The deliveries of one mailing that may be taken; of all single messages, where it has none.

    Under a lease they are those of its batch.

    `ready` may go as soon as there is room, `held` wait for their domain, or for the one relay that
    they go over. `loaded` are the ids of
    both and of what is in flight.
    """

    def __init__(
        self, publication: int, mailing: Mailing | None, lease: Lease | None = None
    ) -> None:
        self.publication = publication
        self.mailing = mailing
        self.lease = lease
        self.scope: Scope = mailing.id if mailing else None
        if lease is not None:
            self.scope = Range(lease.mailing, lease.first, lease.last)
        # Of a mailing that is not being sent any more.
        self.is_closed = False
        self.ready: deque[Candidate] = deque()
        self.held: dict[tuple[str, str], deque[Candidate]] = {}
        self.loaded: set[int] = set()
        self.look_again()

    def covers(self, candidate: Candidate) -> bool:
        """Tell whether a delivery is of its batch, where it has one."""
        if self.lease is None or self.lease.mailing != candidate.mailing:
            return False
        return self.lease.first <= candidate.id <= self.lease.last

    def has_nothing_to_read(self, now: datetime) -> bool:
        """Tell whether what is at hand is enough, or all."""
        is_due = self.next_due is not None and self.next_due <= now
        return self.is_next_due_known and not is_due and (self.is_at_end or len(self.ready) > 0)

    @property
    def last(self) -> int | None:
        """Where a mailing's canary ends, behind which nothing is taken yet."""
        return self.mailing.canary_last if self.mailing else None

    @property
    def is_canary_tried(self) -> bool:
        """There is a canary, and as far as is known here nothing of it waits for its turn."""
        return self.last is not None and self.is_at_end and not self.loaded

    def renew(self, mailing: Mailing) -> None:
        """Know how the mailing stands now."""
        self.mailing = mailing
        self.look_again()

    def look_again(self) -> None:
        """Forget what was known of the store: somebody else has changed something."""
        self.cursor = 0
        self.is_at_end = False
        self.is_next_due_known = False
        self.next_due: datetime | None = None

    def fill(self, connection: Connection, now: datetime) -> None:
        """Read on, where less than a page is at hand."""
        if not self.is_next_due_known or (self.next_due and self.next_due <= now):
            self._load_due(connection, now)
        while len(self.ready) < _PAGE // 2 and not self.is_at_end and self._has_room():
            page = find_queued(
                connection, self.publication, self.scope, self.cursor, _PAGE, self.last
            )
            self._load(page)
            self.cursor = page[-1].id if page else self.cursor
            self.is_at_end = len(page) < _PAGE

    def _has_room(self) -> bool:
        return len(self.loaded) < _MAX_HELD

    def _load_due(self, connection: Connection, now: datetime) -> None:
        due = find_due(connection, self.publication, self.scope, now, _PAGE)
        is_more = len(due) == _PAGE
        self._load(reversed(due), is_first=True)
        later = find_next_due(connection, self.publication, self.scope, now)
        self.next_due = now + _LOOK_AGAIN if is_more else later
        self.is_next_due_known = True

    def _load(self, candidates: Iterable[Candidate], *, is_first: bool = False) -> None:
        for candidate in candidates:
            if candidate.id not in self.loaded:
                self.loaded.add(candidate.id)
                (self.ready.appendleft if is_first else self.ready.append)(candidate)

    def choose(self, wait: CandidateWait, now: datetime) -> Candidate | None:
        """The next one that may be sent now."""
        if self.is_closed:
            return None
        for key, waiting in self.held.items():
            if (until := wait(waiting[0])) is None or until <= now:
                candidate = waiting.popleft()
                if not waiting:
                    del self.held[key]
                return candidate
        while self.ready:
            candidate = self.ready.popleft()
            until = wait(candidate)
            if until is None or until <= now:
                return candidate
            key = (candidate.domain, candidate.relay)
            self.held.setdefault(key, deque()).append(candidate)
        return None

    def settle(self, candidate: Candidate, settlement: Settlement, *, is_withdrawn: bool) -> None:
        """Let one that came back wait, or forget it, as became of it."""
        if settlement.event in ("released", "resent", "broken"):
            self.put_back(candidate, is_last=settlement.event != "resent" and not is_withdrawn)
        elif settlement.next_attempt_at is not None:
            self.note_deferred(candidate, settlement.next_attempt_at)
        else:
            self.drop(candidate)

    def put_back(self, candidate: Candidate, *, is_last: bool = False) -> None:
        """Take one that was not sent among those that may go."""
        self.loaded.add(candidate.id)
        (self.ready.append if is_last else self.ready.appendleft)(candidate)

    def drop(self, candidate: Candidate) -> None:
        """Forget one that is done with, or was not there any more."""
        self.loaded.discard(candidate.id)

    def note_deferred(self, candidate: Candidate, until: datetime) -> None:
        self.drop(candidate)
        if self.is_next_due_known:
            self.next_due = min(self.next_due or until, until)

    @property
    def is_done(self) -> bool:
        """As far as is known here, nothing is left to be tried, and nothing is in flight."""
        is_read = self.is_at_end and self.is_next_due_known and self.last is None
        return is_read and not (self.loaded or self.next_due)

    def has_nothing(self, wait: CandidateWait, now: datetime) -> bool:
        """Tell whether there is nothing to try now, whatever comes of what is in flight."""
        upcoming = self.next_try(wait, now)
        return upcoming is None or upcoming > now

    def next_try(self, wait: CandidateWait, now: datetime) -> datetime | None:
        """When something of it may be tried; None is never, unless something changes."""
        if self.is_closed:
            return None
        if self.ready or not self.is_at_end or not self.is_next_due_known:
            return now
        waits = [wait(waiting[0]) or now for waiting in self.held.values()]
        return min([*waits, *([self.next_due] if self.next_due else [])], default=None)
