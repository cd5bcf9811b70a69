"""A task's result -> what becomes of its delivery; relays and domains learn from it."""

from collections.abc import Callable
from datetime import datetime

from publisher.mailing.settle import Policy, Settlement, settle, settle_break
from publisher.runtime.domains import Domains
from publisher.runtime.exchange import Result, fit_purpose
from publisher.runtime.fleet import Fleet


class Judging:
    """Settles results, and lets the relays and the domains learn from them."""

    def __init__(
        self, fleet: Fleet, domains: Domains, policy: Policy, random: Callable[[], float]
    ) -> None:
        self.fleet = fleet
        self.domains = domains
        self.policy = policy
        self.random = random

    def settle(self, result: Result, domain: str, now: datetime) -> Settlement:
        """What becomes of the delivery, whose recipient is at `domain`."""
        taken = result.taken
        if result.is_withdrawn:
            return Settlement(event="released", history=taken.history)
        if result.outcome is None:
            return settle_break(taken.history)
        can_do_without = self.fleet.can_do_without(taken.relay, now)
        outcome = result.outcome if can_do_without else fit_purpose(result.outcome, taken)
        self.fleet.note(taken.relay, result.outcome, now, self.random())
        self.domains.note(domain, outcome, now, self.random())
        settlement = settle(outcome, taken.history, self.policy, now, self.random())
        return self.domains.postpone(settlement, domain, now)
