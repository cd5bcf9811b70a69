"""Deliveries in a rehearsal: who is sent to when, by the dispatcher, and what is counted of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import msgspec

from publisher.model.delivery import Outcome, Reply
from publisher.rehearsal.groups import AGAIN, Followed, Group, draw_share, follow, spread
from publisher.rehearsal.process import Attempt, Process, was_begun
from publisher.rehearsal.relay import AT_OPENING, SAYINGS, Relay, Said
from publisher.rehearsal.world import Store
from publisher.runtime.exchange import Rules
from publisher.store.deliveries import Taken

# Of a message's time: a connection that is refused, or a reply that comes before the message.
_REFUSED = 0.5


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """How messages go: seconds for each on one connection, and what share is deferred or refused.

    `assumed` says where that is from.
    """

    seconds: float
    deferred: float
    refused: float
    assumed: tuple[str, ...]


@dataclass
class Tally:
    """What came of a mailing, counted in readers.

    `first` and `last` are when messages were taken, `bulk` is the last of those never deferred.
    """

    first: datetime | None = None
    bulk: datetime | None = None
    last: datetime | None = None
    deferred: int = 0
    refused: int = 0
    resent: int = 0
    held: int = 0
    followed: list[Followed] = field(default_factory=list)
    deferred_rows: set[int] = field(default_factory=set)


class Servers(Relay):
    """The relay, and behind it the servers that defer or refuse single readers."""

    def __init__(self, groups: Mapping[str, Group], traffic: Traffic, chance: Random) -> None:
        super().__init__()
        self.groups, self.traffic, self.chance = groups, traffic, chance
        self.deferred: set[str] = set()

    def answer(self, email: str, *, is_open: bool) -> Said:
        said = super().answer(email, is_open=is_open)
        group = self.groups[email]
        if said is not SAYINGS["ok"] or group.weight > 1:
            return said
        if group.refused:
            return SAYINGS["no such user"]
        share = AGAIN if email in self.deferred else self.traffic.deferred
        self.deferred.discard(email)
        if self.chance.random() < share:
            self.deferred.add(email)
            return SAYINGS["greylisted"]
        return said


class Sending(Process):
    """A delivery process whose every message may stand for a group of them."""

    def __init__(
        self,
        store: Store,
        rules: Rules,
        servers: Servers,
        chance: Random,
        tallies: dict[int, Tally],
        pause: Callable[[datetime], datetime],
    ) -> None:
        super().__init__(store, rules, servers, chance)
        self.servers, self.tallies, self.pause = servers, tallies, pause
        self.is_exact = all(each.weight == 1 for each in servers.groups.values())

    def seconds_for(self, task: Taken, said: Said) -> float:
        if any(said is SAYINGS[name] for name in AT_OPENING) or not _is_long(said):
            return self.servers.traffic.seconds * _REFUSED
        weight = self.servers.groups[task.email].weight
        seconds = self.servers.traffic.seconds * weight * spread(weight, self.chance)
        if said.is_taken:
            # The first message of a group is through long before the last one is.
            tally, first = self._tally(task), self.clock.now + timedelta(seconds=seconds / weight)
            tally.first = min(tally.first or first, first)
        return seconds

    def end_attempt(self, attempt: Attempt) -> None:
        super().end_attempt(attempt)
        outcome, tally = attempt.said.outcome, self._tally(attempt.task)
        group = self.servers.groups[attempt.task.email]
        if outcome is None or outcome.kind == "unknown":
            return
        if outcome.kind == "accepted":
            tally.last = self.clock.now
            if group.weight > 1 or attempt.task.id not in tally.deferred_rows:
                tally.bulk = self.clock.now
            self._look_inside(group, tally)
        elif _is_deferral(outcome) and attempt.task.id not in tally.deferred_rows:
            # Of a group that a domain puts off one message was refused, and the others wait.
            tally.deferred_rows.add(attempt.task.id)
            tally.deferred += 1

    def _look_inside(self, group: Group, tally: Tally) -> None:
        """Single readers of a group that went: who is refused, and who is deferred."""
        if group.weight == 1:
            return
        deferred = draw_share(
            group.weight - group.refused, self.servers.traffic.deferred, self.chance
        )
        tally.refused += group.refused
        tally.deferred += deferred
        policy, now = self.rules.policy, self.clock.now
        tally.followed += [follow(now, policy, self.chance, self.pause) for _ in range(deferred)]

    def lose(self, attempt: Attempt, *, is_taken: bool) -> None:
        if self.is_exact:
            return  # what becomes of it, the ledger says
        if is_taken or (was_begun(attempt.said.outcome) and self.chance.random() < 0.5):
            tally = self._tally(attempt.task)
            tally.resent += self.rules.policy.on_in_doubt == "resend"
            tally.held += self.rules.policy.on_in_doubt == "hold"

    def die(self, *, is_through: bool) -> dict[int, Reply | None]:
        """Of a group one message was on its way; what becomes of that is counted, and the rest,
        with it, goes again.
        """
        begun = super().die(is_through=is_through)
        return begun if self.is_exact else {}

    def _tally(self, task: Taken) -> Tally:
        return self.tallies.setdefault(task.mailing, Tally())


def _is_deferral(outcome: Outcome) -> bool:
    return outcome.kind == "transient" and outcome.concern in ("recipient", "domain_rate")


def _is_long(said: Said) -> bool:
    """Tell whether the message itself was sent, and not only its envelope."""
    return was_begun(said.outcome)
