"""The processes that deliver from a server's database, as they show themselves in it."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, select

from publisher.store.batches import has_batches
from publisher.store.schema_batches import worker

# Who is not heard of for so long is not shown any more.
_FORGOTTEN = timedelta(hours=1)


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A delivering process: HOST:PID, its messages in all and those a second, of the last seconds.

    One of all `is_lead`: it sends single messages too, and sees that every batch is worked at.
    """

    name: str
    is_lead: bool
    started_at: datetime
    seen_at: datetime
    sent: int
    rate: float


def list_workers(connection: Connection, now: datetime) -> list[Worker]:
    """Those that were heard of lately, the longest at work first; none on SQLite."""
    if not has_batches(connection):
        return []
    w = worker.c
    columns = (w.name, w.is_lead, w.started_at, w.seen_at, w.sent, w.rate)
    chosen = select(*columns).where(w.seen_at > now - _FORGOTTEN)
    rows = connection.execute(chosen.order_by(w.started_at, w.name))
    return [Worker(**row._mapping) for row in rows]
