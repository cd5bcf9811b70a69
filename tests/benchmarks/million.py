"""A mailing to very many readers on SQLite, from the file of their addresses to the last outcome.

It is done with few readers too: where memory is flat, that takes as much.
"""

import json
import sys
import time
from pathlib import Path

from tests.benchmarks.measure import (
    PUBLISHER,
    Row,
    Tables,
    Usage,
    as_course,
    as_row,
    megabytes,
    run,
)
from tests.benchmarks.sending import (
    configure,
    import_readers,
    read_ledger,
    sinking,
    write_issue,
    write_readers,
)
from tests.benchmarks.sizes import Sizes

_FEW = 10_000
_NAME = "2025-12-15"


def measure_million(folder: Path, sizes: Sizes) -> Tables:
    """Import, enqueue, send and finish: the time and the memory of each."""
    tables: Tables = {}
    for count in (_FEW, sizes.readers):
        steps, courses = _measure(folder / str(count), count)
        tables["few" if count == _FEW else "many"] = steps
        tables["memory"] = courses
        size = sum(path.stat().st_size for path in (folder / str(count)).glob("publisher.db*"))
        database = tables.setdefault("database", {})
        database[f"{count:,} readers"] = {"megabytes": [megabytes(size)]}
    return tables


def _measure(folder: Path, count: int) -> tuple[dict[str, Row], dict[str, Row]]:
    folder.mkdir()
    write_readers(folder, count)
    configure(folder, 1)
    write_issue(folder, _NAME)
    run([PUBLISHER, "build"], folder)
    imported = import_readers(folder, is_sampled=True)
    command = [sys.executable, "-m", "tests.benchmarks.enqueue", str(folder), _NAME]
    enqueued = run(command, folder, is_sampled=True)
    seconds = json.loads((folder / "enqueue.json").read_text())["seconds"]
    with sinking() as port:
        configure(folder, port)
        begun = time.time()
        sent = run([PUBLISHER, "send", _NAME, "--yes"], folder, is_sampled=True)
        ended = time.time()
    ledger = read_ledger(folder, _NAME, count)
    steps = {
        "import": as_row([imported]) | {"rate": [round(count / imported.wall)]},
        "enqueue": as_row([enqueued]) | {"rate": [round(count / seconds)]},
        "send": as_row([sent]) | {"rate": [round(ledger.rate)]},
        "of that, before the first outcome": {"wall": [round(ledger.first - begun, 1)]},
        "of that, after the last outcome": {"wall": [round(ended - ledger.last, 1)]},
    }
    return steps, _courses({"import": imported, "enqueue": enqueued, "send": sent})


def _courses(usages: dict[str, Usage]) -> dict[str, Row]:
    return {name: as_course(usage) for name, usage in usages.items()}
