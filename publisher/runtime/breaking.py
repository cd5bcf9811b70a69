"""What follows when a mailing's breaker trips: a relay is left alone, or the mailing pauses."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection

from publisher.mailing.breaker import Breaker, note, note_parked
from publisher.model.delivery import TO_MANY
from publisher.runtime.exchange import Notice
from publisher.runtime.fleet import Fleet
from publisher.store.deliveries import Settled
from publisher.store.mailings import change_mailing, finish_if_done, get_mailing


class Breaking:
    """The breakers of mailings to many, one for each relay that their deliveries go over.

    What another relay takes says nothing about the one that takes nothing.
    """

    def __init__(self, fleet: Fleet, publication: int) -> None:
        self.fleet = fleet
        self.publication = publication
        self.breakers: dict[tuple[int, str], Breaker] = {}

    def judge(
        self,
        connection: Connection,
        settled: Iterable[Settled],
        now: datetime,
        random: Callable[[], float],
    ) -> list[Notice]:
        """Count what came of deliveries; gives what became of the mailings whose breaker trips.

        Where another relay may well be up, the mailing goes on over that.
        """
        notices = []
        for each in settled:
            if each.taken.purpose not in TO_MANY:
                continue
            key = (each.taken.mailing, each.taken.relay)
            breaker, reason = _note(self.breakers.get(key, Breaker()), each)
            if reason is not None and self._goes_on_without(each, reason, now, random):
                continue  # as it was: the next one like this trips it again
            self.breakers[key] = breaker
            if reason is not None:
                notices += self._pause(connection, each.taken.mailing, reason, now)
        return notices

    def _goes_on_without(
        self, each: Settled, reason: str, now: datetime, random: Callable[[], float]
    ) -> bool:
        """Leave the relay alone, where it is that which is at fault and others may be up."""
        name = each.taken.relay
        if each.outcome is None or not self.fleet.can_do_without(name, now):
            self.fleet.forgive()
            return False
        self.fleet.relays[name].shun(reason, now, random())
        return True

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
        self.breakers = {key: each for key, each in self.breakers.items() if key[0] in mailings}


def _note(breaker: Breaker, each: Settled) -> tuple[Breaker, str | None]:
    if each.outcome is not None:
        return note(breaker, each.outcome, each.taken.id)
    if each.settlement.event == "parked":
        return note_parked(breaker, each.note, each.taken.id)
    return breaker, None
