"""Rates in common: what this process may send, where others send over the same relays too.

Each process keeps the rates by itself; of what it then chooses it claims each message here, so that
all of them together keep to them.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from publisher.runtime.domains import Domains
from publisher.runtime.fleet import Fleet
from publisher.store.candidates import Candidate
from publisher.store.paces import Pace, claim_pace


class Paces:
    """The rates of the domains, of each relay and of all together; without others, none."""

    def __init__(self, fleet: Fleet, domains: Domains, *, is_shared: bool) -> None:
        self.fleet = fleet
        self.domains = domains
        self.is_shared = is_shared

    def claim(
        self, connection: Connection, chosen: Sequence[Candidate], now: datetime
    ) -> list[Candidate]:
        """Claim what was chosen, of rates and of what relays may take in a day; gives what is too
        much, which waits. The connection writes.
        """
        if not self.is_shared:
            return self.fleet.claim(connection, chosen)
        left = self._claim_of_domains(connection, chosen, now)
        left = self._claim_of_relays(connection, left, now)
        left = self._claim_of_all(connection, left, now)
        kept = {candidate.id for candidate in left}
        over = [candidate for candidate in chosen if candidate.id not in kept]
        for candidate in over:
            self.fleet.drop(candidate.id)
        return over + self.fleet.claim(connection, left)

    def _claim_of_domains(
        self, connection: Connection, chosen: Sequence[Candidate], now: datetime
    ) -> list[Candidate]:
        of_domains: defaultdict[str, list[Candidate]] = defaultdict(list)
        left: list[Candidate] = []
        for candidate in chosen:
            has_rate = candidate.domain in self.domains.rates
            (of_domains[candidate.domain] if has_rate else left).append(candidate)
        for domain, group in sorted(of_domains.items()):
            pace = Pace(f"domain {domain}", self.domains.rates[domain])
            granted = claim_pace(connection, pace, len(group))
            left += group[:granted]
            if granted < len(group):
                self.domains.use_up(domain, now)
        return left

    def _claim_of_all(
        self, connection: Connection, chosen: list[Candidate], now: datetime
    ) -> list[Candidate]:
        if not (self.fleet.rate and chosen):
            return chosen
        pace = Pace("all", self.fleet.rate, self.fleet.rate / 10)
        granted = claim_pace(connection, pace, len(chosen))
        if granted < len(chosen):
            self.fleet.use_up(now)
        return chosen[:granted]

    def _claim_of_relays(
        self, connection: Connection, chosen: Sequence[Candidate], now: datetime
    ) -> list[Candidate]:
        left = []
        for name, relay in sorted(self.fleet.relays.items()):
            group = [each for each in chosen if self.fleet.picked[each.id] == name]
            granted = len(group)
            if relay.rate and group:
                pace = Pace(f"relay {name}", relay.rate, relay.rate / 10)
                granted = claim_pace(connection, pace, len(group))
                if granted < len(group):
                    relay.use_up(now)
            left += group[:granted]
        return left
