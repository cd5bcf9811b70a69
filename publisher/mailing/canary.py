"""A canary: the first readers of a mailing, at whom one looks before the rest gets it."""

from datetime import datetime, timedelta

import msgspec


class CanaryRule(msgspec.Struct, frozen=True, kw_only=True):
    """How long is waited after all of them were tried, and what share of refusals stops it."""

    wait: timedelta = timedelta(minutes=10)
    limit: float = 0.05


class Tried(msgspec.Struct, frozen=True):
    """A canary's deliveries: how many, of which so many were refused or came back."""

    total: int
    refused: int


class WaitUntil(msgspec.Struct, frozen=True):
    """The rest waits for a moment, in which bounces and complaints may come."""

    moment: datetime


class Release(msgspec.Struct, frozen=True):
    """The rest goes; why."""

    reason: str


class Stop(msgspec.Struct, frozen=True):
    """The rest does not go until an operator says so; why."""

    reason: str


def judge(
    tried: Tried, until: datetime | None, rule: CanaryRule, now: datetime
) -> WaitUntil | Release | Stop:
    """What becomes of the rest, once each of the canary was tried; `until` is what was said before.

    A moment that lies further ahead than the wait is of a clock that was put back.
    """
    said = f"{tried.refused:,} of the first {tried.total:,} were refused"
    if tried.refused > rule.limit * tried.total:
        return Stop(f"{said}, which is more than canary_limit")
    if until is None or until > now + rule.wait:
        return WaitUntil(now + rule.wait)
    return WaitUntil(until) if now < until else Release(said)
