"""What becomes of mailings whose canary was tried, in the dispatcher's own transaction."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection

from publisher.mailing.canary import CanaryRule, Stop, WaitUntil, judge
from publisher.model.delivery import Mailing
from publisher.runtime.lane import Lane
from publisher.store.canaries import count_canary, release, wait_until
from publisher.store.candidates import Candidate
from publisher.store.mailings import change_mailing, get_mailing, record_event


class Canaries:
    """The lanes whose canary was tried, as far as is known.

    Of most mailings there is none, and then this costs nothing.
    """

    def __init__(
        self, lanes: Iterable[Lane], in_flight: Collection[Candidate], rule: CanaryRule
    ) -> None:
        self.rule = rule
        self.lanes = [lane for lane in lanes if lane.is_canary_tried]
        if self.lanes:
            busy = {each.mailing for each in in_flight}
            self.lanes = [lane for lane in self.lanes if lane.scope not in busy]

    def next_looks(self, now: datetime) -> list[datetime]:
        """When each of them is to be looked at."""
        return [self._next_look(lane, now) for lane in self.lanes]

    def are_due(self, now: datetime) -> bool:
        return any(moment <= now for moment in self.next_looks(now))

    def judge(self, connection: Connection, now: datetime) -> list[Mailing]:
        """Let the rest of mailings wait, go or stop; gives those that were looked at."""
        judged = []
        for lane in self.lanes:
            if lane.mailing is None or self._next_look(lane, now) > now:
                continue
            mailing = get_mailing(connection, lane.mailing.id)
            if mailing.status == "sending" and mailing.canary_last is not None:
                _judge(connection, lane.publication, mailing, self.rule, now)
            judged.append(get_mailing(connection, mailing.id))
        return judged

    def _next_look(self, lane: Lane, now: datetime) -> datetime:
        until = lane.mailing.canary_until if lane.mailing else None
        # One that is further ahead than the wait is of a clock that was put back.
        return now if until is None or until > now + self.rule.wait else until


def _judge(
    connection: Connection, publication: int, mailing: Mailing, rule: CanaryRule, now: datetime
) -> None:
    tried = count_canary(connection, mailing.id, mailing.canary_last or 0)
    if tried is None:
        return  # such as those that were queued again
    decision = judge(tried, mailing.canary_until, rule, now)
    if isinstance(decision, WaitUntil):
        wait_until(connection, mailing.id, decision.moment)
        return
    # Of one that stops, too: an operator who lets it go on has looked at it.
    release(connection, mailing.id)
    if isinstance(decision, Stop):
        change_mailing(connection, publication, mailing.id, "paused", now, reason=decision.reason)
    else:
        record_event(connection, publication, mailing.id, "canary_passed", now, decision.reason)
