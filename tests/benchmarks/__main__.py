"""Measure, print, and keep the results: `python -m tests.benchmarks [PART…]`.

Results go into .bench/results.json, each part replacing its own earlier ones.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.archive import write_archive
from tests.benchmarks.console import measure_console
from tests.benchmarks.delivery import measure_delivery, measure_readers
from tests.benchmarks.full import ISSUES, measure_full
from tests.benchmarks.growth import measure_growth
from tests.benchmarks.many import measure_many
from tests.benchmarks.measure import Result, say
from tests.benchmarks.small import measure_commands, measure_unchanged
from tests.benchmarks.web import measure_web

BENCH = Path(__file__).parents[2] / ".bench"
RESULTS = BENCH / "results.json"
SIZES = "100,1000,10000"


def measure_stages(folder: Path) -> Result:
    """Where the time of a full build of 1,000 issues goes, in one process."""
    write_archive(folder, ISSUES)
    command = [sys.executable, "-m", "tests.benchmarks.stages", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    stages: dict[str, float] = json.loads(done.stdout)
    total = sum(stages.values())
    for name, value in sorted(stages.items(), key=lambda item: -item[1]):
        say(f"{value / total:6.1%}  {value:6.2f} s  {name}")
    return {name: round(value / total, 4) for name, value in stages.items()} | {"seconds": total}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("parts", nargs="*", metavar="PART", help="full, growth, unchanged, …")
    parser.add_argument("--sizes", default=SIZES, help="of archives, in `growth` (%(default)s)")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    parts: dict[str, Callable[[Path], Result]] = {
        "unchanged": measure_unchanged,
        "commands": measure_commands,
        "full": lambda folder: measure_full(folder, BENCH / "others"),
        "growth": lambda folder: measure_growth(folder, sizes),
        "stages": measure_stages,
        "delivery": measure_delivery,
        "readers": measure_readers,
        "web": measure_web,
        "console": measure_console,
        "many": measure_many,
    }
    unknown = set(options.parts) - set(parts)
    if unknown:
        parser.error(
            f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(parts)}"
        )
    BENCH.mkdir(exist_ok=True)
    for name in options.parts or parts:
        before = os.getloadavg()[0]
        say(f"\n{name} (load average {before:.1f})")
        # Beside the checkout, since a folder for temporary files may be kept in memory.
        with tempfile.TemporaryDirectory(dir=BENCH, prefix=f"{name}-") as folder:
            result = parts[name](Path(folder))
        _keep(name, result, before)


def _keep(name: str, result: Result, load: float) -> None:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[name] = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": {"before": round(load, 2), "after": round(os.getloadavg()[0], 2)},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "result": result,
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
