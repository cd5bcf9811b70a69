"""How long to wait: for a recipient, for the relay, for a domain that asks for less, for a rate."""

from datetime import datetime, timedelta
from math import ceil

import msgspec

# A recipient's server that defers wants minutes (RFC 5321, section 4.5.4.1, would have 30; a
# greylist lets pass after one to five). The last wait is 40 to 60 minutes.
_RECIPIENT = timedelta(minutes=1), timedelta(minutes=40)
# A relay that restarts is back in seconds, and `send` gives up after 20 s. The last is 40 to 60 s.
_RELAY = timedelta(seconds=0.5), timedelta(seconds=40)
# One of several relays that refuses our login, or us, is not mended by asking: each time can bring
# the account nearer to being locked. The last is 60 to 90 minutes.
_REFUSING = timedelta(minutes=1), timedelta(minutes=60)
# Waits are spread over half of their length, upwards: they never come early, each is
# longer than the one before until the last, and who was deferred together returns apart.
_SPREAD = 0.5
_MOST_DOUBLINGS = 16

_DOMAIN_WAIT = timedelta(seconds=30)
# 32 minutes: within `give_up_after` a domain is asked often enough.
_MOST_FACTOR = 64.0

_EVERY = timedelta(microseconds=1)
# Of a token: what adding fractions may lose.
_ROUNDING = 1e-9


def wait_before_retry(deferrals: int, random: float) -> timedelta:
    """How long a recipient deferred for the n-th time waits: from a minute, doubled, to an hour.

    `random` is from 0 to 1, evenly.
    """
    return _grow(*_RECIPIENT, deferrals, random)


def wait_for_relay(failures: int, random: float) -> timedelta:
    """How long to wait after the relay's n-th failure in a row: from half a second to a minute."""
    return _grow(*_RELAY, failures, random)


def wait_for_refusing(failures: int, random: float) -> timedelta:
    """How long a relay that refuses us is left alone: from a minute to an hour."""
    return _grow(*_REFUSING, failures, random)


def _grow(first: timedelta, last: timedelta, count: int, random: float) -> timedelta:
    doublings = min(max(count - 1, 0), _MOST_DOUBLINGS)
    wait = min(first * (1 << doublings), last)
    return wait + wait * _SPREAD * random


def gives_up(first_attempt_at: datetime | None, now: datetime, give_up_after: timedelta) -> bool:
    """Tell whether a recipient that is deferred again has been tried for long enough to fail."""
    return first_attempt_at is not None and now - first_attempt_at >= give_up_after


class DomainBackoff(msgspec.Struct, frozen=True):
    """How far a recipients' domain is slowed: nothing goes there before `until`.

    `factor` is how many times the shortest wait its next refusal costs at least; 0 at full speed.
    """

    until: datetime | None = None
    factor: float = 0.0


def slow_domain(backoff: DomainBackoff, now: datetime, random: float) -> DomainBackoff:
    """After a domain asked for less: twice the last wait, from half a minute on.

    What is refused while it waits was on its way already, and says nothing new.
    """
    if wait_for_domain(backoff, now):
        return backoff
    factor = min(max(backoff.factor * 2, 1.0), _MOST_FACTOR)
    wait = _DOMAIN_WAIT * factor
    return DomainBackoff(now + wait + wait * _SPREAD * random, factor)


def relax_domain(backoff: DomainBackoff, now: datetime) -> DomainBackoff:
    """After a domain took a message: half of its factor, and full speed below one."""
    if wait_for_domain(backoff, now):
        return backoff
    factor = backoff.factor / 2
    return DomainBackoff(backoff.until, factor) if factor >= 1 else DomainBackoff()


def wait_for_domain(backoff: DomainBackoff, now: datetime) -> timedelta:
    """How long nothing goes to a domain yet; zero when it may.

    A wait that is longer than any we gave is a clock that was put back: it is over.
    """
    if backoff.until is None:
        return timedelta(0)
    wait = backoff.until - now
    longest = _DOMAIN_WAIT * backoff.factor * (1 + _SPREAD)
    return wait if timedelta(0) < wait <= longest else timedelta(0)


class TokenBucket(msgspec.Struct, frozen=True):
    """What a rate still allows: `tokens` at a time, full where that is None."""

    tokens: float = 0.0
    at: datetime | None = None


def take(
    bucket: TokenBucket, now: datetime, rate: float, burst: float = 1.0
) -> tuple[TokenBucket, timedelta]:
    """Take one token, or say how long to wait for it; where there is a wait, none was taken.

    `rate` is tokens a second, 0 for no limit; at most `burst`, and one at least, are saved up. A
    clock that is put back gives none and takes none.
    """
    if rate <= 0:
        return bucket, timedelta(0)
    most = max(burst, 1.0)
    passed = timedelta(0) if bucket.at is None else max(now - bucket.at, timedelta(0))
    saved = most if bucket.at is None else bucket.tokens + passed.total_seconds() * rate
    tokens = min(saved, most)
    if tokens < 1 - _ROUNDING:
        # Rounded up to what the clock can tell, so that who waits this long is served.
        return TokenBucket(tokens, now), _EVERY * ceil((1 - tokens) / rate * 1e6)
    return TokenBucket(max(tokens - 1, 0.0), now), timedelta(0)
