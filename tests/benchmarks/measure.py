"""Run a program and tell what it took: time, CPU and memory, as the operating system counts them.

The measuring process stays small and imports nothing of ours: a child's peak memory is counted
from the moment at which it is still a copy of its parent.
"""

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

PUBLISHER = str(Path(sys.executable).parent / "publisher")
# macOS counts bytes, other systems count kilobytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
# Often enough to see a peak that lasts; a sample of three processes takes some milliseconds.
_SAMPLE_SECONDS = 0.2

Result = dict[str, Any]


class Usage(NamedTuple):
    """What one run took: seconds of time and of CPU (all its processes), and memory in bytes.

    `largest` is the peak of its largest process; `together` the peak of all of them, what they
    share counted once, or 0 where it was not sampled.
    """

    wall: float
    cpu: float
    largest: int
    together: int


def run(command: Sequence[str], folder: Path, is_sampled: bool = False) -> Usage:
    """Run a command to its end in a folder. Raises SystemExit, with its output, where it fails."""
    log = folder / ".output"
    with log.open("wb") as output:
        begin = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with _Sampler(child.pid, is_sampled) as sampler:
            _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        said = log.read_text(errors="replace")
        raise SystemExit(f"{' '.join(command)} failed in {folder}:\n{said[-4000:]}")
    log.unlink()
    cpu = usage.ru_utime + usage.ru_stime
    return Usage(wall, cpu, usage.ru_maxrss * _RSS_UNIT, sampler.peak)


class _Sampler:
    """Adds up, now and then, the proportional memory of a session's processes (Linux alone)."""

    def __init__(self, session: int, is_wanted: bool) -> None:
        self.session = session
        self.peak = 0
        self._is_over = Event()
        self._thread = Thread(target=self._watch)
        self._is_wanted = is_wanted and Path("/proc/self/smaps_rollup").exists()

    def __enter__(self) -> "_Sampler":
        if self._is_wanted:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        if self._is_wanted:
            self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(_SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(map(_memory, self._processes())))

    def _processes(self) -> list[Path]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            # The sixth field; the second is the name in brackets, which may hold anything.
            if int(stat.rpartition(")")[2].split()[3]) == self.session:
                found.append(folder)
        return found


def _memory(process: Path) -> int:
    try:
        match = re.search(r"^Pss: +(\d+) kB", (process / "smaps_rollup").read_text(), re.MULTILINE)
    except OSError:  # it has ended
        return 0
    return int(match[1]) * 1024 if match else 0


def repeat(times: int, action: Callable[[int], Usage]) -> Result:
    """Do `action(0)` and so on; give medians and spreads."""
    usages = [action(place) for place in range(times)]
    return {
        "runs": times,
        "wall": spread([usage.wall for usage in usages]),
        "cpu": spread([usage.cpu for usage in usages]),
        "largest_process": max(usage.largest for usage in usages),
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and most, rounded to milliseconds."""
    numbers = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    return {name: round(value, 3) for name, value in numbers.items()}


def once(usage: Usage) -> Result:
    result = {"wall": round(usage.wall, 3), "cpu": round(usage.cpu, 3)}
    memory = {"largest_process": usage.largest, "all_processes": usage.together}
    return result | {name: size for name, size in memory.items() if size}


def seconds(result: Result) -> str:
    """A result in words: `0.412 s (0.405 to 0.431 in 20 runs), 0.39 s of CPU`."""
    wall, cpu = result["wall"], result["cpu"]
    if isinstance(wall, float):
        return f"{wall:.2f} s, {cpu:.2f} s of CPU"
    return (
        f"{wall['median']:.3f} s ({wall['least']:.3f} to {wall['most']:.3f} in {result['runs']}"
        f" runs), {cpu['median']:.3f} s of CPU"
    )


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def say(*words: object) -> None:
    print(*words, flush=True)
