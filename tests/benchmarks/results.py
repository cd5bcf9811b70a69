"""What was measured, as it is kept: each part with all of its values, and what they depend on."""

import re
from pathlib import Path

import msgspec

from tests.benchmarks.machine import Machine
from tests.benchmarks.measure import Tables
from tests.benchmarks.sizes import Sizes

ROOT = Path(__file__).parents[2]
# What was measured here, and what docs/performance.md tells.
MEASURED = ROOT / ".bench" / "results.json"
TOLD = ROOT / "docs" / "performance.json"
_NUMBERS = re.compile(rb"\[\s+([-\d.,e+\s]+?)\s+\]")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part as it was measured once.

    `seconds` is how long that took, `load` the load average before and after, and `syncs` the
    milliseconds that each of some synchronous writes took just before.
    """

    measured: str
    seconds: int
    load: tuple[float, float]
    syncs: list[float]
    sizes: Sizes
    machine: Machine
    tables: Tables


Results = dict[str, Part]


def read_results(path: Path) -> Results:
    """Results that were kept; none where there are none, or an older program's."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except (FileNotFoundError, msgspec.ValidationError):
        return {}


def write_results(path: Path, results: Results) -> None:
    """Write them as text in which a change of one figure is a change of one line."""
    ordered = dict(sorted(results.items()))
    text = msgspec.json.format(msgspec.json.encode(ordered), indent=1)
    path.write_bytes(_join_numbers(text) + b"\n")


def _join_numbers(text: bytes) -> bytes:
    """Put lists of numbers on one line each."""
    return _NUMBERS.sub(lambda match: b"[" + b" ".join(match[1].split()) + b"]", text)


def merge(older: Results, newer: Results) -> Results:
    """Of each part what was measured last."""
    return older | {
        name: part
        for name, part in newer.items()
        if name not in older or older[name].measured <= part.measured
    }
