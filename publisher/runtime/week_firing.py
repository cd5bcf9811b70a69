"""The firings of the week's message: what the scheduler does about them at its ticks."""

from datetime import datetime

from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.mailing.schedule import Missed, Occurrence, Rule
from publisher.mailing.week import FireWeek, WeekDecision, decide_week
from publisher.model.delivery import Mailing
from publisher.runtime.scheduler import Scheduler, Told
from publisher.runtime.start import require_sendable
from publisher.runtime.weekly import Nobody, Ready, Weeks
from publisher.store.occurrences import close_fired, is_open
from publisher.store.weeks import TakenError


class WeekFirings:
    """Decides about the firings of the week's message."""

    def __init__(self, weeks: Weeks) -> None:
        self.weeks = weeks

    def decide(
        self, scheduler: Scheduler, rule: Rule, occurrence: Occurrence, now: datetime
    ) -> None:
        """Start it, wait, or give up; who started it by hand was first."""
        if (mailing := self.weeks.find(occurrence.wall)) is not None:
            self._join(scheduler, occurrence, mailing, now)
            return
        decision, fault = self._look(rule, occurrence, now)
        if isinstance(decision, FireWeek):
            self._fire(scheduler, rule, occurrence, decision, now)
            return
        reason = fault or decision.reason
        if not isinstance(decision, Missed):
            scheduler.wait(occurrence, reason, now, "failed" if fault else None)
        elif scheduler.note(occurrence, "missed", reason, now) and (fault or decision.passed_over):
            # Of a week in which nothing was published nobody has to be told.
            scheduler.hear(Told("missed", rule.name, occurrence, reason))

    def _look(self, rule: Rule, occurrence: Occurrence, now: datetime) -> tuple[WeekDecision, str]:
        try:
            return self.weeks.look(rule, occurrence, now), ""
        except PublisherError as error:
            return decide_week(rule, occurrence, (), {}, now), str(error)

    def _fire(
        self,
        scheduler: Scheduler,
        rule: Rule,
        occurrence: Occurrence,
        fire: FireWeek,
        now: datetime,
    ) -> None:
        """Build, publish, and start the mailing; what goes wrong leaves the occurrence open."""
        try:
            require_sendable(scheduler.settings)
            self.weeks.newsroom.publish(now)
            ready = self.weeks.prepare(occurrence, fire, now)
            again = self.weeks.look(rule, occurrence, now)
        except PublisherError as error:
            scheduler.wait(occurrence, str(error), now, "failed")
            return
        # Building takes its time, and editors do not wait: the next tick decides anew.
        if isinstance(again, FireWeek) and again.candidates == fire.candidates:
            self._start(scheduler, occurrence, ready, now)

    def _start(
        self, scheduler: Scheduler, occurrence: Occurrence, ready: Ready, now: datetime
    ) -> None:
        """Start the mailing, and close the occurrence with it."""
        outcome = f"; left out: {ready.left_out}" if ready.left_out else ""
        try:
            with scheduler.database.write() as connection:
                if not is_open(connection, scheduler.database.publication, occurrence):
                    return
                mailing = self.weeks.start(connection, ready, now)
                outcome = f"sent to {mailing.recipients:,}{outcome}"
                self._close(connection, occurrence, mailing, outcome, now)
        except Nobody as error:
            scheduler.note(occurrence, "missed", str(error), now)
        except TakenError:
            pass  # by another mailing, a moment ago; the next tick decides anew
        else:
            scheduler.hear(Told("fired", occurrence.schedule, occurrence, outcome, mailing))

    def _join(
        self, scheduler: Scheduler, occurrence: Occurrence, mailing: Mailing, now: datetime
    ) -> None:
        """Close the occurrence by a mailing that an operator started."""
        outcome = "joined a mailing that was there"
        with scheduler.database.write() as connection:
            if not is_open(connection, scheduler.database.publication, occurrence):
                return
            self._close(connection, occurrence, mailing, outcome, now)
        scheduler.hear(Told("fired", occurrence.schedule, occurrence, outcome, mailing))

    def _close(
        self,
        connection: Connection,
        occurrence: Occurrence,
        mailing: Mailing,
        outcome: str,
        now: datetime,
    ) -> None:
        close_fired(
            connection,
            self.weeks.database.publication,
            occurrence,
            now,
            outcome=outcome,
            issue=mailing.issue,
            slug=mailing.slug,
            mailing=mailing.id,
        )
