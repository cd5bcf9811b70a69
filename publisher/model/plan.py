"""A send that an operator has approved, and that can be taken back until it starts."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

# So long it can be taken back.
GRACE = timedelta(seconds=60)
# One that could not be started within this is not started any more: who approved it is told.
LATEST = timedelta(hours=3)

# Waiting for its moment; started by it; taken back; refused, as something had changed; overtaken by
# a command or a schedule that sent the issue first.
PlanStatus = Literal["waiting", "started", "taken_back", "refused", "overtaken"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A planned send of an issue: of which content, approved by whom, due when.

    `issue` is the issue's id and `slug` its NAME; `reason` says why it has not started, while it
    waits too. `mailing` is the ref of the one that came of it, or was there first.
    """

    id: int
    issue: str
    slug: str
    digest: str
    who: str
    client: str
    planned_at: datetime
    due_at: datetime
    status: PlanStatus
    reason: str = ""
    closed_by: str = ""
    closed_at: datetime | None = None
    mailing: str | None = None

    def is_lapsed(self, now: datetime) -> bool:
        """Tell whether it is too late for it, or a clock that stood ahead made it."""
        return not self.due_at - GRACE - LATEST <= now <= self.due_at + LATEST
