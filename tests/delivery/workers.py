"""Workers as they are on machines of their own: each a process with a folder and settings."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import insert
from sqlalchemy.engine import make_url

from publisher.model.delivery import Mailing
from publisher.runtime.issue_mailing import start_issue
from publisher.runtime.start import freeze_issue
from publisher.settings import load_settings
from publisher.site.message import render_published
from publisher.store import schema as s
from tests.delivery.post import NAME, Post

# In seconds, in place of ten: of a worker that is silent for so long others take the batches.
LEASE = 3.0
# `publisher worker`, with less patience for the others.
_PROGRAM = """
import sys
from publisher.runtime import jobs
lease = float(sys.argv[1])
jobs.LEASE, jobs.SILENT, jobs._HEARTBEAT = lease, lease * 0.8, lease * 0.1
from publisher.cli.run import run
sys.exit(run(["worker"]))
"""
PATIENCE = 60.0


def wait_for(is_so: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class Worker:
    """A process that delivers, from a folder of its own, over the post's relay or another port."""

    def __init__(self, post: Post, name: str, *, url: str = "", port: int = 0) -> None:
        self.folder = post.folder / "machines" / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log"
        text = post.cli.read("publisher.toml")
        if port:
            text = text.replace(f"port = {post.server.port}", f"port = {port}")
        (self.folder / "publisher.toml").write_text(text, "utf-8")
        changes = {"PUBLISHER_DATABASE__URL": url} if url else {}
        self.environment = post.process.environment(changes)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, lease: float = LEASE) -> "Worker":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(lease)],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def start_again(self) -> None:
        """Do what a service manager does, where it ended since it could not begin."""
        if self.process is not None and self.process.poll() is not None:
            self.start()

    def stop(self) -> int:
        """Let it end as it is used to."""
        assert self.process is not None
        self.process.terminate()
        self.process.communicate(timeout=40)
        return self.process.returncode


@contextmanager
def working(workers: Iterable[Worker]) -> Iterator[list[Worker]]:
    """These, until the end, where none of them may have said what nobody wants to read."""
    started = list(workers)
    try:
        yield started
    finally:
        for each in started:
            if each.process is not None and each.process.poll() is None:
                each.kill()
    for each in started:
        assert "Traceback" not in each.said, each.said


def add_readers(post: Post, count: int) -> list[str]:
    """Add so many readers at once, without a record of how each came to be one."""
    addresses = [f"reader{number}@d{number % 7}.example" for number in range(count)]
    now, database = datetime.now(UTC), post.open()
    rows = [
        {
            "publication": database.publication,
            "ref": f"r{number}",
            "email": address,
            "address_hash": address.encode(),
            "status": "confirmed",
            "created_at": now,
            "changed_at": now,
        }
        for number, address in enumerate(addresses)
    ]
    with database.write() as connection:
        connection.execute(insert(s.subscriber), rows)
    database.close()
    return addresses


def begin_mailing(post: Post) -> Mailing:
    """Start the issue's mailing, and send nothing."""
    assert post.cli("build").status == 0
    settings = load_settings(post.folder / "publisher.toml", os.environ)
    now = datetime.now(UTC)
    message = render_published(post.folder, settings, now, NAME)
    database = post.open()
    mailing = start_issue(database, settings, message, freeze_issue(message, settings), now)
    database.close()
    return mailing


def list_workers(post: Post) -> set[int]:
    """The processes that are shown to others, by their ids."""
    return {int(name.rpartition(":")[2]) for (name,) in post.rows("SELECT name FROM worker")}


def target_of(url: str) -> int | str:
    """What a cable leads to that goes to the server of a test's URL."""
    named = make_url(url)
    folder = named.query.get("host")
    return f"{folder}/.s.PGSQL.5432" if folder else named.port or 5432
