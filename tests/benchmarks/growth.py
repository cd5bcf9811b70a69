"""The build after one new issue must not grow with the archive; nor memory, beyond all bounds."""

from pathlib import Path

from tests.benchmarks.archive import write_archive, write_issue
from tests.benchmarks.measure import (
    PUBLISHER,
    Result,
    Usage,
    megabytes,
    once,
    repeat,
    run,
    say,
    seconds,
)

RUNS = 7


def measure_growth(folder: Path, sizes: list[int]) -> Result:
    """For each size: the full build with its memory, then builds after one new issue each."""
    results = {str(size): _measure(folder / str(size), size) for size in sizes}
    smallest = results[str(min(sizes))]["one_more"]
    for size in sorted(sizes)[1:]:
        one_more = results[str(size)]["one_more"]
        ratios = {
            what: round(one_more[what]["median"] / smallest[what]["median"], 2)
            for what in ("wall", "cpu")
        }
        results[str(size)]["ratio"] = ratios
        say(
            f"one more issue in {size:,} against {min(sizes):,}:"
            f" {ratios['wall']} times as long, {ratios['cpu']} times the CPU"
        )
    return results


def _measure(folder: Path, size: int) -> Result:
    write_archive(folder, size)
    full = once(run([PUBLISHER, "build"], folder, is_sampled=True))
    memory = ", ".join(
        f"{name.replace('_', ' ')} {megabytes(full[name])}"
        for name in ("largest_process", "all_processes")
        if name in full
    )
    say(f"full build of {size:,} issues: {seconds(full)}; peak memory: {memory}")

    def add_one(place: int) -> Usage:
        write_issue(folder, size + 1 + place)
        return run([PUBLISHER, "build"], folder)

    one_more = repeat(RUNS, add_one)
    say(f"one more issue in {size:,}: {seconds(one_more)}")
    return {"full": full, "one_more": one_more}
