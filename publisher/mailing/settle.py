"""An attempt's outcome -> what becomes of its delivery: the contract's promises 2 and 4."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from publisher.mailing.retry import gives_up, wait_before_retry
from publisher.model.delivery import Outcome

# A delivery whose making breaks the worker is tried so often, and then left out.
BREAKS = 3


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say about a delivery that did not go through."""

    on_in_doubt: Literal["resend", "hold"] = "resend"
    give_up_after: timedelta = timedelta(hours=24)


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What a delivery has been through: `attempts` that concerned the recipient, doubts, breaks."""

    attempts: int = 0
    doubts: int = 0
    breaks: int = 0
    first_attempt_at: datetime | None = None


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """The event that follows (see `transitions`), and what is remembered of it.

    `next_attempt_at` is None where nothing waits.
    """

    event: str
    history: History
    next_attempt_at: datetime | None = None


def settle(
    outcome: Outcome, history: History, policy: Policy, now: datetime, random: float
) -> Settlement:
    """What becomes of a delivery after an outcome; `random` is between 0 and 1."""
    if outcome.kind == "unknown":
        return settle_doubt(history, policy, now)
    if _concerns_sender(outcome):
        return Settlement(event="released", history=history)
    tried = _note_attempt(history, now, is_counted=outcome.concern == "recipient")
    if outcome.kind == "accepted":
        return Settlement(event="accepted", history=tried)
    if outcome.kind == "permanent":
        return Settlement(event="failed", history=tried)
    if gives_up(tried.first_attempt_at, now, policy.give_up_after):
        return Settlement(event="expired", history=tried)
    wait = wait_before_retry(max(tried.attempts, 1), random)
    return Settlement(event="deferred", history=tried, next_attempt_at=now + wait)


def settle_doubt(history: History, policy: Policy, now: datetime) -> Settlement:
    """What becomes of a delivery whose final dot may have gone out: resent once at most."""
    tried = _note_attempt(history, now, is_counted=True)
    doubted = msgspec.structs.replace(tried, doubts=tried.doubts + 1)
    is_resent = policy.on_in_doubt == "resend" and doubted.doubts == 1
    return Settlement(event="resent" if is_resent else "doubted", history=doubted)


def settle_break(history: History) -> Settlement:
    """What becomes of a delivery that broke the worker before its body went out."""
    broken = msgspec.structs.replace(history, breaks=history.breaks + 1)
    return Settlement(event="parked" if broken.breaks >= BREAKS else "broken", history=broken)


def _concerns_sender(outcome: Outcome) -> bool:
    """Tell whether an outcome says nothing about the recipient."""
    return outcome.kind != "accepted" and outcome.concern in (
        *("relay", "relay_rate", "login", "sender"),
    )


def _note_attempt(history: History, now: datetime, *, is_counted: bool) -> History:
    """A domain that asks for less is no attempt, but giving up is counted from its first time."""
    return msgspec.structs.replace(
        history,
        attempts=history.attempts + is_counted,
        first_attempt_at=history.first_attempt_at or now,
    )
