"""The recipients' domains: their rates from the settings, and those that asked for less."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from publisher.mailing.retry import (
    DomainBackoff,
    TokenBucket,
    relax_domain,
    slow_domain,
    take,
    wait_for_domain,
)
from publisher.mailing.settle import Settlement
from publisher.model.delivery import Outcome


class Domains:
    """When each domain may be sent to; those that nobody slows are not remembered."""

    def __init__(self, rates: Mapping[str, float]) -> None:
        self.rates = {domain.lower(): rate for domain, rate in rates.items() if rate}
        self.buckets: dict[str, TokenBucket] = {}
        self.backoffs: dict[str, DomainBackoff] = {}

    def wait(self, domain: str, now: datetime) -> datetime | None:
        """When a domain may be sent to; None is now. Takes nothing."""
        until = None
        if domain in self.backoffs:
            wait = wait_for_domain(self.backoffs[domain], now)
            until = now + wait if wait else None
        if until is None and domain in self.rates:
            bucket = self.buckets.get(domain, TokenBucket())
            waiting, wait = take(bucket, now, self.rates[domain])
            if wait:
                # What it has saved up, counted from now: a clock that was put back goes on.
                self.buckets[domain] = waiting
                until = now + wait
        return until

    def take(self, domain: str, now: datetime) -> None:
        """Count a delivery that begins."""
        if domain in self.rates:
            bucket = self.buckets.get(domain, TokenBucket())
            self.buckets[domain], _ = take(bucket, now, self.rates[domain])

    def use_up(self, domain: str, now: datetime) -> None:
        """Others have taken what there was."""
        self.buckets[domain] = TokenBucket(0.0, now)

    def note(self, domain: str, outcome: Outcome, now: datetime, random: float) -> None:
        """Learn from what came of an attempt to a domain."""
        if outcome.concern == "domain_rate" and outcome.kind != "accepted":
            before = self.backoffs.get(domain, DomainBackoff())
            self.backoffs[domain] = slow_domain(before, now, random)
        elif outcome.kind == "accepted" and domain in self.backoffs:
            after = relax_domain(self.backoffs[domain], now)
            if after == DomainBackoff():
                del self.backoffs[domain]
            else:
                self.backoffs[domain] = after

    def postpone(self, settlement: Settlement, domain: str, now: datetime) -> Settlement:
        """A deferred one is not due before its domain may be sent to."""
        if settlement.next_attempt_at is None:
            return settlement
        later = max(settlement.next_attempt_at, now + self.retry_after(domain, now))
        return msgspec.structs.replace(settlement, next_attempt_at=later)

    def retry_after(self, domain: str, now: datetime) -> timedelta:
        """How long what a domain refused for its rate waits at least."""
        return wait_for_domain(self.backoffs.get(domain, DomainBackoff()), now)
