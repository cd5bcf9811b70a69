"""What one of the workers sees to: that every batch with something to do has a job."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from publisher.model.delivery import TO_MANY, Mailing
from publisher.runtime.aftermath import finish_all
from publisher.runtime.exchange import Notice
from publisher.store.batches import find_batched, has_jobs, sweep
from publisher.store.database import Held

# What others changed is seen to after the first, what nobody told of after the second.
_SOON = timedelta(seconds=1)
_AGAIN = timedelta(seconds=5)
# Of hundreds of thousands of batches it takes a third of a second: it pauses for so many times as
# long as it took, or whoever leads would hardly do anything else.
_PAUSE = 20


class Sweeping:
    """Looks over all batches now and then, for the one that holds the delivery lock."""

    def __init__(self, store: Held, *, is_wanted: bool) -> None:
        self.store = store
        self.is_wanted = is_wanted
        self.sending: set[int] | None = None
        self.is_news = True
        self.swept_at: datetime | None = None
        self.took = timedelta()

    def note_active(self, active: Iterable[Mailing]) -> None:
        """Something was changed; these are being sent now. What is sent anew is seen to at once."""
        sending = {mailing.id for mailing in active if mailing.purpose in TO_MANY}
        if sending - (self.sending or set()):
            self.swept_at = None
        self.sending, self.is_news = sending, True

    def sweep_now_and_then(self, now: datetime) -> list[Notice]:
        """Sweep where it is time; gives the mailings of which nothing was left."""
        if not self.is_wanted or self.sending is None or not self._is_time(now):
            return []
        publication, began = self.store.publication, time.monotonic()
        with self.store.write() as connection:
            batched = find_batched(connection) & self.sending
            notices = finish_all(connection, publication, batched, now)
            over = {notice.mailing.id for notice in notices}
            sweep(connection, self.sending - over)
        self.swept_at, self.is_news = now, False
        self.took = timedelta(seconds=time.monotonic() - began)
        return notices

    def has_work(self, until: datetime) -> bool:
        """Tell whether a batch is worked at by anybody, or will be until a moment."""
        if not self.is_wanted:
            return False
        if self.swept_at is None or self.is_news:
            return True
        with self.store.read() as connection:
            return has_jobs(connection, until)

    def _is_time(self, now: datetime) -> bool:
        if self.swept_at is None or now < self.swept_at:
            return True
        pause = max(_SOON if self.is_news else _AGAIN, _PAUSE * self.took)
        return now - self.swept_at >= pause
