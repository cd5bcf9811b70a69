"""That the model is one of what it says, and that its plan follows from what is measured."""

import pytest

from tests.benchmarks.measure import Row, Tables
from tests.benchmarks.model import Costs, Plant, find_limit, fit_line, time_rows
from tests.benchmarks.planning import PLANTS, WORKERS, fit_tables, make_plan

COSTS = Costs(
    worker_message=100e-6,
    worker_step=400e-6,
    server_message=50e-6,
    server_step=200e-6,
    log=1_000,
    trips=8,
    reader=20e-6,
    job=100e-6,
    sweep=5e-6,
)


def row(together: float) -> Row:
    """As it is measured where the costs are these."""
    each, server = 100 + 400 / together, 50 + 200 / together
    return {"step": [together], "each": [each], "database": [server], "log": [1_000.0]}


MEASURED: Tables = {
    "connections": {f"{count} connections": row(count / 2) for count in (4, 8, 16)},
    "sending": {"2 workers": row(8)},
    "enqueueing": {"readers": {"reader": [20.0]}},
    "batches": {"batches": {"job": [100.0], "sweep": [5.0]}},
    "trips": {"1 worker": {"trips": [8.0]}},
}


def test_it_finds_the_costs_that_the_figures_were_made_of() -> None:
    assert fit_line((2, 300), (8, 150)) == pytest.approx((100, 400))
    found = fit_tables(MEASURED)
    for name in COSTS.__struct_fields__:
        assert getattr(found, name) == pytest.approx(getattr(COSTS, name)), name


def test_what_it_says_of_runs_that_are_like_it_has_no_error() -> None:
    checks = make_plan(MEASURED)["checks"]
    assert len(checks) == 4
    assert {abs(each["error"][0]) for each in checks.values()} == {0}


@pytest.mark.parametrize(
    ("plant", "limit"),
    [
        (Plant(), "connections"),
        (Plant(connections=1_000), "the worker itself"),
        (Plant(connections=1_000, workers=1_000), "the server's log"),
        (Plant(connections=1_000, workers=1_000, log=1e12), "the server's CPU"),
        (Plant(workers=64, is_shared=True, connections=64), "the rate's row"),
        (Plant(relay_rate=14), "the relays"),
    ],
)
def test_each_limit_is_the_next_one_somewhere(plant: Plant, limit: str) -> None:
    assert find_limit(COSTS, plant)[0] == limit


def test_more_workers_are_never_slower_and_rows_are_one_after_the_other() -> None:
    tables = make_plan(MEASURED)
    for name in PLANTS:
        rates = [each["rate"][0] for each in tables[name].values()]
        assert len(rates) == len(WORKERS)
        assert rates == sorted(rates)
    assert time_rows(COSTS, 1_000_000) == pytest.approx(20.2)
