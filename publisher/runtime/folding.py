"""Deliveries of mailings that ended long ago are folded into totals, as `[database]` says."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from publisher.model.delivery import Mailing
from publisher.settings import Settings
from publisher.store.database import Database
from publisher.store.folding import find_foldable, fold_page

# Others have their turn at each tick, and schedules are not to wait for this one.
_SECONDS = 1.0
# Where there was nothing, another hour makes little.
_PAUSE = timedelta(hours=1)


class Folding:
    """What is done about it at each tick, for a moment; `say` is told of what ended."""

    def __init__(self, database: Database, settings: Settings, say: Callable[[str], None]) -> None:
        self._database = database
        self._settings = settings
        self._say = say
        self._looked_at: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Fold for a second at most, and look again soon where there is more."""
        if self._looked_at and abs(now - self._looked_at) < _PAUSE:
            return
        until = time.monotonic() + _SECONDS
        is_over = fold_old(
            self._database, self._settings, now, self._say, lambda: time.monotonic() >= until
        )
        self._looked_at = now if is_over else None


def fold_old(
    database: Database,
    settings: Settings,
    now: datetime,
    say: Callable[[str], None],
    has_to_stop: Callable[[], bool],
) -> bool:
    """Fold what ended long enough ago, until told to stop; False where there may be more."""
    keep = settings.database.keep_deliveries
    if not keep:
        return True
    while not has_to_stop():
        with database.read() as connection:
            mailing = find_foldable(connection, database.publication, now - keep)
        if mailing is None:
            return True
        if not _fold(database, mailing, now, has_to_stop):
            return False
        if mailing.recipients > 1:
            say(
                f"{mailing.name}: its {mailing.recipients:,} deliveries ended more than {keep} ago,"
                " and are kept as totals from now on (database.keep_deliveries)"
            )
    return False


def _fold(
    database: Database, mailing: Mailing, now: datetime, has_to_stop: Callable[[], bool]
) -> bool:
    """Fold a mailing, a page in a transaction; False where it was not brought to its end."""
    while not has_to_stop():
        with database.write() as connection:
            if not fold_page(connection, database.publication, mailing, now):
                return True
    return False
