"""The processes that deliver from a server's database, as they show themselves in it."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, select

from publisher.store.batches import has_batches
from publisher.store.engine_postgresql import DELIVERING, LOCKS
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


def is_led(connection: Connection, patience: float) -> bool:
    """Tell whether a process leads that was heard of within the last `patience` seconds.

    One that holds the delivery lock and is silent, since it was stopped or cut off, loses it: its
    session ends.
    """
    holders = connection.exec_driver_sql(
        _HOLDERS, {"locks": LOCKS, "delivering": DELIVERING, "patience": patience}
    ).all()
    for pid, is_silent in holders:
        if is_silent:
            connection.exec_driver_sql("SELECT pg_terminate_backend(%s)", (pid,))
    return any(not is_silent for _, is_silent in holders)


# Who has only just begun is not shown yet.
_HOLDERS = """
    SELECT l.pid, a.backend_start < clock_timestamp() - make_interval(secs => %(patience)s)
        AND NOT EXISTS (SELECT 1 FROM worker AS w WHERE w.is_lead
            AND w.seen_at > (EXTRACT(EPOCH FROM clock_timestamp()) - %(patience)s) * 1000)
    FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(locks)s
        AND l.objid = %(delivering)s AND a.datname = current_database()
"""


def list_workers(connection: Connection, now: datetime) -> list[Worker]:
    """Those that were heard of lately, the longest at work first; none on SQLite."""
    if not has_batches(connection):
        return []
    w = worker.c
    columns = (w.name, w.is_lead, w.started_at, w.seen_at, w.sent, w.rate)
    chosen = select(*columns).where(w.seen_at > now - _FORGOTTEN)
    rows = connection.execute(chosen.order_by(w.started_at, w.name))
    return [Worker(**row._mapping) for row in rows]
