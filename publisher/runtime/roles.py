"""What `run`'s processes do: deliver what there is, and let the schedules tick."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from publisher.errors import PublisherError
from publisher.runtime import jobs
from publisher.runtime.alerts import Alerts
from publisher.runtime.delivery import now_utc
from publisher.runtime.dispatch import Dispatcher
from publisher.runtime.fleet import Fleet
from publisher.runtime.folding import Folding
from publisher.runtime.lock import DeliveryLock, try_lock
from publisher.runtime.log import describe_defect
from publisher.runtime.newsroom import Folder
from publisher.runtime.planned import PlannedSends
from publisher.runtime.publishing import Publishing
from publisher.runtime.scheduler import Scheduler
from publisher.runtime.sending import Delivering, run_loop
from publisher.runtime.week_firing import WeekFirings
from publisher.runtime.weekly import Weeks
from publisher.settings import Settings
from publisher.store.arming import find_unarmed
from publisher.store.database import Database
from publisher.store.errors import StoreError
from publisher.store.place_server import ServerPlace
from publisher.store.ticks import note_tick
from publisher.store.workers import is_led

_LOOK_SECONDS = 0.5
_TICK_SECONDS = 5
# A clock that differs from how time passes by more than this was set.
_SET_SECONDS = 2.0
# A full disk is waited for as long as it takes: results that were read must not be lost.
_FOR_EVER = 1e9
# A relay that restarts is back before this.
_DOWN = timedelta(minutes=2)

Say = Callable[[str], None]


def deliver_always(delivering: Delivering, say: Say) -> None:
    """Deliver whatever is to be delivered, whenever nobody else does, until told to stop.

    Where a server's database has batches, work at those meanwhile.
    """
    watch = RelayWatch(Alerts(delivering.database, delivering.settings, say))
    was_unable = was_short = ""
    succeeding = Succeeding(delivering.database)

    def look(dispatcher: Dispatcher, now: datetime) -> bool:
        nonlocal was_short
        if (why := dispatcher.batches.fault) and why != was_short:
            say(f"No batches of mailings come here until this is over: {why}")
        was_short = why
        watch.note(describe_troubles(dispatcher.fleet, now), now)
        return not dispatcher.is_lead and succeeding.may_lead()

    while not delivering.stop.is_set():
        try:
            why, lock = _begin(delivering, succeeding)
            if lock is not None or (not why and succeeding.is_beside):
                run_loop(delivering, lock, look, patience=_FOR_EVER)
        except StoreError as error:  # a server's database comes back
            why, lock = str(error), None
        if why and why != was_unable:
            say(why)
        was_unable = why
        if lock is None:
            delivering.stop.wait(_LOOK_SECONDS)


class Succeeding:
    """Takes the delivery lock over from whoever had it, also beside the work at batches."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.is_beside = isinstance(database.place, ServerPlace)
        self._lock: DeliveryLock | None = None
        self._asked_at = time.monotonic()

    def may_lead(self) -> bool:
        """Tell whether the lock is ours now; asks no more often than now and then.

        Who has it and is not heard of any more loses it.
        """
        if time.monotonic() - self._asked_at >= _LOOK_SECONDS:
            self._asked_at = time.monotonic()
            with suppress(StoreError):  # what is at hand goes on, until the server is back
                with self.database.read() as connection:
                    has_lead = is_led(connection, jobs.LEASE)
                self._lock = None if has_lead else try_lock(self.database.place)
        return self._lock is not None

    def take(self) -> DeliveryLock | None:
        """The lock that was taken, or one that can be."""
        lock, self._lock = self._lock, None
        return lock or try_lock(self.database.place)


def _begin(delivering: Delivering, succeeding: Succeeding) -> tuple[str, DeliveryLock | None]:
    """Why nothing is sent, if that is to be told, or the lock where nobody else has it."""
    with delivering.database.read() as connection:
        if why := find_unarmed(connection, delivering.database.place):
            return f"{why}; nothing is sent until `publisher arm`", None
    return "", succeeding.take()


