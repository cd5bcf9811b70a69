"""Measure, print, and keep the results: `python -m tests.benchmarks [PART…]`.

They go into .bench/results.json, each part replacing its own earlier ones; `make figures` tells
them in docs/performance.md. A part is imported when its turn comes, so that nothing of what others
need is in memory: see measure.py.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from tests.benchmarks.machine import describe, time_syncs
from tests.benchmarks.measure import Tables, say, say_tables
from tests.benchmarks.results import MEASURED, Part, read_results, write_results
from tests.benchmarks.sizes import Sizes, add_options, read_options

# Each is a function of a folder and of Sizes in its module. The last one imports all of publisher.
PARTS = {
    "commands": "small:measure_commands",
    "unchanged": "small:measure_unchanged",
    "full": "full:measure_full",
    "stages": "stages:measure_stages",
    "growth": "growth:measure_growth",
    "delivery": "delivery:measure_delivery",
    "million": "million:measure_million",
    "many": "many:measure_many",
    "most": "many:measure_most",
    "workers": "workers:measure_workers",
    "model": "planning:measure_model",
    "web": "web:measure_web",
    "console": "console:measure_console",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    add_options(parser)
    options = parser.parse_args()
    if unknown := sorted(set(options.parts) - set(PARTS)):
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    try:
        sizes = read_options(options)
    except ValueError as error:
        parser.error(f"a size is a number: {error}")
    MEASURED.parent.mkdir(exist_ok=True)
    for name in options.parts or PARTS:
        part = measure(name, sizes)
        write_results(MEASURED, read_results(MEASURED) | {name: part})
    say(f"\nKept in {MEASURED.name}; `make figures` tells them in docs/performance.md.")


def measure(name: str, sizes: Sizes) -> Part:
    """Measure one part, in a folder of its own that is gone afterwards."""
    before, begin = os.getloadavg()[0], time.monotonic()
    say(f"\n{name} (load average {before:.1f})")
    # Beside the checkout, since a folder for temporary files may be kept in memory.
    with tempfile.TemporaryDirectory(dir=MEASURED.parent, prefix=f"{name}-") as folder:
        syncs = time_syncs(Path(folder))
        tables = _find(name)(Path(folder), sizes)
    say_tables(tables)
    seconds = round(time.monotonic() - begin)
    say(f"{name} took {seconds} s")
    return Part(
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=seconds,
        load=(round(before, 2), round(os.getloadavg()[0], 2)),
        syncs=syncs,
        sizes=sizes,
        machine=describe(MEASURED.parent / "others"),
        tables=tables,
    )


def _find(name: str) -> Callable[[Path, Sizes], Tables]:
    module, _, function = PARTS[name].partition(":")
    found: Callable[[Path, Sizes], Tables] = getattr(
        import_module(f"tests.benchmarks.{module}"), function
    )
    return found


if __name__ == "__main__":
    main()
