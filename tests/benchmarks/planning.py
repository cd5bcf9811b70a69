"""The model, fitted to what `workers` measured here, checked, and used for many readers."""

from pathlib import Path

import msgspec

from tests.benchmarks.measure import Row, Tables
from tests.benchmarks.model import (
    Costs,
    Plant,
    count_together,
    find_limit,
    fit,
    median,
    time_mailing,
    time_rows,
)
from tests.benchmarks.results import MEASURED, TOLD, read_results
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.workers import CHECKED, FITTED, of_connections

WORKERS = (1, 2, 4, 8, 16, 32, 64)
READERS = {"million": 1_000_000, "millions10": 10_000_000, "millions100": 100_000_000}
_BASE = Plant()
# What moves the limit, one thing after the other.
PLANTS = {
    "16 connections": _BASE,
    "64 connections": msgspec.structs.replace(_BASE, connections=64),
    "256 connections": msgspec.structs.replace(_BASE, connections=256),
    "256 connections, a rate in common": msgspec.structs.replace(
        _BASE, connections=256, is_shared=True
    ),
}


def measure_model(folder: Path, sizes: Sizes) -> Tables:
    """Nothing is measured: what `workers` has kept is told further. Raises SystemExit without."""
    results = read_results(TOLD) | read_results(MEASURED)
    if "workers" not in results:
        raise SystemExit("the model is fitted to the part `workers`, which was not measured yet")
    return make_plan(results["workers"].tables)


def make_plan(measured: Tables) -> Tables:
    """What was fitted, how far it is wrong, and what follows from it."""
    costs = fit_tables(measured)
    tables: Tables = {"costs": _tell_costs(costs), "checks": check(costs, measured)}
    for name, plant in PLANTS.items():
        tables[name] = _plan(costs, plant)
    tables["rates"] = {name: _draw(costs, plant) for name, plant in PLANTS.items()}
    tables["rows"] = {
        f"{readers:,} readers": {"minutes": [round(time_rows(costs, readers) / 60, 2)]}
        for readers in READERS.values()
    }
    return tables


def fit_tables(tables: Tables) -> Costs:
    few, many = (tables["connections"][of_connections(each)] for each in FITTED)
    (rows,) = tables["enqueueing"].values()
    (batches,) = tables["batches"].values()
    return fit(
        few,
        many,
        {
            "trips": median(tables["trips"]["1 worker"]["trips"]),
            "reader": median(rows["reader"]) / 1e6,
            "job": median(batches["job"]) / 1e6,
            "sweep": median(batches["sweep"]) / 1e6,
        },
    )


def _tell_costs(costs: Costs) -> dict[str, Row]:
    return {
        "a message": _pair(costs.worker_message, costs.server_message),
        "a step": _pair(costs.worker_step, costs.server_step),
    }


def _pair(worker: float, server: float) -> Row:
    return {"ours": [round(worker * 1e6, 1)], "server": [round(server * 1e6, 1)]}


def check(costs: Costs, measured: Tables) -> dict[str, Row]:
    """What it says of runs that it was not fitted to, beside what was measured in them."""
    runs = {
        f"{each} connections, 1 worker": (each, measured["connections"][of_connections(each)])
        for each in CHECKED
    }
    runs["16 connections, 2 workers"] = (16, measured["sending"]["2 workers"])
    rows: dict[str, Row] = {}
    for name, (connections, row) in runs.items():
        together = count_together(connections)
        worker = costs.worker_message + costs.worker_step / together
        server = costs.server_message + costs.server_step / together
        rows[f"{name}: a worker's CPU"] = _compare(worker, row["each"])
        rows[f"{name}: the server's CPU"] = _compare(server, row["database"])
    return rows


def _compare(seconds: float, values: list[float]) -> Row:
    said, found = seconds * 1e6, median(values)
    return {
        "said": [round(said, 1)],
        "found": [round(found, 1)],
        "error": [round(100 * (said / found - 1), 1)],
    }


def _plan(costs: Costs, plant: Plant) -> dict[str, Row]:
    """By the number of workers: messages a second, what is in the way, and minutes."""
    rows: dict[str, Row] = {}
    for workers in WORKERS:
        those = msgspec.structs.replace(plant, workers=workers)
        limit, rate = find_limit(costs, those, READERS["million"])
        rows[f"{workers} ({limit})"] = {"rate": [float(round(rate))]} | {
            name: [round(time_mailing(costs, those, readers) / 60, 1)]
            for name, readers in READERS.items()
        }
    return rows


def _draw(costs: Costs, plant: Plant) -> Row:
    plants = [msgspec.structs.replace(plant, workers=workers) for workers in WORKERS]
    rates = [find_limit(costs, each, READERS["million"])[1] for each in plants]
    return {"at": list(map(float, WORKERS)), "rate": [round(rate) for rate in rates]}
