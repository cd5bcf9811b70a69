"""Rates that all workers have in common: by a row for each, in the transaction of the intents."""

import msgspec
from sqlalchemy import Connection


class Pace(msgspec.Struct, frozen=True):
    """A rate in messages a second, of which so many at most are saved up; by what it is called."""

    name: str
    rate: float
    burst: float = 1.0


def claim_pace(connection: Connection, pace: Pace, wanted: int) -> int:
    """Claim so many messages, or as many as there may be now; gives how many.

    What is claimed is known to all when the transaction ends, and others wait for that. By the
    server's clock.
    """
    values = {"name": pace.name, "rate": pace.rate, "burst": max(pace.burst, 1.0)}
    connection.exec_driver_sql(_MAKE, values)
    granted = connection.exec_driver_sql(_CLAIM, values | {"wanted": wanted})
    return int(granted.scalar_one())


_MAKE = "INSERT INTO pace (name, until) VALUES (%(name)s, 0) ON CONFLICT (name) DO NOTHING"
# All up to `until` is used up. A clock that was put back gives nothing twice.
_CLAIM = """
    WITH clock AS (SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8 AS at),
    had AS (
        SELECT at, GREATEST(until, at - %(burst)s / %(rate)s) AS base
        FROM pace, clock WHERE name = %(name)s FOR UPDATE OF pace
    ),
    granted AS (
        SELECT base,
            GREATEST(0, LEAST(%(wanted)s, FLOOR((at - base) * %(rate)s + 1e-6)))::int AS number
        FROM had
    )
    UPDATE pace SET until = base + number / %(rate)s FROM granted WHERE name = %(name)s
    RETURNING number
"""
