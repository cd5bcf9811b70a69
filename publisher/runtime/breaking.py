"""What follows when a mailing's breaker trips: the mailing pauses."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection

from publisher.mailing.breaker import Breaker, note, note_parked
from publisher.model.delivery import TO_MANY
from publisher.runtime.exchange import Notice
from publisher.store.deliveries import Settled
from publisher.store.mailings import change_mailing, finish_if_done, get_mailing


class Breaking:
    """The breakers of the mailings to many, by the mailing."""

    def __init__(self, publication: int) -> None:
        self.publication = publication
        self.breakers: dict[int, Breaker] = {}

    def judge(
        self, connection: Connection, settled: Iterable[Settled], now: datetime
    ) -> list[Notice]:
        """Count what came of deliveries; gives what became of the mailings whose breaker trips."""
        notices = []
        for each in settled:
            if each.taken.purpose in TO_MANY:
                mailing = each.taken.mailing
                breaker, reason = _note(self.breakers.get(mailing, Breaker()), each)
                self.breakers[mailing] = breaker
                if reason is not None:
                    notices += self._pause(connection, mailing, reason, now)
        return notices

    def _pause(
        self, connection: Connection, mailing: int, reason: str, now: datetime
    ) -> list[Notice]:
        # There is nothing to pause where it was the last one.
        if finish_if_done(connection, self.publication, mailing, now):
            return [Notice("finished", get_mailing(connection, mailing))]
        if change_mailing(connection, self.publication, mailing, "paused", now, reason=reason):
            return [Notice("paused", get_mailing(connection, mailing))]
        return []

    def keep(self, mailings: Collection[int]) -> None:
        """Forget those that are not being sent any more: when they go on, they begin anew."""
        self.breakers = {id: each for id, each in self.breakers.items() if id in mailings}


def _note(breaker: Breaker, each: Settled) -> tuple[Breaker, str | None]:
    if each.outcome is not None:
        return note(breaker, each.outcome, each.taken.id)
    if each.settlement.event == "parked":
        return note_parked(breaker, each.note, each.taken.id)
    return breaker, None
