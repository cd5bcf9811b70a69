"""A PostgreSQL server of its own for measurements, with what it has done until now."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from tests.postgresql import Cluster

_TICKS = os.sysconf("SC_CLK_TCK")
# As somebody would set it up who has some memory: what is committed is on the disk.
_SETTINGS = {"fsync": "on", "shared_buffers": "256MB", "max_wal_size": "4GB"}
_DONE = """
    SELECT (SELECT sum(xact_commit) FROM pg_stat_database), (SELECT wal_bytes FROM pg_stat_wal)
"""


class Done(NamedTuple):
    """Seconds of CPU of all of the server's processes, commits, and bytes of its log."""

    cpu: float
    commits: int
    log: int

    def since(self, other: "Done") -> "Done":
        return Done(self.cpu - other.cpu, self.commits - other.commits, self.log - other.log)


class Server:
    """A server that was started; Linux alone tells its CPU."""

    def __init__(self, cluster: Cluster, connection: Connection[Any]) -> None:
        self.url = cluster.url
        # One for all that is asked, since each new one costs it as much as many messages.
        self._connection = connection
        self._pid = int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        """The rows of the last one of some statements, which need not have any."""
        for statement in statements:
            cursor = self._connection.execute(statement)
        return cursor.fetchall() if cursor.description else []

    def done(self) -> Done:
        """What it has done; those who have just left are in it a little later."""
        ((commits, log),) = self.run("SELECT pg_stat_force_next_flush()", _DONE)
        return Done(cpu_of_server(self._pid), int(str(commits)), int(str(log)))


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server whose data are in a folder that its account may go through."""
    folder.parent.chmod(0o755)
    cluster = Cluster(folder, **_SETTINGS)
    cluster.make()
    cluster.start()
    try:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            yield Server(cluster, connection)
    finally:
        cluster.stop("fast")


def cpu_of(processes: Iterable[int]) -> float:
    """Seconds of CPU, of the user and of the system together, of processes; 0 of who has ended."""
    return sum(sum(_read_times(process)[:2]) for process in processes)


def cpu_of_server(process: int) -> float:
    """The same of a process and of all that it has started, also of those that have ended."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return sum(_read_times(process)) + cpu_of(map(int, children))


def _read_times(process: int) -> list[float]:
    """Seconds: the user's, the system's, and those of its children that have ended."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    # The second field is the name in brackets, which may hold anything.
    return [int(field) / _TICKS for field in stat.rpartition(")")[2].split()[11:15]]
