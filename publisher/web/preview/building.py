"""Builds on demand in a process of their own, and what came of the last one."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from publisher.web.preview.answers import LENGTH_BYTES, Built, Failed, Step, decode_answer

Progress = Callable[[str, int, int], None]

# Isolated from the current folder: a publication may hold a file named as one of our modules.
_WORKER = (sys.executable, "-P", "-m", "publisher.web.preview.worker")


class Shown(msgspec.Struct, frozen=True):
    """What pages show: the last build that went through, and why a later one did not.

    `version` differs for each, also from one run of the preview to the next.
    """

    version: str
    built: Built | None = None
    failure: str = ""


class Building:
    """Builds after each change, one at a time. `shown` is replaced as a whole, so any thread may
    read it.
    """

    def __init__(self, config: Path, output: Path, progress: Progress) -> None:
        self.config = config
        self.output = output
        self.progress = progress
        self.shown = Shown(f"{time.time_ns():x}-0")
        self.is_closed = False
        self._changed = asyncio.Event()
        self._next = asyncio.Event()
        self._worker: Process | None = None

    def note_change(self) -> None:
        """Ask for a build; changes during a build make one more."""
        self._changed.set()

    async def wait_beyond(self, version: str) -> None:
        """Wait until pages show another version than this one, or the preview closes."""
        while self.shown.version == version and not self.is_closed:
            await self._next.wait()

    def close(self) -> None:
        """Let go of everyone who waits."""
        self.is_closed = True
        self._wake()

    async def build_at_changes(self) -> None:
        """Build now and after each change, until cancelled."""
        self.note_change()
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                self._show(await self._ask())
        finally:
            await self._kill()

    def _show(self, answer: Built | Failed) -> None:
        old = self.shown
        if isinstance(answer, Failed):
            new = (old.built, answer.message)
        else:
            new = (answer, "")
        if old.built and _same(new[0], old.built) and new[1] == old.failure:
            return  # saved as it was, or a file beside the issues: nothing to look at
        run, _, number = old.version.partition("-")
        self.shown = Shown(f"{run}-{int(number) + 1}", *new)
        self._wake()

    def _wake(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def _ask(self) -> Built | Failed:
        worker = await self._start()
        assert worker.stdin and worker.stdout  # noqa: S101 - both are pipes
        with suppress(ConnectionError):  # it has just died: reading says so
            worker.stdin.write(b"build\n")
            await worker.stdin.drain()
        try:
            while True:
                length = int.from_bytes(await worker.stdout.readexactly(LENGTH_BYTES), "big")
                answer = decode_answer(await worker.stdout.readexactly(length))
                if not isinstance(answer, Step):
                    return answer
                self.progress(answer.what, answer.done, answer.total)
        except asyncio.IncompleteReadError:
            status = await worker.wait()
            self._worker = None
            return Failed(f"the build ended with status {status}; it is tried again when you save")

    async def _start(self) -> Process:
        if self._worker is None:
            # In a group of its own: Ctrl-C is for the server, which then ends the whole group,
            # with the processes that a large build has started.
            self._worker = await asyncio.create_subprocess_exec(
                *_WORKER, str(self.config), str(self.output), stdin=PIPE, stdout=PIPE,
                process_group=0,
            )
        return self._worker

    async def _kill(self) -> None:
        if self._worker:
            with suppress(ProcessLookupError):
                os.killpg(self._worker.pid, signal.SIGKILL)
            await self._worker.wait()


def _same(new: Built | None, old: Built) -> bool:
    """Tell whether two builds look alike: all but when and how fast."""
    return new is not None and msgspec.structs.replace(new, at=old.at, seconds=old.seconds) == old
