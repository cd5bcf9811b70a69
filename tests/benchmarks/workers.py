"""A mailing by one worker and by two, from a PostgreSQL server on the same machine.

The server has every commit on the disk (`fsync`). Each worker has a sink of its own, so that none
waits for that. What is measured begins when all workers are there and the mailing's rows are
written, and ends with the last outcome: start-up is left out. Rates are those of the ledger.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.archive import SETTINGS
from tests.benchmarks.measure import PUBLISHER, Row, Tables, run
from tests.benchmarks.sending import import_readers, sinking, write_issue, write_readers
from tests.benchmarks.server import Done, Server, cpu_of, serving
from tests.benchmarks.sizes import Sizes

CONNECTIONS = 16
# What the model is fitted to, and what it is checked against: tests/benchmarks/model.py.
FITTED, CHECKED = (4, 16), (8,)
# As many as 10,000,000 readers have.
_BATCHES = 20_000
_PATIENCE = 600.0
_LOOK = 0.1
_ACCEPTED = """
    SELECT count(*), count(DISTINCT delivery), min(at), max(at) FROM ledger
    JOIN mailing ON mailing.id = mailing WHERE event = 'accepted' AND slug = '{name}'
"""
_FINISHED = "SELECT 1 FROM mailing WHERE slug = '{name}' AND status = 'finished'"


class Mailing(NamedTuple):
    """What one mailing took: messages a second, seconds from its rows to its end, CPU of workers
    and of sinks, and the server's part of both the rows and the sending."""

    messages: int
    rate: float
    enqueued: float
    wall: float
    cpu: float
    sinks: float
    rows: Done
    sent: Done


def measure_workers(folder: Path, sizes: Sizes) -> Tables:
    """One and two workers in turn; then one with other numbers of connections."""
    bench = folder / "publication"
    bench.mkdir()
    with serving(folder / "server") as server:
        write_readers(bench, sizes.batched)
        _configure(bench, server.url, CONNECTIONS)
        import_readers(bench)
        found: dict[str, dict[str, list[Mailing]]] = {"sending": {}, "connections": {}}
        for place in range(sizes.rounds):
            runs = [("sending", 1, CONNECTIONS), ("sending", 2, CONNECTIONS)]
            runs += [("connections", 1, each) for each in (*FITTED, *CHECKED)]
            for table, workers, connections in runs[:: -1 if place % 2 else 1]:
                name = of_workers(workers) if table == "sending" else of_connections(connections)
                mailing = _send(bench, server, sizes.batched, workers, connections)
                found[table].setdefault(name, []).append(mailing)
        trips = _count_trips(bench, server, sizes.batched)
        batches = _sweep(bench)
    tables: Tables = {
        "sending": _as_table(found["sending"]),
        "connections": _as_table(found["connections"]),
    }
    mailings = [each for rows in found.values() for row in rows.values() for each in row]
    tables["enqueueing"] = {f"{sizes.batched:,} readers": _as_rows(mailings)}
    tables["trips"] = {"1 worker": trips}
    tables["batches"] = {f"{_BATCHES:,} batches": batches}
    return tables


def of_workers(number: int) -> str:
    """The row of so many workers."""
    return f"{number} worker" + "s" * (number > 1)


def of_connections(number: int) -> str:
    """The row of a worker with so many connections."""
    return f"{number} connections"


def _as_table(rows: dict[str, list[Mailing]]) -> dict[str, Row]:
    """In the order of their numbers, in whatever order they were measured."""
    return {name: _as_row(rows[name]) for name in sorted(rows, key=lambda name: (len(name), name))}


def _as_row(mailings: list[Mailing]) -> Row:
    """What was sent, counted by the message."""
    return {
        "rate": [round(each.rate) for each in mailings],
        "each": [_micro(each.cpu, each.messages) for each in mailings],
        "database": [_micro(each.sent.cpu, each.messages) for each in mailings],
        "sink": [_micro(each.sinks, each.messages) for each in mailings],
        "step": [round(each.messages / each.sent.commits, 2) for each in mailings],
        "log": [round(each.sent.log / each.messages) for each in mailings],
        "wall": [round(each.wall, 2) for each in mailings],
    }


def _as_rows(mailings: list[Mailing]) -> Row:
    """What the rows of mailings took, by the reader."""
    return {
        "reader": [_micro(each.enqueued, each.messages) for each in mailings],
        "database": [_micro(each.rows.cpu, each.messages) for each in mailings],
        "log": [round(each.rows.log / each.messages) for each in mailings],
    }


