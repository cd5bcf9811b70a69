"""The relays together: which one the next delivery goes over, and what each has left for today.

Like the dispatcher, whose decisions these are, it reads no clock; what it writes is in the
dispatcher's transactions.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from math import inf

import msgspec
from sqlalchemy import Connection

from publisher.mailing.rest import wait_to_try
from publisher.mailing.retry import TokenBucket, take
from publisher.mailing.shares import Share, choose, spend
from publisher.mailing.warming import allow_on
from publisher.model.delivery import Outcome
from publisher.runtime.exchange import RelayRule, Result, Rules
from publisher.runtime.relay import Relay
from publisher.store.candidates import Candidate
from publisher.store.deliveries import Taken
from publisher.store.relays import (
    claim,
    count_messages,
    find_use,
    forget_claims,
    hold_days,
    note_standing,
)

# A relay that failed no longer ago than this may well be up.
_DOWN = timedelta(seconds=20)
# What one relay alone may take is looked at again after this, where nothing tells when.
_LOOK_AGAIN = timedelta(seconds=1)
_NONE = timedelta(0)


class Flight(msgspec.Struct, frozen=True):
    """A delivery on its way: over which relay, and on which day it was begun."""

    relay: str
    day: date


class Fleet:
    """The relays of the process that delivers, by their names.

    Each step of the dispatcher begins here with `begin` and ends, where it is on disk, with `end`.
    """

    def __init__(self, rules: Rules, publication: int) -> None:
        own = rules.relays or (RelayRule(connections=rules.connections),)
        self.publication = publication
        self.rate, self.zone = rules.rate, rules.zone
        # What waits for one relay's connections might go over another one meanwhile.
        ahead = rules.ahead if len(own) == 1 else 0
        self.relays = {each.name: Relay(each, ahead) for each in own}
        self.shares: Mapping[str, Share] = {
            each.name: Share(each.weight, each.connections) for each in own
        }
        self.is_alone = len(own) == 1
        self.is_counted = not self.is_alone or own[0].growth is not None
        self.bucket = TokenBucket()
        self.day: date | None = None  # of which the allowances are known
        self.busy: Counter[str] = Counter()
        self.flights: dict[int, Flight] = {}
        self.landed: dict[int, Flight] = {}
        # What was chosen in this step: none of it is on disk yet.
        self.picked: dict[int, str] = {}
        self.singles: set[int] = set()

    # A step, from its beginning to its end

    def begin(self, results: Iterable[Result]) -> None:
        """Take back what was chosen in a step that failed, and free what has come back."""
        for id in list(self.picked):
            self.drop(id)
        for result in results:
            if flight := self.flights.pop(result.taken.id, None):
                self.landed[result.taken.id] = flight
                self.busy[flight.relay] -= 1

    def is_to_look(self, now: datetime) -> bool:
        """Tell whether a day has begun whose allowances are not known."""
        return self.is_counted and self.day != self._day(now)

    def look(self, connection: Connection, now: datetime) -> None:
        """Read what each allowance has left today."""
        self.day = self._day(now)
        for relay in self.relays.values():
            if relay.growth is not None:
                use = find_use(connection, self.publication, relay.name, self.day)
                relay.allowed = allow_on(relay.growth, use.day)
                left = None if relay.allowed is None else max(relay.allowed - use.taken, 0)
                relay.left = left

    def record(self, connection: Connection, results: Iterable[Result], now: datetime) -> None:
        """Write how relays stand, where that has changed, and count what they took."""
        for relay in self.relays.values():
            if relay.rest != relay.noted:
                note_standing(connection, self.publication, relay.name, relay.rest, now)
                relay.noted = relay.rest
        if not self.is_counted:
            return
        if self.landed:  # in one order, whatever comes later: others do so too
            hold_days(connection, self.publication, self.relays, self._day(now))
        counts = Counter(
            (flight, result.outcome is not None and result.outcome.kind in ("accepted", "unknown"))
            for result in results
            if (flight := self.landed.get(result.taken.id)) is not None
        )
        for (flight, is_sent), number in counts.items():
            if is_sent:
                count_messages(connection, self.publication, flight.relay, flight.day, sent=number)
            else:
                self._give_back(connection, flight, number)

    def claim(self, connection: Connection, chosen: Sequence[Candidate]) -> list[Candidate]:
        """Claim what was chosen of the allowances; give those for which another has used it up."""
        over: list[Candidate] = []
        for relay in self.relays.values():
            own = [each for each in chosen if self.picked[each.id] == relay.name]
            if relay.left is None or relay.allowed is None or self.day is None or not own:
                continue
            key = (self.publication, relay.name, self.day)
            # Single messages wait for no allowance, but are part of it.
            singles = [each for each in own if each.id in self.singles]
            if singles:
                count_messages(connection, *key, taken=len(singles))
                relay.left = max(relay.left - len(singles), 0)
            bulk = [each for each in own if each.id not in self.singles]
            granted = claim(connection, *key, len(bulk), relay.allowed) if bulk else 0
            relay.left = relay.left - granted if granted == len(bulk) else 0
            over += bulk[granted:]
        for each in over:
            self.drop(each.id)
        return over

    def give_back(self, connection: Connection, ids: Iterable[int]) -> None:
        """Give back what was claimed for deliveries that are not to be made."""
        for id in ids:
            name = self.drop(id)
            if self.day is not None:
                self._give_back(connection, Flight(name, self.day), 1)

    def _give_back(self, connection: Connection, flight: Flight, number: int) -> None:
        relay = self.relays[flight.relay]
        if relay.growth is None:
            return
        count_messages(connection, self.publication, flight.relay, flight.day, taken=-number)
        if relay.left is not None and flight.day == self.day:
            relay.left += number

    def end(self, tasks: Iterable[Taken], now: datetime) -> None:
        """The step is on disk: these are on their way."""
        day = self._day(now)
        for task in tasks:
            name = self.picked.pop(task.id)
            relay = self.relays[name]
            relay.note_try(now)
            if self.busy[name] == 1:
                relay.heard_at = now
            self.flights[task.id] = Flight(name, day)
        self.landed.clear()
        self.singles.clear()

    def drop(self, id: int) -> str:
        """Forget that a delivery was chosen; give the relay that it was chosen for."""
        name = self.picked.pop(id)
        self.singles.discard(id)
        self.busy[name] -= 1
        return name

    def forget(self) -> None:
        """Nothing of this step is on disk: read and write everything anew."""
        self.day = None
        for relay in self.relays.values():
            relay.noted = None

    def recover(self, connection: Connection) -> None:
        """Give back what a dead process had claimed; nobody else delivers."""
        if self.is_counted:
            forget_claims(connection, self.publication)

    def _day(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    # What may be sent

    def room(self, now: datetime) -> int:
        """How many deliveries may be begun now; rates and allowances are asked for each."""
        return sum(each.room(now, self.busy[each.name]) for each in self.relays.values())

    def _left(self, relay: Relay, is_single: bool) -> float:
        if relay.left is None or is_single:
            return inf
        claiming = [id for id, name in self.picked.items() if name == relay.name]
        return relay.left - len(claiming)

    def pick(self, candidate: Candidate, now: datetime, *, is_single: bool = False) -> str | None:
        """The relay that a delivery goes over now, a token taken; None where it has to wait.

        Allowances are for mailings: what one reader waits for now is not kept for tomorrow.
        """
        if self.allow(now):
            return None
        name = self._choose(candidate, now, is_single)
        if name is None:
            return None
        if self.rate:
            self.bucket, _ = take(self.bucket, now, self.rate, burst=self.rate / 10)
        self.relays[name].spend_token(now)
        self.picked[candidate.id] = name
        if is_single:
            self.singles.add(candidate.id)
        self.busy[name] += 1
        return name

    def _choose(self, candidate: Candidate, now: datetime, is_single: bool) -> str | None:
        if self.is_alone:
            (relay,) = self.relays.values()
            return relay.name if self._may_go(relay, now, is_single) else None
        able = self._find_able(now, is_single)
        if self._is_bound(candidate.relay):
            relay = self.relays[candidate.relay]
            name = relay.name if self._may_go(relay, now, is_single) else None
        else:
            name = choose(self.shares, able, self._find_free(able, now))
        if name in able:
            self.shares = spend(self.shares, able, name)
        return name

    def allow(self, now: datetime) -> timedelta:
        """How long until the rate of all together has a token; takes none."""
        if not self.rate:
            return _NONE
        bucket, wait = take(self.bucket, now, self.rate, burst=self.rate / 10)
        if wait:
            # What it has saved up, counted from now: a clock that was put back goes on.
            self.bucket = bucket
        return wait

    def use_up(self, now: datetime) -> None:
        """Others have taken what the rate of all together had."""
        self.bucket = TokenBucket(0.0, now)

    def _is_bound(self, name: str) -> bool:
        """Tell whether something goes over one relay alone: one that the settings still have."""
        return not self.is_alone and name in self.relays

    def _takes_part(self, relay: Relay, now: datetime, is_single: bool) -> bool:
        is_left = self._left(relay, is_single) > 0
        return is_left and relay.takes_part(now, self.busy[relay.name])

    def _may_go(self, relay: Relay, now: datetime, is_single: bool) -> bool:
        is_able = self._takes_part(relay, now, is_single) and not relay.wait_for_token(now)
        return is_able and relay.room(now, self.busy[relay.name]) > 0

    def _find_able(self, now: datetime, is_single: bool) -> list[str]:
        """Those that may have a message now, whether a connection is free or not."""
        here = [each for each in self.relays.values() if self._takes_part(each, now, is_single)]
        if any(self._is_in_use(each, now) for each in self.relays.values()):
            here = [each for each in here if self.shares[each.name].weight]
        return [each.name for each in here if not each.wait_for_token(now)]

    def _is_in_use(self, relay: Relay, now: datetime) -> bool:
        """Tell whether there is no need of those in reserve."""
        if relay.left == 0 or relay.rest.failures or relay.is_stuck(now, self.busy[relay.name]):
            return False
        return self.shares[relay.name].weight > 0

    def _find_free(self, able: Iterable[str], now: datetime) -> list[str]:
        return [name for name in able if self.relays[name].room(now, self.busy[name]) > 0]

    def next_try(self, now: datetime, *, is_single: bool = False) -> datetime | None:
        """When a delivery may be begun; None not before one comes back."""
        able = self._find_able(now, is_single)
        if choose(self.shares, able, self._find_free(able, now)) is not None:
            return now + self.allow(now)
        waits = [self._next_try(relay, now, is_single) for relay in self.relays.values()]
        upcoming = [each for each in waits if each is not None and each > now]
        return max(min(upcoming), now + self.allow(now)) if upcoming else None

    def _next_try(self, relay: Relay, now: datetime, is_single: bool) -> datetime | None:
        """When a relay may be able to do something that it is not now."""
        if relay.left == 0 and not is_single:
            tomorrow = self._day(now) + timedelta(days=1)
            return datetime.combine(tomorrow, time(), self.zone).astimezone(now.tzinfo)
        if wait := wait_to_try(relay.rest, now) or relay.wait_for_token(now):
            return now + wait
        is_waited_for = not self.is_alone and relay.takes_part(now, self.busy[relay.name])
        return relay.answers_by(now) if is_waited_for else None

    def wait_for(self, name: str, now: datetime) -> datetime | None:
        """When what goes over this relay alone may be tried; None is now."""
        if not self._is_bound(name) or self._may_go(self.relays[name], now, is_single=False):
            return None
        upcoming = self._next_try(self.relays[name], now, is_single=False)
        return upcoming if upcoming is not None and upcoming > now else now + _LOOK_AGAIN

    # How relays stand

    def note(self, name: str, outcome: Outcome, now: datetime, random: float) -> None:
        """Learn from what came of an attempt over a relay."""
        self.relays[name].note(outcome, now, random, is_alone=self.is_alone)

    def can_do_without(self, name: str, now: datetime) -> bool:
        """Tell whether there is another relay than this one that may well be up."""
        if self.is_alone:
            return False
        others = [each for each in self.relays.values() if each.name != name]
        return any(
            not each.rest.is_refused and not each.has_been_down(now, _DOWN) for each in others
        )

    def forgive(self) -> None:
        """Let all be tried again at once that were left alone for taking nothing from us."""
        for relay in self.relays.values():
            relay.forgive()

    @property
    def is_down(self) -> bool:
        """Whether no relay that has anything left for today works."""
        here = [each for each in self.relays.values() if each.left != 0]
        return bool(here) and all(each.down_since or each.rest.is_refused for each in here)

    def has_been_down(self, now: datetime, how_long: timedelta) -> bool:
        """Tell whether nothing has come through for so long, nor been answered, by any of them."""
        here = [each for each in self.relays.values() if each.left != 0]
        return bool(here) and all(
            each.rest.is_refused or each.has_been_down(now, how_long) for each in here
        )

    def find_troubles(self, now: datetime, how_long: timedelta) -> dict[str, str]:
        """The relays that have been down for so long, or take nothing from us, and why."""
        return {
            each.name: each.rest.fault
            for each in self.relays.values()
            if each.rest.is_refused or each.has_been_down(now, how_long)
        }

    def say_troubles(self) -> list[str]:
        """Which relays failed last, and what waits for that, for people."""
        failing = [each for each in self.relays.values() if each.rest.failures]
        what = "The relay failed, and what is left waits"
        return [
            f"{what if self.is_alone else f'The relay {each.name} failed'}: {each.rest.fault}"
            for each in failing
        ]

    @property
    def is_used_up(self) -> bool:
        """Whether no relay may send anything more today."""
        return all(each.left == 0 for each in self.relays.values())
