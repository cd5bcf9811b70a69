"""What one relay is like at the moment: up, proven, asking for less, and how many it lets in."""

from datetime import datetime, timedelta

from publisher.mailing.rest import Rest, leave_alone, wait_to_try
from publisher.mailing.retry import TokenBucket, take
from publisher.model.delivery import Outcome
from publisher.runtime.exchange import RelayRule

# A connection that is refused while others work means that there are too many of them.
_OTHERS_WORK = timedelta(seconds=30)
# So often one connection more is tried again.
_ONE_MORE = timedelta(minutes=1)
# Whose connections are all busy and answer nothing for so long is not waited for by others.
_STUCK = timedelta(seconds=5)
_NONE = timedelta(0)
_BEFORE_MAIL = ("connect", "greeting", "ehlo", "starttls", "auth")


class Relay:
    """A relay as the dispatcher knows it.

    Until a message got as far as MAIL one connection tries alone: a refused login is then refused
    once, and a relay that is down is asked by one. `allowed` is today's allowance, and
    `left` what is left of it; None is no limit.
    """

    def __init__(self, rule: RelayRule, ahead: int = 0) -> None:
        self.name = rule.name
        self.ahead = ahead
        self.connections = rule.connections
        self.most = rule.connections
        self.rate = rule.rate
        self.growth = rule.growth
        self.bucket = TokenBucket()
        self.allowed: int | None = None
        self.left: int | None = None
        self.is_proven = False
        self.rest = Rest()
        self.noted: Rest | None = None
        self.down_since: datetime | None = None
        self.trying_since: datetime | None = None
        self.heard_at: datetime | None = None
        self.worked_at: datetime | None = None
        self.narrowed_at: datetime | None = None

    def room(self, now: datetime, in_flight: int) -> int:
        """How many deliveries may be begun now, by the relay's state; the rate is asked for each.

        A wait that the clock was put back over is over.
        """
        if wait_to_try(self.rest, now):
            return 0
        if not self.is_proven:
            return max(0, 1 - in_flight)
        if self.narrowed_at and now - self.narrowed_at >= _ONE_MORE:
            self.most = min(self.most + 1, self.connections)
            self.narrowed_at = now if self.most < self.connections else None
        ahead = self.ahead if self.most == self.connections else 0
        return max(0, self.most + ahead - in_flight)

    def takes_part(self, now: datetime, in_flight: int) -> bool:
        """Tell whether it may have its share of what is sent now: others wait for it, at times.

        Its allowance is another matter.
        """
        if wait_to_try(self.rest, now):
            return False
        if self.rest.failures and not self.is_proven:
            return not in_flight  # what the one connection that tries it finds is its own affair
        return not self.is_stuck(now, in_flight)

    def is_stuck(self, now: datetime, in_flight: int) -> bool:
        """Tell whether all of its connections have been busy for long, without an answer."""
        most = self.most if self.is_proven else 1
        return in_flight >= most and self.answers_by(now) <= now

    def answers_by(self, now: datetime) -> datetime:
        """Until when others wait for an answer of it, where all of its connections are busy."""
        heard_at = now if self.heard_at is None or self.heard_at > now else self.heard_at
        return heard_at + _STUCK

    def wait_for_token(self, now: datetime) -> timedelta:
        """How long until its rate has a token; takes none."""
        if not self.rate:
            return _NONE
        bucket, wait = take(self.bucket, now, self.rate, burst=self.rate / 10)
        if wait:
            # What it has saved up, counted from now: a clock that was put back goes on.
            self.bucket = bucket
        return wait

    def spend_token(self, now: datetime) -> None:
        """Count a delivery that begins."""
        if self.rate:
            self.bucket, _ = take(self.bucket, now, self.rate, burst=self.rate / 10)

    def use_up(self, now: datetime) -> None:
        """Others have taken what the rate had."""
        self.bucket = TokenBucket(0.0, now)

    def next_try(self, now: datetime) -> datetime:
        """When it may be tried again."""
        return now + wait_to_try(self.rest, now)

    def note_try(self, now: datetime) -> None:
        """An attempt begins; of a relay that is not proven it may never be heard again."""
        if not self.is_proven:
            self.trying_since = self.trying_since or now

    def note(self, outcome: Outcome, now: datetime, random: float, *, is_alone: bool) -> None:
        """Learn from what came of an attempt; `is_alone` where there is no other relay.

        By one of several that takes nothing from us others can be used, and it is left alone.
        """
        self.trying_since, self.heard_at = None, now
        if outcome.stage not in _BEFORE_MAIL:
            self.is_proven = True
        if outcome.concern in ("relay", "relay_rate", "login") and outcome.kind != "accepted":
            self._note_failure(outcome, now, random, is_alone=is_alone)
        elif outcome.concern == "sender" and not is_alone:
            self.shun(str(outcome.reply), now, random)
        elif outcome.kind != "unknown":
            self.rest = Rest()
            self.down_since = None
            self.worked_at = now

    def shun(self, fault: str, now: datetime, random: float) -> None:
        """Leave it alone for long: it takes nothing from us, or nothing comes of what it takes."""
        self.rest = leave_alone(self.rest, now, fault, random, is_refused=True)
        self.is_proven = False

    def forgive(self) -> None:
        """Let it be tried again at once, though it takes nothing from us: an operator is asked."""
        if self.rest.is_refused:
            self.rest = Rest(self.rest.failures, None, self.rest.fault)

    def _note_failure(
        self, outcome: Outcome, now: datetime, random: float, *, is_alone: bool
    ) -> None:
        do_others_work = self.worked_at is not None and now - self.worked_at < _OTHERS_WORK
        is_first = not self.rest.failures
        if outcome.stage in _BEFORE_MAIL and do_others_work and self.most > 1 and is_first:
            self.most -= 1
            self.narrowed_at = now
            return
        is_refused = outcome.kind == "permanent" and not is_alone
        before = self.rest
        self.rest = leave_alone(before, now, str(outcome.reply), random, is_refused=is_refused)
        if self.rest is before:
            return  # it was on its way already, and says nothing new
        self.is_proven = False
        if outcome.concern == "relay":
            self.down_since = self.down_since or now

    def has_been_down(self, now: datetime, how_long: timedelta) -> bool:
        """Tell whether nothing has come through for so long, nor been answered."""
        since = self.down_since or self.trying_since
        return since is not None and now - since >= how_long
