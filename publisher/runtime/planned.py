"""Planned sends at one tick: what is due is built, published and started, if it is still the same.

Ticks may come late, twice or from two processes: a plan is one row, and it ends in the transaction
that starts its mailing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.model.delivery import Mailing
from publisher.model.operators import Actor
from publisher.model.plan import Plan, PlanStatus
from publisher.runtime.issue_mailing import make_ahead
from publisher.runtime.newsroom import Newsroom, RefusedError
from publisher.store import audit
from publisher.store.arming import find_unarmed
from publisher.store.database import Database, Held
from publisher.store.mailings import find_mailing
from publisher.store.plans import close_plan, find_plan, is_waiting, list_waiting, note_reason
from publisher.store.starting import NewMailing, find_lack_of, start_issue_mailing
from publisher.store.variants import count_audience

_LAPSED = "nothing was there in time to start it; is `publisher run` running?"
_CHANGED = (
    "it was changed after Send was pressed, and nothing but what was shown then is sent:"
    " look at it again, and send it as it is now"
)


class PlannedNewsroom(Newsroom, Protocol):
    """What planned sends need of the issues."""

    def require_due(self, now: datetime, slug: str) -> None:
        """Raise PublisherError for an issue that is not meant to go out, or is not there."""
        ...


class ToldPlan(msgspec.Struct, frozen=True):
    """A plan that came to an end, or waits for longer than planned: what `Plan.reason` says why.

    `mailing` is the one that it started, or found.
    """

    plan: Plan
    mailing: Mailing | None = None


class PlannedSends:
    """The planned sends of a publication; `hear` is told what an operator should know."""

    def __init__(
        self,
        database: Database | Held,
        newsroom: PlannedNewsroom,
        hear: Callable[[ToldPlan], None] = lambda told: None,
    ) -> None:
        self.database = database
        self.newsroom = newsroom
        self.hear = hear

    def tick(self, now: datetime) -> None:
        """Start what is due. A database that is not armed does nothing.

        Raises StoreError where the database fails.
        """
        with self.database.read() as connection:
            if find_unarmed(connection, self.database.place):
                return
            waiting = list_waiting(connection, self.database.publication)
        for plan in waiting:
            if plan.is_lapsed(now):
                self._end(plan, "refused", plan.reason or _LAPSED, now)
            elif plan.due_at <= now:
                self._start_due(plan, now)

    def _start_due(self, plan: Plan, now: datetime) -> None:
        """Build, publish and start; a fault outside of the content leaves it waiting."""
        if (mailing := self._find_mailing(plan)) is not None:
            self._end(plan, "overtaken", _say_overtaken(mailing), now, mailing)
            return
        try:
            self.newsroom.require_due(now, plan.slug)
            self.newsroom.publish(now)
        except RefusedError as error:
            self._end(plan, "refused", str(error), now)
            return
        except (PublisherError, OSError) as error:  # such as a disk that is full
            self._end_or_wait(plan, error, now)
            return
        try:
            # Building takes its time, and editors do not wait.
            self.newsroom.require_due(now, plan.slug)
            new = self.newsroom.freeze(now, plan.slug)
        except PublisherError as error:
            self._end(plan, "refused", str(error), now)
            return
        if (new.issue, new.digest) != (plan.issue, plan.digest):
            self._end(plan, "refused", _CHANGED, now)
            return
        self._start(plan, new, now)

    def _end_or_wait(self, plan: Plan, error: Exception, now: datetime) -> None:
        """What the issue says ends the plan; what a server says is tried again."""
        try:
            self.newsroom.require_due(now, plan.slug)
        except PublisherError:
            self._end(plan, "refused", str(error), now)
            return
        self._wait(plan, str(error))

    def _find_mailing(self, plan: Plan) -> Mailing | None:
        with self.database.read() as connection:
            return find_mailing(connection, self.database.publication, plan.issue)

    def _wait(self, plan: Plan, reason: str) -> None:
        with self.database.write() as connection:
            is_new = note_reason(connection, self.database.publication, plan.id, reason)
        if is_new and not plan.reason:
            self.hear(ToldPlan(msgspec.structs.replace(plan, reason=reason)))

    def _end(
        self,
        plan: Plan,
        status: PlanStatus,
        reason: str,
        now: datetime,
        mailing: Mailing | None = None,
    ) -> None:
        """Close it without having sent anything, unless somebody else has closed it."""
        publication, row = self.database.publication, mailing.id if mailing else None
        with self.database.write() as connection:
            is_ours = close_plan(
                connection, publication, plan.id, status, now, reason=reason, mailing=row
            )
            closed = find_plan(connection, publication, plan.id)
        if is_ours and closed is not None:
            self.hear(ToldPlan(closed, mailing))

    def _start(self, plan: Plan, new: NewMailing, now: datetime) -> None:
        """Start the mailing, and close the plan with it."""
        publication = self.database.publication
        make_ahead(self.database, new.variants, now)
        with self.database.write() as connection:
            audience = count_audience(connection, publication, new.variants, now)
            if not audience.total:
                mailing, reason = None, audience.why_nobody
                is_ours = close_plan(
                    connection, publication, plan.id, "refused", now, reason=reason
                )
            else:
                mailing, is_ours = _start_planned(connection, publication, plan, new, now)
            closed = find_plan(connection, publication, plan.id)
        if is_ours and closed is not None:
            self.hear(ToldPlan(closed, mailing))


def _start_planned(
    connection: Connection, publication: int, plan: Plan, new: NewMailing, now: datetime
) -> tuple[Mailing | None, bool]:
    """The mailing, and whether the plan was there to be started; nothing is started otherwise."""
    if not is_waiting(connection, publication, plan.id):
        return None, False
    new = msgspec.structs.replace(new, by=plan.who)
    if lack := find_lack_of(connection, publication, new):
        is_ours = close_plan(connection, publication, plan.id, "refused", now, reason=lack)
        return None, is_ours
    mailing = start_issue_mailing(connection, publication, new, now)
    status: PlanStatus = "started" if mailing.ref == new.ref else "overtaken"
    reason = "" if status == "started" else _say_overtaken(mailing)
    if status == "started":
        actor = Actor(plan.who, plan.client)
        about, detail = plan.slug, f"as planned, to {mailing.recipients:,}"
        audit.note(
            connection, publication, actor, "mailing started", now, about=about, detail=detail
        )
    close_plan(connection, publication, plan.id, status, now, reason=reason, mailing=mailing.id)
    return mailing, True


def _say_overtaken(mailing: Mailing) -> str:
    return f"a command or a schedule was first: its mailing is {mailing.status}"
