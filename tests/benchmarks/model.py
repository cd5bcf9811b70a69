"""A model of many workers on one server: which limit is next, and how long a mailing takes.

It is fitted to what `workers` measured, by the CPU that workers and the server spend on a message
and on a transaction (a step), which hardly depends on what else the machine does. It knows nothing
of queues: where something is used nearly as much as it can be, what it says is too much.
"""

from collections.abc import Mapping

import msgspec

from tests.benchmarks.measure import Row


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured: seconds of CPU, bytes of the server's log, waits for the server.

    A step costs its part and that of each of its messages. `reader` are seconds for each row of a
    mailing, `job` and `sweep` those for each batch, when its job is made and when it is looked at.
    """

    worker_message: float
    worker_step: float
    server_message: float
    server_step: float
    log: float
    trips: float
    reader: float
    job: float
    sweep: float


class Plant(msgspec.Struct, frozen=True, kw_only=True):
    """What is assumed: workers with a core each, and what is between them, relays and the server.

    Seconds a relay takes for a message, for a round trip to the server, and for a commit to be on
    its disk; messages a second of all relays (0 for no limit); bytes a second of its log. Where a
    rate `is_shared`, its row is locked from the claim to the commit, for so many round trips.
    """

    workers: int = 1
    connections: int = 16
    relay: float = 0.05
    relay_rate: float = 0
    trip: float = 0.000_2
    sync: float = 0.001
    cores: int = 16
    log: float = 200e6
    is_shared: bool = False
    locked_trips: int = 5


# Of a batch; what the leading worker looks at in so many seconds, for no more than a share of them:
# runtime/sweeping.py.
BATCH, SWEEP_SECONDS, SWEEP_SHARE = 500, 5.0, 1 / 20
# Of all that is in flight at a worker, half is settled and taken together: runtime/pool.py.
_TOGETHER = 2


def count_together(connections: int) -> float:
    """Messages of a step, where a worker has enough to do."""
    return max(connections / _TOGETHER, 1.0)


def time_step(costs: Costs, plant: Plant, together: float) -> float:
    """Seconds from one step of a worker to its next: its own work, and waiting for the server."""
    own = costs.worker_step + together * costs.worker_message
    theirs = costs.server_step + together * costs.server_message
    return own + theirs + costs.trips * plant.trip + plant.sync


def list_limits(costs: Costs, plant: Plant, readers: int = 0) -> dict[str, float]:
    """Messages a second that each part can do; the least of them is what all can do."""
    together = count_together(plant.connections)
    step = time_step(costs, plant, together)
    each = costs.server_message + costs.server_step / together
    swept = min(costs.sweep * readers / BATCH / SWEEP_SECONDS, SWEEP_SHARE)
    limits = {
        "the worker itself": plant.workers * together / step,
        "connections": plant.workers * plant.connections / (plant.relay + step),
        "the server's CPU": max(plant.cores - swept, 0.0) / each,
        "the server's log": plant.log / costs.log,
    }
    if plant.relay_rate:
        limits["the relays"] = plant.relay_rate
    if plant.is_shared:
        limits["the rate's row"] = together / _time_locked(costs, plant, together)
    return limits


def _time_locked(costs: Costs, plant: Plant, together: float) -> float:
    theirs = costs.server_step + together * costs.server_message
    share = plant.locked_trips / costs.trips
    return share * theirs + plant.locked_trips * plant.trip + plant.sync


def find_limit(costs: Costs, plant: Plant, readers: int = 0) -> tuple[str, float]:
    """What is used up first, and the messages a second then."""
    return min(list_limits(costs, plant, readers).items(), key=lambda limit: limit[1])


def time_rows(costs: Costs, readers: int) -> float:
    """Seconds for a mailing's rows and jobs, in which nobody else can write."""
    return readers * (costs.reader + costs.job / BATCH)


def time_mailing(costs: Costs, plant: Plant, readers: int) -> float:
    """Seconds from the beginning of a mailing's rows to its last outcome."""
    _, rate = find_limit(costs, plant, readers)
    return time_rows(costs, readers) + readers / rate


def fit_line(few: tuple[float, float], many: tuple[float, float]) -> tuple[float, float]:
    """Of what costs a message with few and with many in a step: (together, cost) each.

    Gives what a message and what a step costs; a step never costs less than nothing.
    """
    slope = (few[1] - many[1]) / (1 / few[0] - 1 / many[0])
    step = max(slope, 0.0)
    return max(many[1] - step / many[0], 0.0), step


def fit(few: Row, many: Row, others: Mapping[str, float]) -> Costs:
    """The costs by two rows of what `workers` measured; `others` are those of a single figure."""
    together = [median(row["step"]) for row in (few, many)]
    lines = [
        fit_line(*zip(together, [median(row[name]) / 1e6 for row in (few, many)], strict=True))
        for name in ("each", "database")
    ]
    return Costs(
        worker_message=lines[0][0],
        worker_step=lines[0][1],
        server_message=lines[1][0],
        server_step=lines[1][1],
        log=median(many["log"]),
        **others,
    )


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
