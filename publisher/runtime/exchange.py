"""What the dispatcher is given, and what it gives: rules, results, notices."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo

import msgspec

from publisher.mailing.canary import CanaryRule
from publisher.mailing.settle import Policy
from publisher.mailing.warming import Growth
from publisher.model.delivery import TO_MANY, Mailing, Outcome
from publisher.store.deliveries import Taken


class RelayRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a relay is used: from `[[smtp]]` of the settings. The only one may have no name."""

    name: str = ""
    weight: int = 1
    connections: int = 4
    rate: float = 0
    growth: Growth | None = None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How deliveries are made: from `[delivery]` of the settings. Rates are messages a second.

    `connections` and `rate` are those of all relays together. Without `relays` there is one, which
    has them. `ahead` deliveries more than those are taken while all goes well, of the only relay,
    and `loose` of those may be begun between two steps; all, where there is no number.
    Days of allowances are those of `zone`.
    """

    connections: int = 4
    ahead: int = 0
    loose: int | None = None
    rate: float = 0
    domain_rates: Mapping[str, float] = {}
    policy: Policy = Policy()
    canary: CanaryRule = CanaryRule()
    relays: tuple[RelayRule, ...] = ()
    zone: tzinfo = UTC


class Result(msgspec.Struct, frozen=True):
    """What came of a task: an outcome, or None and in `note` what broke before the body went.

    One that was withdrawn before any connection began it has neither.
    """

    taken: Taken
    outcome: Outcome | None
    note: str = ""
    is_withdrawn: bool = False


class Notice(msgspec.Struct, frozen=True):
    """What happened to a mailing, for whoever watches: `paused` or `finished`, and why."""

    event: str
    mailing: Mailing


def goes_well(results: Sequence[Result]) -> bool:
    """Tell whether something came back, and all of it was accepted."""
    outcomes = [each.outcome for each in results]
    return bool(outcomes) and all(each and each.kind == "accepted" for each in outcomes)


def fit_purpose(outcome: Outcome, taken: Taken) -> Outcome:
    """A single message that the relay refuses waits and gives up; no operator would resume it."""
    if taken.purpose in TO_MANY or outcome.concern not in ("login", "sender"):
        return outcome
    return msgspec.structs.replace(outcome, kind="transient", concern="recipient")
