"""What the relay is like at the moment: up, proven, asking for less, and how many it lets in."""

from datetime import datetime, timedelta

from publisher.mailing.retry import TokenBucket, take, wait_for_relay
from publisher.model.delivery import Outcome

# A connection that is refused while others work means that there are too many of them.
_OTHERS_WORK = timedelta(seconds=30)
# So often one connection more is tried again.
_ONE_MORE = timedelta(minutes=1)
_BEFORE_MAIL = ("connect", "greeting", "ehlo", "starttls", "auth")


class Relay:
    """The relay as the dispatcher knows it.

    Until a message got as far as MAIL one connection tries alone: a refused login is then refused
    once, and a relay that is down is asked by one.
    """

    def __init__(self, connections: int, rate: float) -> None:
        self.connections = connections
        self.most = connections
        self.rate = rate
        self.bucket = TokenBucket()
        self.is_proven = False
        self.failures = 0
        self.until: datetime | None = None
        self.down_since: datetime | None = None
        self.trying_since: datetime | None = None
        self.fault = ""
        self.worked_at: datetime | None = None
        self.narrowed_at: datetime | None = None

    def room(self, now: datetime, in_flight: int) -> int:
        """How many deliveries may be begun now, by the relay's state; the rate is asked for each.

        A wait that the clock was put back over is over.
        """
        if self._wait(now):
            return 0
        if not self.is_proven:
            return max(0, 1 - in_flight)
        if self.narrowed_at and now - self.narrowed_at >= _ONE_MORE:
            self.most = min(self.most + 1, self.connections)
            self.narrowed_at = now if self.most < self.connections else None
        return max(0, self.most - in_flight)

    def allow(self, now: datetime) -> timedelta:
        """Take one of the rate's tokens; or how long until there is one."""
        self.bucket, wait = take(self.bucket, now, self.rate, burst=self.rate / 10)
        return wait

    def _wait(self, now: datetime) -> timedelta:
        wait = self.until - now if self.until else timedelta(0)
        return wait if timedelta(0) < wait <= timedelta(minutes=2) else timedelta(0)

    def next_try(self, now: datetime) -> datetime:
        """When it may be tried again."""
        return now + self._wait(now)

    def note_try(self, now: datetime) -> None:
        """An attempt begins; of a relay that is not proven it may never be heard again."""
        if not self.is_proven:
            self.trying_since = self.trying_since or now

    def note(self, outcome: Outcome, now: datetime, random: float) -> None:
        """Learn from what came of an attempt."""
        self.trying_since = None
        if outcome.stage not in _BEFORE_MAIL:
            self.is_proven = True
        if outcome.concern in ("relay", "relay_rate", "login") and outcome.kind != "accepted":
            self._note_failure(outcome, now, random)
        elif outcome.kind != "unknown":
            self.failures = 0
            self.until = None
            self.down_since = None
            self.worked_at = now

    def _note_failure(self, outcome: Outcome, now: datetime, random: float) -> None:
        do_others_work = self.worked_at is not None and now - self.worked_at < _OTHERS_WORK
        if outcome.stage in _BEFORE_MAIL and do_others_work and self.most > 1 and not self.failures:
            self.most -= 1
            self.narrowed_at = now
            return
        if self._wait(now):
            return  # it was on its way already, and says nothing new
        self.failures += 1
        self.fault = str(outcome.reply)
        self.until = now + wait_for_relay(self.failures, random)
        self.is_proven = False
        if outcome.concern == "relay":
            self.down_since = self.down_since or now

    def has_been_down(self, now: datetime, how_long: timedelta) -> bool:
        """Tell whether nothing has come through for so long, nor been answered."""
        since = self.down_since or self.trying_since
        return since is not None and now - since >= how_long
