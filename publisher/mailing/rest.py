"""When a relay that failed is left alone, and for how long."""

from datetime import datetime, timedelta

import msgspec

from publisher.mailing.retry import wait_for_refusing, wait_for_relay

_NONE = timedelta(0)
# No wait is longer: one that is comes from a clock that was put back, and is over.
_LONGEST = timedelta(minutes=2)
_LONGEST_REFUSED = timedelta(minutes=90)


class Rest(msgspec.Struct, frozen=True):
    """How a relay stands: how often it failed in a row, until when it is left alone, and why.

    `is_refused` where it takes nothing from us, which trying again seldom mends.
    """

    failures: int = 0
    until: datetime | None = None
    fault: str = ""
    is_refused: bool = False


def leave_alone(
    rest: Rest, now: datetime, fault: str, random: float, *, is_refused: bool = False
) -> Rest:
    """After a failure: for longer each time. `random` is from 0 to 1, evenly.

    What fails while it is left alone was on its way already, and says nothing new, unless it is the
    first to say that we are refused.
    """
    if wait_to_try(rest, now) and (rest.is_refused or not is_refused):
        return rest
    failures = rest.failures + 1
    wait = (wait_for_refusing if is_refused else wait_for_relay)(failures, random)
    return Rest(failures, now + wait, fault, is_refused)


def wait_to_try(rest: Rest, now: datetime) -> timedelta:
    """For how long a relay is left alone yet; zero where it may be tried."""
    if rest.until is None:
        return _NONE
    wait = rest.until - now
    longest = _LONGEST_REFUSED if rest.is_refused else _LONGEST
    return wait if _NONE < wait <= longest else _NONE
