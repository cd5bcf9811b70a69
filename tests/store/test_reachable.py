"""Who may be mailed, counted without looking at each."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

from sqlalchemy import func, insert, select

from publisher.model.audience import SubscriptionStatus
from publisher.store import schema as s
from publisher.store.database import Database
from publisher.store.reachable import count_mailable, may_be_mailed

NOW = datetime(2025, 12, 15, 12, tzinfo=UTC)
PAUSES = (None, NOW - timedelta(days=1), NOW, NOW + timedelta(days=1))


def test_those_are_counted_who_may_be_mailed(database: Database) -> None:
    of = {"publication": database.publication}
    kinds = list(product(get_args(SubscriptionStatus), PAUSES, (False, True)))
    rows = [
        of
        | {"ref": f"r{n}", "email": f"r{n}@a.example", "address_hash": b"%d" % n, "status": status}
        | {"created_at": NOW, "changed_at": NOW, "paused_until": pause}
        for n, (status, pause, _) in enumerate(kinds)
    ]
    barred = [
        of | {"address_hash": b"%d" % n, "reason": "bounce", "at": NOW}
        for n, (_, _, is_suppressed) in enumerate(kinds)
        if is_suppressed
    ]
    with database.write() as connection:
        connection.execute(insert(s.subscriber), rows)
        connection.execute(insert(s.suppression), barred)
        mailable = select(func.count()).where(*may_be_mailed(database.publication, NOW))
        assert connection.execute(mailable).scalar_one() == 3
        assert count_mailable(connection, database.publication, NOW) == 3
