"""The parent of `run`: what it does with children that die, cannot go on, or do not leave."""

import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from publisher.runtime import supervisor
from publisher.runtime.supervisor import Role, supervise
from tests.runtime.running import wait_until


class Parent:
    """Supervises scripts in a thread; each notes in a file when it begins."""

    def __init__(self, folder: Path, script: str) -> None:
        self.begun = folder / "begun"
        begin = f"open({str(self.begun)!r}, 'a').write('x'); import signal, sys, time; "
        self.role = Role("child", (sys.executable, "-c", begin + script))
        self.stop = Event()
        self.said: list[str] = []
        self.status: int | None = None
        self.thread = Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        self.status = supervise([self.role], self.stop, self.said.append)

    def count(self) -> int:
        return len(self.begun.read_text()) if self.begun.exists() else 0

    def end(self) -> int | None:
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self.status


def test_who_dies_is_started_again_after_a_growing_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_FIRST_WAIT", 0.1)
    parent = Parent(tmp_path, "sys.exit(1)")
    wait_until(lambda: parent.count() >= 3, "it is started again")
    assert parent.end() == 0
    assert parent.said[:2] == [
        "child ended with 1; it is started again in 0.1 s",
        "child ended with 1; it is started again in 0.2 s",
    ]


def test_who_cannot_go_on_ends_all(tmp_path: Path) -> None:
    parent = Parent(tmp_path, "sys.exit(2)")
    parent.thread.join(20)
    assert parent.status == 2
    assert parent.count() == 1


def test_what_was_right_before_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, or settings that somebody is editing: the others go on meanwhile."""
    monkeypatch.setattr(supervisor, "_LONG_ENOUGH", 0.3)
    monkeypatch.setattr(supervisor, "_FIRST_WAIT", 0.1)
    parent = Parent(tmp_path, "time.sleep(0.6); sys.exit(2)")
    wait_until(lambda: parent.count() >= 2, "it is started again")
    assert parent.end() == 0


def test_who_does_not_leave_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_GRACE_SECONDS", 0.5)
    parent = Parent(
        tmp_path,
        f"signal.signal(15, signal.SIG_IGN); open({str(tmp_path / 'deaf')!r}, 'w'); time.sleep(60)",
    )
    wait_until((tmp_path / "deaf").exists, "it does not listen")
    began = time.monotonic()
    assert parent.end() == 0
    assert time.monotonic() - began < 5


def test_there_are_30_s_to_leave_in() -> None:
    assert supervisor._GRACE_SECONDS + supervisor._LOOK_SECONDS < 30
