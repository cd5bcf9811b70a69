"""Batches of mailings, which workers deliver: of a PostgreSQL server's database alone.

A batch is a range of a mailing's deliveries. A job of Procrastinate's brings it to a worker, who
takes a lease of it: the lease's token fences every intent, so that who lost it takes nothing more.
Jobs say only that there may be something to do; the deliveries' rows say what.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from publisher.store.columns import to_milliseconds
from publisher.store.engine_postgresql import CHANNEL
from publisher.store.jobs import defer_jobs

# So many deliveries: less than a second's work, that a worker who dies leaves to others.
SIZE = 500
# A batch comes again for what was deferred in steps of this, not for each delivery.
_STEP = timedelta(seconds=5)


class Lease(msgspec.Struct, frozen=True):
    """A batch that is this worker's, until another one raises its token."""

    batch: int
    mailing: int
    first: int
    last: int
    token: int


def has_batches(connection: Connection) -> bool:
    """Tell whether mailings are delivered in batches here."""
    return connection.dialect.name == "postgresql"


def enqueue_batches(connection: Connection, mailing: int) -> None:
    """Make batches, and their jobs, of a mailing's queued deliveries that are in none yet.

    In the transaction that queues them, which writes. On SQLite one process delivers, by itself.
    """
    if has_batches(connection):
        connection.exec_driver_sql(_ADD, {"mailing": mailing, "size": SIZE})
        _defer(connection, mailing)


# New deliveries are queued and have never been tried, which the index tells apart by itself. They
# are asked for in its order, or by a sum: by the one of ids other mailings would be looked through.
_NEW = """
    SELECT id FROM delivery WHERE mailing = %(mailing)s AND status = 'queued' AND status <> 'sent'
        AND next_attempt_at IS NULL AND id > COALESCE((SELECT max(last) FROM batch
            WHERE mailing = %(mailing)s), 0) ORDER BY next_attempt_at, id
"""
_LAST = _NEW.replace("ORDER BY next_attempt_at, id", "ORDER BY next_attempt_at DESC, id DESC")
# What a canary has left, before the first batch: it waits, or an operator may have it sent again.
_OLD = """
    SELECT min(id + 0) FROM delivery WHERE mailing = %(mailing)s AND status <> 'sent'
        AND status IN ('deferred', 'failed', 'in_doubt')
        AND NOT EXISTS (SELECT 1 FROM batch WHERE mailing = %(mailing)s)
"""
# By a sum: by an index of mailings all of one would be looked through for each step.
_ADD = f"""
    INSERT INTO batch (mailing, first, last, due_at)
    SELECT %(mailing)s, step, step + %(size)s - 1, 0
    FROM generate_series(LEAST(({_NEW} LIMIT 1), ({_OLD})), ({_LAST} LIMIT 1), %(size)s) AS step
    WHERE EXISTS (SELECT 1 FROM delivery WHERE mailing + 0 = %(mailing)s
        AND id BETWEEN step AND step + %(size)s - 1)
"""  # noqa: S608 - of our own words alone
# Those for which no job waits or works.
_WITHOUT_JOB = """
    SELECT b.id, b.due_at, m.purpose FROM batch AS b JOIN mailing AS m ON m.id = b.mailing
    WHERE b.mailing = %s AND b.due_at IS NOT NULL AND m.status = 'sending'
        AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs AS j
            WHERE j.status = 'todo' AND j.queueing_lock = 'batch-' || b.id)
        AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs AS j
            WHERE j.status = 'doing' AND j.lock = 'batch-' || b.id)
    ORDER BY b.id
"""


def _defer(connection: Connection, mailing: int) -> None:
    rows = connection.exec_driver_sql(_WITHOUT_JOB, (mailing,))
    batches = [(id, due_at, purpose == "correction") for id, due_at, purpose in rows]
    defer_jobs(connection, mailing, batches)


def find_batched(connection: Connection) -> set[int]:
    """The mailings that are delivered in batches; on SQLite none is."""
    if not has_batches(connection):
        return set()
    return set(connection.exec_driver_sql(_BATCHED).scalars())


# From one to the next: of hundreds of thousands of batches one is read for each mailing.
_BATCHED = """
    WITH RECURSIVE of (mailing) AS (
        SELECT min(mailing) FROM batch
        UNION ALL SELECT (SELECT min(mailing) FROM batch WHERE mailing > of.mailing) FROM of
            WHERE of.mailing IS NOT NULL
    ) SELECT mailing FROM of WHERE mailing IS NOT NULL
"""


def sweep(connection: Connection, sending: Collection[int]) -> None:
    """Let each batch that has something to do have a job, also of what was queued since.

    `sending` are the mailings that are being sent. What is over, and what no mailing knows any
    more, is taken away, and so are workers that were not heard of for an hour. For one worker at a
    time, with a connection that writes.
    """
    connection.exec_driver_sql(_FORGET_WORKERS)
    for mailing in find_batched(connection):
        if mailing in sending:
            connection.exec_driver_sql(_REVIVE, {"mailing": mailing})
            enqueue_batches(connection, mailing)
        else:
            connection.exec_driver_sql(_FORGET, (mailing, mailing))


