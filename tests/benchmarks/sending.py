"""What measuring a mailing takes: a publication with readers, a sink, and what the ledger says."""

import random
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.archive import SETTINGS, paragraph
from tests.benchmarks.measure import PUBLISHER, Usage, run

CONNECTIONS = 16
KEY = "dkim.pem"
# Seconds until a server listens, on a machine that others keep busy too.
_PATIENCE = 60
# Readers are of so many domains.
_DOMAINS = 500


def find_postfix(program: str) -> str:
    """`smtp-sink` or `smtp-source`. Raises SystemExit where it is not here."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if found is None:
        raise SystemExit(f"Postfix's {program} is needed (Debian: apt-get install postfix)")
    return found


@contextmanager
def sinking() -> Iterator[int]:
    """A sink of its own on a free port of loopback."""
    port = free_port()
    command = [find_postfix("smtp-sink"), "-u", "nobody", f"127.0.0.1:{port}", "1000"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_until_it_listens(port)
        yield port
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"nobody listens on port {port}")


def write_readers(folder: Path, count: int) -> None:
    with (folder / "readers.csv").open("w") as file:
        file.write("email,name\n")
        for number in range(count):
            file.write(f"reader{number}@d{number % _DOMAINS}.example,Reader {number}\n")


def write_key(folder: Path) -> None:
    """Messages of this publication are signed from now on."""
    command = ["openssl", "genrsa", "-out", str(folder / KEY), "2048"]
    subprocess.run(command, check=True, capture_output=True)


def configure(folder: Path, port: int) -> None:
    dkim = (
        f'[dkim]\ndomain = "bench.example"\nselector = "s"\nprivate_key = "{KEY}"\n'
        if (folder / KEY).exists()
        else ""
    )
    relay = f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
    delivery = f"[delivery]\nconnections = {CONNECTIONS}\n"
    (folder / "publisher.toml").write_text(f"{SETTINGS}\n{relay}\n{delivery}\n{dkim}")


def import_readers(folder: Path, *, is_sampled: bool = False) -> Usage:
    return run([PUBLISHER, "subscribers", "import", "readers.csv"], folder, is_sampled)


def write_issue(folder: Path, name: str) -> None:
    """An issue whose messages are of some 30 KB."""
    rng = random.Random(name)
    parts = [
        f"---\nid: i{name}\ntitle: No. {name}\nstatus: ready\ndate: 2025-12-15T07:00:00Z\n---\n"
    ]
    for place in range(5):
        parts.append(
            f"## [Highlight {place}](https://source.example/{place}) {{#h{name}-{place}}}\n"
        )
        parts += [paragraph(rng, 360) + "\n" for _ in range(3)]
    (folder / "issues").mkdir(exist_ok=True)
    (folder / "issues" / f"{name}.md").write_text("\n".join(parts))


class Sent(NamedTuple):
    """What the ledger says of a mailing: how many were accepted, and when, in seconds of Unix."""

    messages: int
    first: float
    last: float

    @property
    def rate(self) -> float:
        """Messages a second between the first and the last outcome: start-up is left out."""
        return self.messages / (self.last - self.first)


def read_ledger(folder: Path, name: str, count: int) -> Sent:
    """Raises SystemExit where not all of them, and each once, were accepted."""
    database = sqlite3.connect(folder / "publisher.db")
    sql = """SELECT count(*), count(DISTINCT delivery), min(at), max(at) FROM ledger
        JOIN mailing ON mailing.id = mailing WHERE event = 'accepted' AND slug = ?"""
    lines, deliveries, first, last = database.execute(sql, (name,)).fetchone()
    database.close()
    if not lines == deliveries == count:
        raise SystemExit(f"{lines} messages were accepted of {deliveries} deliveries, not {count}")
    return Sent(lines, first / 1_000, last / 1_000)
