"""Kills, read errors and full disks at the n-th write of a send, by strace's fault injection."""

import shutil
import subprocess
from collections import Counter

import pytest

from tests.delivery.post import NAME, Post

CONNECTIONS = 3
READERS = 25
# Of a send of so many readers: all pages written, and what one connection sends.
WRITES, SENDS = 300, 24

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed: apt-get install strace"
)


def _inject(post: Post, fault: str) -> int:
    strace = ["strace", "-f", "-qq", "-o", "/dev/null"]
    strace += ["-e", "trace=pwrite64,fdatasync,sendto", "-e", f"inject={fault}"]
    done = subprocess.run(
        [*strace, *post.process.command("send", NAME, "--yes", "--json")],
        cwd=post.folder,
        env=post.process.environment({}),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=180,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode


def _prepare(post: Post, policy: str) -> list[str]:
    post.configure(connections=CONNECTIONS, on_in_doubt=policy)
    readers = post.subscribe(READERS)
    assert post.cli("build").status == 0
    return readers


def _check(post: Post, readers: list[str], policy: str) -> None:
    """After the fault: one more send, or two where a mailing has to be resumed."""
    post.send()
    if post.status()["status"] == "paused":
        post.cli("resume", NAME)
        post.send()
    counts, arrived = post.counts(), post.arrived()
    assert sum(counts.values()) == READERS
    assert counts.keys() <= {"sent", "in_doubt"}, counts
    assert counts.get("in_doubt", 0) <= CONNECTIONS
    held = post.deliveries("--status", "in_doubt")
    assert set(readers) - held.keys() <= arrived.keys()
    twice = Counter({reader: n - 1 for reader, n in arrived.items() if n > 1})
    assert sum(twice.values()) <= (0 if policy == "hold" else CONNECTIONS)


FAULTS = [
    "pwrite64:signal=KILL",
    "pwrite64:error=EIO",
    "pwrite64:error=ENOSPC",
    "fdatasync:error=EIO",
    "sendto:signal=KILL",
    "sendto:error=ECONNRESET",
]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("fault", "when"),
    [(FAULTS[0], 250), (FAULTS[2], 270), (FAULTS[3], 20), (FAULTS[4], 9)],
)
def test_a_fault_at_some_writes(post: Post, fault: str, when: int) -> None:
    readers = _prepare(post, "hold")
    _inject(post, f"{fault}:when={when}")
    _check(post, readers, "hold")


@pytest.mark.sqlite
@pytest.mark.long
@pytest.mark.parametrize("policy", ["hold", "resend"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_every_few_writes(post: Post, fault: str, policy: str) -> None:
    last = SENDS if fault.startswith("sendto") else WRITES
    database, mailings = post.folder / "publisher.db", 0
    for when in range(3, last, last // 12):
        for path in post.folder.glob(f"{database.name}*"):
            path.unlink()
        post.server.messages.clear()
        readers = _prepare(post, policy)
        _inject(post, f"{fault}:when={when}")
        _check(post, readers, policy)
        mailings += 1
    assert mailings > 5


@pytest.mark.sqlite
@pytest.mark.long
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_disk_that_fails_for_a_while_loses_nothing(post: Post, error: str) -> None:
    readers = _prepare(post, "hold")
    _inject(post, f"pwrite64:error={error}:when=230..260")
    _check(post, readers, "hold")
