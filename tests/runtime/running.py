"""`publisher run` as a process, with its children, until the test ends."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.delivery.post import Post
from tests.web.public.site import Client

# A machine that is busy with other tests starts three processes within this.
PATIENCE = 60.0
# So long all of them may take to leave.
LEAVE = 30.0


def wait_until(is_so: Callable[[], object], what: str, seconds: float = PATIENCE) -> float:
    """Wait; give how many seconds it took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


class Running:
    """The parent, and its children by their roles."""

    def __init__(self, post: Post, port: int, *words: str) -> None:
        self.post = post
        self.web = Client(port)
        self.log = post.folder.parent / "run.log"
        with self.log.open("wb") as log:
            self.parent = subprocess.Popen(
                post.process.command("run", *words),
                cwd=post.folder,
                env=post.process.environment({}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8")

    def children(self) -> dict[str, int]:
        listed = Path(f"/proc/{self.parent.pid}/task/{self.parent.pid}/children")
        try:
            pids = [int(pid) for pid in listed.read_text().split()]
            words = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in pids}
        except OSError:  # one of them has just ended
            return {}
        return {each[3].decode(): pid for pid, each in words.items() if len(each) > 4}

    def wait_for(self, *roles: str) -> dict[str, int]:
        wait_until(lambda: self.children().keys() == set(roles), f"{roles} run:\n{self.said}")
        return self.children()

    def wait_for_web(self) -> None:
        def answers() -> bool:
            assert self.parent.poll() is None, self.said
            try:
                return self.web.get("/healthz").status == 200
            except OSError:
                return False

        wait_until(answers, "the site answers")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.parent.send_signal(number)
        return self.parent.wait(LEAVE)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def running(post: Post, port: int, *words: str) -> Iterator[Running]:
    if not Path("/proc/self/task").is_dir():
        pytest.skip("children are found in /proc, which only Linux has")
    run = Running(post, port, *words)
    try:
        yield run
    finally:
        if run.parent.poll() is None:
            os.killpg(run.parent.pid, signal.SIGKILL)
            run.parent.wait()
