"""The build after one new issue must not grow with the archive; nor memory, beyond all bounds."""

from pathlib import Path

from tests.benchmarks.archive import write_archive, write_issue
from tests.benchmarks.measure import PUBLISHER, Row, Tables, Usage, as_row, run
from tests.benchmarks.sizes import Sizes

_ROUNDS = 7


def measure_growth(folder: Path, sizes: Sizes) -> Tables:
    """For each size the full build with its memory; then one new issue after another, in turn."""
    archives = sorted(sizes.archives)
    full = {_name(size): as_row([_build_all(folder / str(size), size)]) for size in archives}
    usages: dict[int, list[Usage]] = {size: [] for size in archives}
    for place in range(_ROUNDS):
        for size in archives if place % 2 else reversed(archives):
            write_issue(folder / str(size), size + 1 + place)
            usages[size].append(run([PUBLISHER, "build"], folder / str(size)))
    one_more: dict[str, Row] = {_name(size): as_row(used) for size, used in usages.items()}
    return {"one more": one_more, "full": full}


def _build_all(folder: Path, size: int) -> Usage:
    write_archive(folder, size)
    return run([PUBLISHER, "build"], folder, is_sampled=True)


def _name(size: int) -> str:
    return f"{size:,} issues"
