"""The parent of all processes: it starts them, starts again what dies, and ends them together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread

import msgspec

from publisher.runtime.log import Line, LogFormat

# A child that dies is started again after this, doubled each time up to the longest, in seconds.
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
# One that lived this long did not die of how it was started.
_LONG_ENOUGH = 60.0
_LOOK_SECONDS = 0.2
# What is in flight may take 25 s to end.
_GRACE_SECONDS = 29.0
# Wrong settings or state, such as a port that is taken: starting again would not help, unless it
# was right before.
_HOPELESS = 2


class Role(msgspec.Struct, frozen=True):
    """One child: its name, and the command that is its process.

    Without one that is vital, and cannot go on from the start, none goes on.
    """

    name: str
    command: tuple[str, ...]
    is_vital: bool = True


class _Child:
    def __init__(self, role: Role) -> None:
        self.role = role
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_at = 0.0
        self.wait = _FIRST_WAIT / 2  # which the first death doubles
        self.has_lived = False

    def start(self, lifeline: int, now: float) -> None:
        # Its standard input ends when this process does, however that happens.
        self.process = subprocess.Popen(self.role.command, stdin=lifeline)  # noqa: S603 - our own
        self.started_at = now

    def note_death(self, now: float, status: int) -> bool:
        """Plan the next start; tell whether it is of no use, unless somebody mends something."""
        self.process = None
        is_sudden = now - self.started_at <= _LONG_ENOUGH
        self.has_lived = self.has_lived or not is_sudden
        self.wait = min(self.wait * 2, _LONGEST_WAIT) if is_sudden else _FIRST_WAIT
        is_hopeless = status == _HOPELESS and not self.has_lived
        if is_hopeless:
            self.wait = _LONGEST_WAIT
        self.start_at = now + self.wait
        return is_hopeless


def supervise(roles: Sequence[Role], stop: Event, say: Callable[[str], None]) -> int:
    """Run the children until `stop` is set, or one ends that cannot go on; gives an exit status.

    Roles may be added to the list meanwhile.
    """
    read_end, write_end = os.pipe()
    children: list[_Child] = []
    try:
        return _watch(roles, children, read_end, stop, say)
    finally:
        _end(children)
        os.close(read_end)
        os.close(write_end)


def _watch(
    roles: Sequence[Role],
    children: list[_Child],
    lifeline: int,
    stop: Event,
    say: Callable[[str], None],
) -> int:
    while not stop.is_set():
        children += [_Child(role) for role in roles[len(children) :]]
        now = time.monotonic()
        for child in children:
            if child.process is None and now >= child.start_at:
                child.start(lifeline, now)
            status = child.process.poll() if child.process else None
            if status is None:
                continue
            if child.note_death(now, status) and child.role.is_vital:
                return _HOPELESS
            text = f"{child.role.name} ended with {status}; it is started again in {child.wait:g} s"
            say(Line(text, "process-ended", "warning"))
        stop.wait(_LOOK_SECONDS)
    return 0


def _end(children: Sequence[_Child]) -> None:
    """Ask all to end, and wait for them; who does not is killed."""
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def child_command(
    role: str, config: Path, form: LogFormat = "text", publication: str = ""
) -> tuple[str, ...]:
    """The command of a child of this program; `publication` is its name among several."""
    whose = (publication,) if publication else ()
    return (sys.executable, "-m", "publisher.cli.child", role, str(config), form, *whose)


def stop_with_parent(stop: Event) -> None:
    """In a child: set `stop` when the parent is gone, however it ended."""

    def wait_for_end() -> None:
        while os.read(0, 1):
            pass
        stop.set()

    Thread(target=wait_for_end, name="lifeline", daemon=True).start()
