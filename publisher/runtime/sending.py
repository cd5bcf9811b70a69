"""One mailing from the foreground: deliver it here, or follow the process that does.

It returns when nothing is being sent and nothing may be tried soon; what is deferred is left.
"""

import secrets
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

import msgspec

from publisher.mailing.canary import CanaryRule
from publisher.mailing.settle import Policy
from publisher.model.delivery import Counts, Mailing, Outcome
from publisher.runtime.board import Board
from publisher.runtime.composer import Composer
from publisher.runtime.delivery import Loop, make_random, now_utc
from publisher.runtime.dispatch import Dispatcher
from publisher.runtime.exchange import Notice, Rules
from publisher.runtime.jobs import working
from publisher.runtime.lock import DeliveryLock, try_lock
from publisher.runtime.pool import Pool
from publisher.runtime.relays import make_relay_rules
from publisher.runtime.reserve import KeptBack
from publisher.runtime.signers import Signers
from publisher.runtime.start import load_keys
from publisher.settings import Settings
from publisher.smtp.courier import Courier
from publisher.store.arming import require_armed
from publisher.store.candidates import find_next_due
from publisher.store.database import Database
from publisher.store.installation import find_marks, set_marks
from publisher.store.mailings import count_deliveries, find_last_event, get_mailing
from publisher.store.place import MARK_LETTERS, read_mark

# So many for each connection are taken ahead, and so many of them may be begun before the next step
# is on disk; and the connections from which on that is done.
_AHEAD, _LOOSE = 12, 4
_MANY = 8
# What may be tried within this is waited for.
SOON = timedelta(seconds=5)
# A relay that cannot be reached is given up after this.
UNREACHABLE = timedelta(seconds=20)
_LOOK_SECONDS = 0.2
# Where another process sends, and nothing changes for so long, it is not followed any more.
_STANDSTILL = timedelta(seconds=30)
# A database that cannot be written is waited for, in seconds.
_PATIENCE = 20.0

USED_UP = "What may be sent today is used up (smtp.warm_up), and what is left waits for tomorrow."
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

Watch = Callable[[Mailing, Counts], None]


class Delivering(msgspec.Struct, frozen=True, kw_only=True):
    """What delivering takes: the publication, what to tell, and when to stop."""

    database: Database
    settings: Settings
    folder: Path
    stop: Event
    hear: Callable[[Notice], None] = lambda notice: None
    say: Callable[[str], None] = lambda text: None


def make_rules(settings: Settings, *, may_take_ahead: bool = False) -> Rules:
    """The rules of delivery in `[delivery]`.

    Nothing is taken ahead where several processes deliver: what was begun of what a dead one had
    taken is known on its machine alone. Nor with few connections: it is who has many that is after
    speed.
    """
    table, relays = settings.delivery, tuple(make_relay_rules(settings))
    connections = sum(each.connections for each in relays) or table.connections
    is_ahead = may_take_ahead and len(relays) == 1 and connections >= _MANY
    policy = Policy(on_in_doubt=table.on_in_doubt, give_up_after=table.give_up_after)
    return Rules(
        connections=connections,
        ahead=_AHEAD * connections if is_ahead else 0,
        loose=_LOOSE * connections if is_ahead else None,
        rate=table.rate,
        domain_rates=table.domain_rates,
        policy=policy,
        canary=CanaryRule(wait=table.canary_wait, limit=table.canary_limit),
        relays=relays,
        zone=ZoneInfo(settings.publication.time_zone),
    )


class Marking:
    """The marks of deliveries on a board, where there is one, as long as they may begin."""

    def __init__(self, board: Board | None, may_begin: Callable[[int], bool]) -> None:
        self._board = board
        self._may_begin = may_begin

    def begin(self, place: int, delivery: int) -> bool:
        """Mark that a delivery's body goes out now; False where it must not any more."""
        if not self._may_begin(delivery):
            return False
        if self._board is not None:
            self._board.begin(place, delivery)
        return True

    def end(self, place: int, outcome: Outcome) -> None:
        """Mark what came of it."""
        if self._board is not None:
            self._board.end(place, outcome)


def make_pool(delivering: Delivering, marks: Marking, ahead: int, kept: KeptBack) -> Pool:
    """The connections to all relays, none of them open yet."""
    settings = delivering.settings
    keys = load_keys(delivering.database, settings)
    composer = Composer(delivering.database, settings, keys, delivering.folder)
    name, per_connection = local_name(), settings.delivery.messages_per_connection
    couriers = [
        Courier(relay, name, messages_per_connection=per_connection)
        for relay, rule in zip(settings.relays, make_relay_rules(settings), strict=True)
        for _ in range(rule.connections)
    ]
    signers = Signers(composer.signers)
    make_courier = iter(couriers).__next__
    return Pool(len(couriers), make_courier, composer.prepare, signers, marks, ahead, kept)


def local_name() -> str:
    """What we say at EHLO: this machine's name, where it is one that DNS could have."""
    name = socket.gethostname()
    is_full = "." in name.strip(".") and name.isascii()
    return name if is_full else "localhost.localdomain"


def send(delivering: Delivering, mailing: int, watch: Watch) -> None:
    """Bring a mailing as far as it can be brought now, whoever does it."""
    with delivering.database.read() as connection:
        require_armed(connection, delivering.database.place)
    follower = Follower(delivering, mailing, watch)
    while not delivering.stop.is_set() and not follower.is_over(now_utc()):
        if (lock := try_lock(delivering.database.place)) is not None:
            _deliver(delivering, lock, follower)
            return
        delivering.stop.wait(_LOOK_SECONDS)


def _deliver(delivering: Delivering, lock: DeliveryLock, follower: "Follower") -> None:
    run_loop(delivering, lock, follower.is_over_here, patience=_PATIENCE, only=follower.mailing)


