"""Procrastinate's part of the database: its tables, and the jobs that bring batches to workers."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from publisher.store.columns import from_milliseconds

if TYPE_CHECKING:
    from procrastinate import App

TASK = "deliver"
# So many are made in a fraction of a second, in which the server hears nothing: it gives up what is
# still for too long.
_AT_ONCE = 5_000


def name_queue(mailing: int) -> str:
    """The queue of a mailing's jobs."""
    return f"mailing-{mailing}"


@lru_cache(maxsize=1)
def _app() -> "App":
    """One that is never opened: it speaks by the connections of others."""
    from procrastinate import App, SyncPsycopgConnector

    return App(connector=SyncPsycopgConnector())


def make_tables(connection: Connection) -> None:
    """Make Procrastinate's tables, in the same transaction as ours."""
    raw: Any = connection.connection.driver_connection
    raw.execute(_app().schema_manager.get_schema())


def defer_jobs(
    connection: Connection, mailing: int, batches: Sequence[tuple[int, int, bool]]
) -> None:
    """Let batches of a mailing come to workers, in the transaction that queues their deliveries.

    Of each its id, when it is due in milliseconds, 0 at once, and whether it is urgent. No two jobs
    of one wait, and none works beside another one of the same.
    """
    for start in range(0, len(batches), _AT_ONCE):
        _defer_some(connection, mailing, batches[start : start + _AT_ONCE])


def _defer_some(
    connection: Connection, mailing: int, batches: Sequence[tuple[int, int, bool]]
) -> None:
    from procrastinate.jobs import Job

    jobs = [
        Job(
            queue=name_queue(mailing),
            priority=int(is_urgent),
            lock=f"batch-{id}",
            queueing_lock=f"batch-{id}",
            task_name=TASK,
            task_kwargs={"batch": id},
            scheduled_at=from_milliseconds(due_at) if due_at else None,
        )
        for id, due_at, is_urgent in batches
    ]
    raw: Any = connection.connection.driver_connection
    _app().job_manager.batch_defer_jobs(jobs, connection=raw)
