"""Run a program and tell what it took: time, CPU and memory, as the operating system counts them.

The measuring process stays small and imports nothing of ours: a child's peak memory is counted
from the moment at which it is still a copy of its parent.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

PUBLISHER = str(Path(sys.executable).parent / "publisher")
# macOS counts bytes, other systems count kilobytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
# As it is where publisher is installed: modules are compiled once, and not for each process.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
# Often enough to see a peak that lasts; a sample of three processes takes some milliseconds.
_SAMPLE_SECONDS = 0.2
# So many points of a course over time are kept.
_POINTS = 60

# What a part measures: table -> row -> quantity -> its values, one for each time it was measured.
# How quantities are called and counted stands in report/quantities.py.
Row = dict[str, list[float]]
Tables = dict[str, dict[str, Row]]


class Usage(NamedTuple):
    """What one run took: seconds of time and of CPU (all its processes), and memory in bytes.

    `largest` is the peak of its largest process; `together` the peak of all of them, what they
    share counted once, or 0 where it was not sampled. `course` are seconds since the start and the
    memory of all of them then.
    """

    wall: float
    cpu: float
    largest: int
    together: int
    course: Sequence[tuple[float, int]] = ()


def run(command: Sequence[str], folder: Path, is_sampled: bool = False) -> Usage:
    """Run a command to its end in a folder. Raises SystemExit, with its output, where it fails."""
    log = folder / ".output"
    with log.open("wb") as output:
        begin = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=_ENVIRONMENT,
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
    return Usage(wall, cpu, usage.ru_maxrss * _RSS_UNIT, sampler.peak, sampler.course)


class _Sampler:
    """Adds up, now and then, the proportional memory of a session's processes (Linux alone)."""

    def __init__(self, session: int, is_wanted: bool) -> None:
        self.session = session
        self.course: list[tuple[float, int]] = []
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

    @property
    def peak(self) -> int:
        return max((memory for _, memory in self.course), default=0)

    def _watch(self) -> None:
        begin = time.perf_counter()
        while not self._is_over.wait(_SAMPLE_SECONDS):
            memory = sum(map(_memory, self._processes()))
            self.course.append((time.perf_counter() - begin, memory))

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


def repeat(times: int, action: Callable[[int], Usage]) -> Row:
    """Do `action(0)` and so on; give what each took."""
    return as_row([action(place) for place in range(times)])


def as_row(usages: Sequence[Usage]) -> Row:
    """What runs of one thing took, each quantity by itself: seconds and megabytes."""
    row = {
        "wall": [round(usage.wall, 3) for usage in usages],
        "cpu": [round(usage.cpu, 3) for usage in usages],
        "peak": [megabytes(usage.largest) for usage in usages],
    }
    together = [megabytes(usage.together) for usage in usages if usage.together]
    return row | ({"together": together} if together else {})


def as_course(usage: Usage) -> Row:
    """How much memory there was when, in so few points that they can be drawn; none is left out
    that was the most of its time."""
    step = max(1, len(usage.course) // _POINTS)
    pieces = [usage.course[start : start + step] for start in range(0, len(usage.course), step)]
    most = [max(piece, key=lambda point: point[1]) for piece in pieces]
    return {
        "at": [round(at, 1) for at, _ in most],
        "memory": [megabytes(memory) for _, memory in most],
    }


def megabytes(size: int) -> float:
    return round(size / 1e6, 1)


def in_words(row: Row) -> str:
    """A row as it is printed: `wall 0.412 (0.405 to 0.431), cpu 0.39`."""
    return ", ".join(
        f"{name} {sorted(values)[len(values) // 2]:,.6g}"
        + (f" ({min(values):,.6g} to {max(values):,.6g})" if len(values) > 1 else "")
        for name, values in row.items()
    )


def say_tables(tables: Tables) -> None:
    for table, rows in tables.items():
        for name, row in rows.items():
            if "at" not in row:
                say(f"{table} | {name} | {in_words(row)}")


def say(*words: object) -> None:
    print(*words, flush=True)