def send_all(delivering: Delivering) -> bool:
    """Bring every mailing as far as it can be brought now; False where another process delivers."""
    if (lock := try_lock(delivering.database.place)) is None:
        return False
    run_loop(delivering, lock, _is_idle, patience=_PATIENCE)
    return True


def _is_idle(dispatcher: Dispatcher, now: datetime) -> bool:
    return dispatcher.fleet.has_been_down(now, UNREACHABLE) or dispatcher.is_idle(now, SOON)


def run_loop(
    delivering: Delivering,
    lock: DeliveryLock | None,
    is_over: Callable[[Dispatcher, datetime], bool],
    *,
    patience: float,
    only: int | None = None,
) -> None:
    """Deliver under the lock, first settling what a dead process left; the lock is released.

    Without the lock, which another process has, it is batches alone that are delivered.
    """
    is_lead = lock is not None
    try:
        with (
            delivering.database.hold() as store,
            working(delivering.database.place, only, is_lead=is_lead) as jobs,
        ):
            rules = make_rules(delivering.settings, may_take_ahead=jobs is None)
            dispatcher = Dispatcher(
                *(store, rules, make_random(), delivering.hear, only, jobs), is_lead=is_lead
            )
            board = _recover(delivering.database, dispatcher, lock) if lock else None
            marks = Marking(board, dispatcher.batches.may_begin)
            pool = make_pool(delivering, marks, rules.ahead, dispatcher.reserve.kept)
            may_take = lock.is_held if lock else lambda: True
            loop = Loop(dispatcher, pool, delivering.stop, patience, may_take=may_take)
            loop.run(lambda now: is_over(dispatcher, now))
        for line in dispatcher.fleet.say_troubles():
            delivering.say(line)
        if dispatcher.fleet.is_used_up and dispatcher.next_try(now_utc()) is not None:
            delivering.say(USED_UP)
    finally:
        if lock is not None:
            lock.release()


def _recover(database: Database, dispatcher: Dispatcher, lock: DeliveryLock) -> Board | None:
    """Settle what the lock's last holder left, and take its place."""
    was_here = _mark(database, lock)
    begun = lock.read_begun() if was_here else None
    dispatcher.recover(now_utc(), begun, is_same=was_here)
    return lock.make_board(dispatcher.rules.connections + dispatcher.rules.ahead)


def _mark(database: Database, lock: DeliveryLock) -> bool:
    """Tell this database from every older state of it; StoreError where it is one, or a copy.

    Tells whether it was delivered last with the board that is on this machine.
    """
    mark = secrets.token_hex(MARK_LETTERS // 2)
    with database.write() as connection:
        require_armed(connection, database.place)
        last, marks = read_mark(database.place), find_marks(connection)
        # Both, until the file has the new one: this process may end in between.
        set_marks(connection, mark, last if last in marks else "")
    lock.mark(mark)
    return last in (marks or [""])


class Follower:
    """Looks at a mailing now and then: for its progress, and for whether it is over."""

    def __init__(self, delivering: Delivering, mailing: int, watch: Watch) -> None:
        self.database = delivering.database
        self.mailing = mailing
        self.watch = watch
        self.looked_at: datetime | None = None
        self.changed_at: datetime | None = None
        self.last: tuple[Counts, int] | None = None
        self.has_failed = False
        self.pause = timedelta(seconds=_LOOK_SECONDS)

    def look(self, now: datetime) -> tuple[Mailing, Counts, datetime | None]:
        """The mailing as it stands, and when what is deferred may be tried."""
        began = now_utc()
        with self.database.read() as connection:
            mailing = get_mailing(connection, self.mailing)
            counts = count_deliveries(connection, mailing)
            publication = self.database.publication
            due = find_next_due(connection, publication, self.mailing, _LONG_AGO)
            heard = find_last_event(connection)
        if (counts, heard[0]) != self.last:
            self.last, self.changed_at = (counts, heard[0]), now
        self.has_failed = heard[1] == "released"
        # Counting takes some milliseconds for 10,000, and must not take part of the sending.
        self.pause = max(50 * (now_utc() - began), timedelta(seconds=_LOOK_SECONDS))
        self.looked_at = now
        self.watch(mailing, counts)
        return mailing, counts, due

    def is_over(self, now: datetime) -> bool:
        """Tell whether nothing more will come of another process's sending soon."""
        if self.looked_at is not None and abs(now - self.looked_at) < self.pause:
            return False
        mailing, counts, due = self.look(now)
        if mailing.status != "sending":
            return True
        is_waiting = not (counts.queued or counts.sending) and (due is None or due > now + SOON)
        return is_waiting or self._is_still(now, counts)

    def _is_still(self, now: datetime, counts: Counts) -> bool:
        """Tell whether nothing moves: not even in other mailings, which may go before this one.

        What is being sent may be answered late, unless it is the relay that fails.
        """
        is_quiet = self.changed_at is not None and now - self.changed_at >= _STANDSTILL
        return is_quiet and (not counts.sending or self.has_failed)

    def is_over_here(self, dispatcher: Dispatcher, now: datetime) -> bool:
        """Tell whether this process's own sending of the mailing has come to its end for now."""
        if dispatcher.batches.jobs is not None and not dispatcher.in_flight:
            is_over = self.is_over(now)  # what others do of it counts as well
            return is_over or dispatcher.fleet.has_been_down(now, UNREACHABLE)
        if self.looked_at is None or abs(now - self.looked_at) >= self.pause:
            self.look(now)
        if dispatcher.fleet.has_been_down(now, UNREACHABLE):
            return True
        return dispatcher.is_over(self.mailing, now, SOON)