def describe_troubles(fleet: Fleet, now: datetime) -> dict[str, str]:
    """What an operator is told of relays that have been down for long, by what it is about."""
    troubles = fleet.find_troubles(now, _DOWN)
    if fleet.is_alone:
        text = "The mail relay cannot be reached; its deliveries wait."
        return {"relay": text} if troubles else {}
    is_all = len(troubles) == len(fleet.relays)
    others = "all deliveries wait" if is_all else "the others go on without it"
    return {
        name: f"The mail relay {name} cannot be used, and {others}: {fault or 'it does not answer'}"
        for name, fault in troubles.items()
    }


class RelayWatch:
    """Tells when a relay is down, and when it is back, beside the loop: results do not wait."""

    def __init__(self, alerts: Alerts) -> None:
        self.alerts = alerts
        self.down: set[str] | None = None

    def note(self, troubles: Mapping[str, str], now: datetime) -> None:
        """Note which are down now, with what is told of each."""
        if (down := set(troubles)) != self.down:
            self.down = down
            Thread(target=self._tell, args=(troubles, now), daemon=True).start()

    def _tell(self, troubles: Mapping[str, str], now: datetime) -> None:
        try:
            self.alerts.note_relays(troubles, now)
        except PublisherError as error:
            self.alerts.say(str(error))


class Ticking:
    """What is done at each tick: start what is planned, let schedules fire, publish, look round.

    Each has its turn whatever came of the others, and what is wrong is said once, not every time.
    """

    def __init__(self, database: Database, settings: Settings, folder: Path, say: Say) -> None:
        self.say = say
        newsroom = Folder(folder, settings)
        alerts = Alerts(database, settings, say)
        scheduler = Scheduler(
            database,
            settings,
            newsroom,
            lambda told: alerts.hear_schedule(told, now_utc()),
            WeekFirings(Weeks(database, settings, newsroom)),
        )
        planned = PlannedSends(
            database, newsroom, lambda told: alerts.hear_planned(told, now_utc())
        )
        publishing = Publishing(newsroom, settings, folder, say)
        self.turns: tuple[Callable[[datetime], object], ...]
        # An operator looks on while a planned send comes due.
        self.turns = (planned.tick, scheduler.tick, publishing.tick, alerts.look, self._note)
        self.turns += (Folding(database, settings, say).tick,)
        self._database = database
        self._said = [""] * len(self.turns)

    def __call__(self) -> None:
        for number, turn in enumerate(self.turns):
            fault = self._take(turn)
            if fault and fault != self._said[number]:
                self.say(fault)
            self._said[number] = fault

    def _note(self, now: datetime) -> None:
        """Let whoever watches over the processes see that this one does its work."""
        with self._database.write() as connection:
            note_tick(connection, self._database.publication, now)

    def _take(self, turn: Callable[[datetime], object]) -> str:
        try:
            turn(now_utc())
        except (PublisherError, OSError) as error:
            return str(error)
        except Exception as error:  # a defect, which must not keep the others from their turn
            return describe_defect(error)
        return ""


def tick_always(tick: Callable[[], None], stop: Event, seconds: float = _TICK_SECONDS) -> None:
    """Let something tick until told to stop, whatever the machine's clock does."""
    from apscheduler.schedulers.background import BackgroundScheduler

    # That a tick took longer than it is to the next is nothing to warn of.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    clock = BackgroundScheduler(timezone="UTC")
    job = clock.add_job(
        tick,
        "interval",
        seconds=seconds,
        next_run_time=now_utc(),
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    clock.start()
    offset = _clock_offset()
    while not stop.wait(_LOOK_SECONDS):
        # It waits for a time of day: of a clock that was put back, for as long as that was.
        if abs(_clock_offset() - offset) > _SET_SECONDS:
            offset = _clock_offset()
            job.modify(next_run_time=now_utc())
    clock.shutdown(wait=True)


def _clock_offset() -> float:
    return time.time() - time.monotonic()