# When something of a batch may be tried. By its ids: by the index of what was not sent all that a
# mailing defers would be looked through.
_RIPE = """
    SELECT min(COALESCE(d.next_attempt_at, 0)) FROM delivery AS d
    WHERE d.id BETWEEN batch.first AND batch.last AND d.mailing + 0 = batch.mailing
        AND d.status || '' IN ('queued', 'deferred')
"""
# All seem done with, and the mailing is not: what was added in the moment in which its batch was
# given back was seen by neither.
_REVIVE = f"""
    UPDATE batch SET due_at = ({_RIPE}) WHERE mailing = %(mailing)s AND ({_RIPE}) IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM batch WHERE mailing = %(mailing)s AND due_at IS NOT NULL)
"""  # noqa: S608 - of our own words alone
_FORGET_WORKERS = """
    DELETE FROM worker WHERE seen_at < (EXTRACT(EPOCH FROM clock_timestamp()) - 3600) * 1000
"""
# A paused mailing goes on, one may have begun just now, and what a dead worker left of a cancelled
# one is to be settled.
_FORGET = """
    DELETE FROM batch WHERE mailing = %s AND NOT EXISTS (SELECT 1 FROM mailing AS m
        WHERE m.id = batch.mailing AND m.status IN ('sending', 'paused'))
    AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.mailing = %s AND d.status = 'sending'
        AND d.status <> 'sent' AND d.id BETWEEN batch.first AND batch.last)
"""


def wake(connection: Connection, mailing: int) -> None:
    """Let the batches be worked at again in which something was queued again; all are told."""
    if has_batches(connection):
        connection.exec_driver_sql(_WAKE, (mailing,))
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")  # also where many write at once


def wake_done(connection: Connection, mailing: int) -> None:
    """As `wake`, in the middle of a step: leases are left alone, for two steps could wait for each
    other's. Who gives one back asks its rows, and so does the sweep once nothing else is due.
    """
    if has_batches(connection):
        connection.exec_driver_sql(f"{_WAKE} AND holder IS NULL", (mailing,))
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")


_WAKE = """
    UPDATE batch SET due_at = 0 WHERE mailing = %s AND EXISTS (SELECT 1 FROM delivery AS d
        WHERE d.mailing = batch.mailing AND d.status = 'queued' AND d.status <> 'sent'
            AND d.next_attempt_at IS NULL AND d.id BETWEEN batch.first AND batch.last)
"""


def take_lease(connection: Connection, batch: int, name: str, patience: float) -> Lease | None:
    """Let the process of that name be the only one who works at a batch.

    None where there is none any more, and where another one has it who was heard of within the last
    `patience` seconds: that a job came anew, as after the server ended, need not say that it died,
    nor that it was silent while there was no server.
    It waits for who just puts an intent of it on record.
    """
    values = {"batch": batch, "name": name, "patience": patience}
    row = connection.exec_driver_sql(_LEASE, values).first()
    return None if row is None else Lease(batch, *row)


_LEASE = """
    UPDATE batch SET token = token + 1, holder = %(name)s
    WHERE id = %(batch)s AND NOT EXISTS (SELECT 1 FROM worker AS w
        WHERE w.name = batch.holder AND w.name <> %(name)s
            AND GREATEST(w.seen_at, EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000)
                > (EXTRACT(EPOCH FROM clock_timestamp()) - %(patience)s) * 1000)
    RETURNING mailing, first, last, token
"""


def find_lost(connection: Connection, leases: Collection[Lease]) -> set[int]:
    """The batches among these that another worker has taken over, or that are gone.

    What is found to be held stays so until the transaction ends.
    """
    ids = [lease.batch for lease in leases]
    held = {row.id: row.token for row in connection.exec_driver_sql(_HELD, (ids,))}
    return {lease.batch for lease in leases if held.get(lease.batch) != lease.token}


_HELD = "SELECT id, token FROM batch WHERE id = ANY(%s) ORDER BY id FOR SHARE"


def give_back(connection: Connection, due: Mapping[Lease, datetime | None]) -> None:
    """End leases: with when each batch is to be worked at again, or None where it seems done with.

    That is asked of its rows: a mailing that was paused in this very moment has some left.
    """
    rows = [(_round(until), lease.batch, lease.token) for lease, until in due.items()]
    connection.exec_driver_sql(_GIVE_BACK, rows)


def leave(connection: Connection, leases: Iterable[Lease]) -> None:
    """End leases of batches that are to be worked at as they were."""
    rows = [(lease.batch, lease.token) for lease in leases]
    connection.exec_driver_sql(_LEAVE, rows)


_LEAVE = "UPDATE batch SET holder = NULL WHERE id = %s AND token = %s"
_GIVE_BACK = f"""
    UPDATE batch SET holder = NULL, due_at = COALESCE(%s, ({_RIPE})) WHERE id = %s AND token = %s
"""  # noqa: S608 - of our own words alone


def _round(until: datetime | None) -> int | None:
    if until is None:
        return None
    step = _STEP // timedelta(milliseconds=1)
    return -(-to_milliseconds(until) // step) * step


def has_jobs(connection: Connection, until: datetime) -> bool:
    """Tell whether a job works at a batch, or is due until a moment."""
    found = connection.exec_driver_sql(
        "SELECT 1 FROM procrastinate_jobs WHERE status = 'doing' OR status = 'todo'"
        " AND (scheduled_at IS NULL OR scheduled_at <= %s) LIMIT 1",
        (until,),
    )
    return found.first() is not None


def forget_batches(connection: Connection) -> None:
    """Take all batches and jobs away, where other mailings take the place of theirs."""
    if has_batches(connection):
        connection.exec_driver_sql("DELETE FROM batch")
        connection.exec_driver_sql("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
