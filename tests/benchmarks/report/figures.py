"""Values -> what is said of them: a median with its spread, in a unit."""

import statistics
from collections.abc import Sequence

import msgspec

from tests.benchmarks.measure import Row, Tables
from tests.benchmarks.results import Results


class Quantity(msgspec.Struct, frozen=True):
    """How a quantity of a row is called at the head of a column, and what it is counted in."""

    head: str
    unit: str = ""
    # Of things that are counted there are no parts.
    is_count: bool = False


QUANTITIES = {
    "wall": Quantity("time", "s"),
    "cpu": Quantity("CPU", "s"),
    "peak": Quantity("peak memory, largest process", "MB"),
    "together": Quantity("peak memory, all processes", "MB"),
    "memory": Quantity("memory", "MB"),
    "at": Quantity("since the start", "s"),
    "rate": Quantity("a second", is_count=True),
    "each": Quantity("CPU a message", "µs"),
    "database": Quantity("the server's CPU, each", "µs"),
    "sink": Quantity("the sinks' CPU a message", "µs"),
    "step": Quantity("messages a commit"),
    "log": Quantity("of the server's log, each", "bytes", is_count=True),
    "reader": Quantity("time a reader", "µs"),
    "trips": Quantity("waits for the server, each step"),
    "job": Quantity("a job made", "µs"),
    "sweep": Quantity("looked at", "µs"),
    "ours": Quantity("a worker's CPU", "µs"),
    "server": Quantity("the server's CPU", "µs"),
    "said": Quantity("the model", "µs"),
    "found": Quantity("measured", "µs"),
    "error": Quantity("error", "%"),
    "minutes": Quantity("time", "min"),
    "million": Quantity("1 million readers", "min"),
    "millions10": Quantity("10 million", "min"),
    "millions100": Quantity("100 million", "min"),
    "bytes": Quantity("size", "bytes", is_count=True),
    "answers": Quantity("answers a second", is_count=True),
    "p50": Quantity("half within", "ms"),
    "p99": Quantity("99 of 100 within", "ms"),
    "most": Quantity("at most", "ms"),
    "first": Quantity("first time", "ms"),
    "page": Quantity("later", "ms"),
    "share": Quantity("share", "%"),
    "profiled": Quantity("as the profiler sees it", "s"),
    "pages": Quantity("pages", is_count=True),
    "feeds": Quantity("feeds", is_count=True),
    "archives": Quantity("archive documents", is_count=True),
    "bodies": Quantity("bodies of messages", is_count=True),
    "cards": Quantity("cards", is_count=True),
    "others": Quantity("other files", is_count=True),
    "megabytes": Quantity("all of it", "MB"),
}
# How many times as much.
TIMES = Quantity("", "times")


class Place(msgspec.Struct, frozen=True):
    """Where a figure stands in the results; `beside` is the row whose values it is divided by.

    What was measured in the same round is divided by one another.
    """

    part: str
    table: str
    row: str
    quantity: str
    beside: str = ""


def find(results: Results, place: Place) -> list[float]:
    """A figure's values; none where it was not measured."""
    part = results.get(place.part)
    return find_in(part.tables, place) if part else []


def find_in(tables: Tables, place: Place) -> list[float]:
    rows = tables.get(place.table, {})
    own = rows.get(place.row, {}).get(place.quantity, [])
    if not place.beside:
        return own
    others = rows.get(place.beside, {}).get(place.quantity, [])
    return [mine / other for mine, other in zip(own, others, strict=False) if other]


def count(row: Row) -> int:
    """How often a row was measured."""
    return max(map(len, row.values()), default=0)


def write(values: Sequence[float], quantity: Quantity) -> str:
    """`3,287 (3,233 to 3,362)`: the median, and the least and the most where they differ."""
    if not values:
        return ""
    number = write_number(statistics.median(values), quantity)
    bare = Quantity("", is_count=quantity.is_count)
    least, most = write_number(min(values), bare), write_number(max(values), bare)
    return number if least == most else f"{number} ({least} to {most})"


def write_number(value: float, quantity: Quantity) -> str:
    """A number with as many digits as tell something."""
    digits = 0 if quantity.is_count or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {quantity.unit}".rstrip()


def write_limit(value: float, unit: str) -> str:
    """A number as somebody asked for it."""
    return f"{value:,g} {unit}".rstrip()