def _micro(seconds: float, count: int) -> float:
    return round(seconds / count * 1e6, 1)


def _configure(folder: Path, url: str, connections: int) -> None:
    relay = '[smtp]\nhost = "127.0.0.1"\nsecurity = "none"\n'
    rest = f'[database]\nurl = "{url}"\n\n[delivery]\nconnections = {connections}\n'
    (folder / "publisher.toml").write_text(f"{SETTINGS}\n{relay}\n{rest}")


def _prepare(folder: Path, server: Server, connections: int) -> str:
    """A new issue, built, in front of a server that has nothing left to write."""
    _configure(folder, server.url, connections)
    name = f"n{sum(1 for _ in folder.glob('issues/n*.md')) + 1}"
    write_issue(folder, name)
    run([PUBLISHER, "build"], folder)
    server.run("VACUUM ANALYZE", "CHECKPOINT")
    return name


def _send(folder: Path, server: Server, count: int, workers: int, connections: int) -> Mailing:
    name = _prepare(folder, server, connections)
    with ExitStack() as stack:
        pids = [stack.enter_context(_working(folder, server, place)) for place in range(workers)]
        with _stopped(pids):
            before = server.done()
            run([sys.executable, "-m", "tests.benchmarks.enqueue", str(folder), name], folder)
            begun, written = time.monotonic(), server.done()
            cpu, sinks = cpu_of(pids), _cpu_of_sinks(pids)
        _wait(server, _FINISHED.format(name=name))
        wall, sent = time.monotonic() - begun, server.done()
        cpu, sinks = cpu_of(pids) - cpu, _cpu_of_sinks(pids) - sinks
    enqueued = json.loads((folder / "enqueue.json").read_text())["seconds"]
    rate = _read_rate(server, name, count)
    parts = written.since(before), sent.since(written)
    return Mailing(count, rate, enqueued, wall, cpu, sinks, *parts)


def _cpu_of_sinks(workers: list[int]) -> float:
    """What else was started here and runs."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return cpu_of(set(map(int, children)) - set(workers))


@contextmanager
def _working(folder: Path, server: Server, place: int, program: str = "") -> Iterator[int]:
    """A worker with a sink of its own, once others know of it; gives its process."""
    words = [sys.executable, "-m", program] if program else [PUBLISHER]
    with sinking() as port, (folder / f"worker{place}.log").open("wb") as log:
        process = subprocess.Popen(
            [*words, "worker"],
            cwd=folder,
            env={**os.environ, "PUBLISHER_SMTP__PORT": str(port)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(server, f"SELECT 1 FROM worker WHERE name LIKE '%:{process.pid}'")
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@contextmanager
def _stopped(processes: list[int]) -> Iterator[None]:
    """Let processes do nothing, and then go on at the same moment."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def _wait(server: Server, statement: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not server.run(statement):
        if time.monotonic() > deadline:
            raise SystemExit(f"in vain: {statement}")
        time.sleep(_LOOK)


def _count_trips(folder: Path, server: Server, count: int) -> Row:
    """How often the delivery loop of one worker waits for the server, for each transaction."""
    name = _prepare(folder, server, CONNECTIONS)
    result = folder / "trips.json"
    with _working(folder, server, 0, "tests.benchmarks.trips"):
        run([sys.executable, "-m", "tests.benchmarks.enqueue", str(folder), name], folder)
        _wait(server, _FINISHED.format(name=name))
    _read_rate(server, name, count)
    found = json.loads(result.read_text())
    return {"trips": [round(found["trips"] / found["transactions"], 1)]}


def _sweep(folder: Path) -> Row:
    """What a batch costs when its job is made, and whenever it is looked at: microseconds."""
    run([sys.executable, "-m", "tests.benchmarks.sweeping", str(folder), str(_BATCHES)], folder)
    first, *later = json.loads((folder / "sweeping.json").read_text())
    return {"job": [round(first * 1e6, 1)], "sweep": [round(each * 1e6, 1) for each in later]}


def _read_rate(server: Server, name: str, count: int) -> float:
    """Raises SystemExit where not all of them, and each once, were accepted."""
    ((lines, deliveries, first, last),) = server.run(_ACCEPTED.format(name=name))
    if not lines == deliveries == count:
        raise SystemExit(f"{lines} messages were accepted of {deliveries} deliveries, not {count}")
    return count / (int(str(last)) - int(str(first))) * 1_000
