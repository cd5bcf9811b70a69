"""Many readers as few: each simulated delivery stands for a group of readers of one domain.

The dispatcher sends to the groups as it would to readers, at a rate that is as much lower as they
are fewer, and each takes as long as its readers would. What servers say to single readers within a
group is followed one by one, by the same decisions.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from math import ceil, sqrt
from random import Random

import msgspec

from publisher.mailing.settle import History, Policy, settle
from publisher.mailing.warming import Growth
from publisher.rehearsal.relay import SAYINGS
from publisher.runtime.exchange import RelayRule, Rules

# Of domains with fewer readers than a group.
OTHERS = "other.invalid"
# A server that deferred a message defers it again so often.
AGAIN = 0.3


class Group(msgspec.Struct, frozen=True):
    """Some readers of a domain; `refused` of them have no mailbox any more."""

    email: str
    weight: int
    refused: int = 0


def make_groups(
    domains: Mapping[str, int], most: int, own: Mapping[str, float]
) -> list[tuple[str, int]]:
    """The groups' domains and weights, some `most` of them; one for each reader where these are
    fewer. They are mixed as readers are. A domain in `own` is never put together with others.
    """
    total = sum(domains.values())
    size = max(1, ceil(total / most))
    merged: dict[str, int] = {}
    for domain, readers in domains.items():
        name = domain if size == 1 or readers >= size or domain in own else OTHERS
        merged[name] = merged.get(name, 0) + readers
    placed = []
    for domain, readers in merged.items():
        count = ceil(readers / size)
        weights = [readers * (n + 1) // count - readers * n // count for n in range(count)]
        placed += [((n + 0.5) / count, domain, weight) for n, weight in enumerate(weights)]
    return [(domain, weight) for _, domain, weight in sorted(placed)]


def draw_refused(groups: list[tuple[str, int]], share: float, chance: Random) -> list[Group]:
    """The groups with who of them is refused, always the same ones."""
    return [
        Group(f"r{number}@{domain}", weight, draw_share(weight, share, chance))
        for number, (domain, weight) in enumerate(groups)
    ]


def draw_share(of: int, share: float, chance: Random) -> int:
    """How many of so many meet what a share of all meets."""
    return sum(chance.random() < share for _ in range(of)) if share else 0


def scale_rules(rules: Rules, groups: list[Group]) -> Rules:
    """The rules as they are for groups."""
    readers = sum(each.weight for each in groups)
    if not readers:
        return rules
    domain_rates = {}
    for domain, rate in rules.domain_rates.items():
        own = [each.weight for each in groups if each.email.endswith(f"@{domain.lower()}")]
        domain_rates[domain] = rate * len(own) / sum(own) if own else rate
    share = len(groups) / readers
    relays = tuple(_scale_relay(each, share) for each in rules.relays)
    return msgspec.structs.replace(
        rules, rate=rules.rate * share, domain_rates=domain_rates, relays=relays
    )


def _scale_relay(rule: RelayRule, share: float) -> RelayRule:
    growth = rule.growth
    if growth is not None:
        # A day on which nothing can be sent would be followed by others like it.
        first = max(growth.first * share, 1.0)
        growth = Growth(first, growth.factor, max(growth.full * share, first))
    return msgspec.structs.replace(rule, rate=rule.rate * share, growth=growth)


class Followed(msgspec.Struct, frozen=True):
    """What came in the end of a message that was deferred: when, and whether it was sent."""

    at: datetime
    is_sent: bool


def follow(
    first: datetime, policy: Policy, chance: Random, pause: Callable[[datetime], datetime]
) -> Followed:
    """Follow a message that its server defers at `first`, by the decisions that settle deliveries.

    `pause` gives when something that is due is really tried, where nothing runs, or the relay is
    away.
    """
    history, now = History(), first
    is_deferred = True
    while True:
        said = SAYINGS["greylisted" if is_deferred else "ok"].outcome
        assert said is not None  # noqa: S101 - neither breaks us
        settlement = settle(said, history, policy, now, chance.random())
        if settlement.next_attempt_at is None:
            return Followed(now, settlement.event == "accepted")
        history, now = settlement.history, pause(settlement.next_attempt_at)
        is_deferred = chance.random() < AGAIN


def spread(weight: int, chance: Random) -> float:
    """How much longer or shorter than the mean a group takes: many together hardly vary."""
    return 1 + (chance.random() - 0.5) / sqrt(weight)


def round_up(moment: datetime, start: datetime, seconds: int) -> datetime:
    """The first tick, of those `seconds` apart from `start` on, that is not before a moment."""
    step = timedelta(seconds=seconds)
    return start + step * max(0, -((start - moment) // step))
