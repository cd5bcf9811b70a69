"""What an issue said at one time, and what was noted on how that came about."""

from datetime import datetime

import msgspec

from publisher.model.issue import Correction, Issue


class Withdrawal(msgspec.Struct, frozen=True):
    """A highlight that was taken back; nothing of what it said is shown any more."""

    id: str
    at: datetime
    reason: str


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What an issue said from `at` on, without what was withdrawn since.

    `name` is SHA-256 in hex of all that it said. `corrections` are the notes on what became
    different in it, `withdrawals` what was taken back with it.
    """

    name: str
    at: datetime
    issue: Issue
    corrections: tuple[Correction, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
