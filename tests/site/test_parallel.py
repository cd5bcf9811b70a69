"""Work over several processes ends by itself, whatever its process does with signals."""

import subprocess
import sys

import pytest

# As in `run`, `send` and `serve`: a SIGTERM is noted, and what is in flight goes on.
_PROGRAM = """
import os, signal
os.cpu_count = lambda: 2
signal.signal(signal.SIGTERM, lambda number, frame: None)
from publisher.site.parallel import run_parallel

def make(number):
    if number == {broken}:
        raise ValueError("it is broken")
    return number * 2

print(list(run_parallel(make, range(48))) == [number * 2 for number in range(48)])
"""


def _run(broken: int) -> subprocess.CompletedProcess[str]:
    # A process of its own, which can be given up if it hangs.
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(broken=broken)],
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_helpers_end_where_signals_are_only_noted() -> None:
    assert _run(broken=-1).stdout == "True\n"


def test_helpers_end_after_an_error_where_signals_are_only_noted() -> None:
    ended = _run(broken=20)
    assert ended.returncode == 1
    assert "ValueError: it is broken" in ended.stderr


@pytest.mark.parametrize("count", [3, 48])
def test_results_come_in_order(count: int) -> None:
    from publisher.site.parallel import run_parallel

    assert list(run_parallel(str, range(count))) == [str(number) for number in range(count)]
