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

from publisher.web.preview.answers import LENGTH_BYTES, Answer, Built, Failed, Step, decode_answer

# Is told how far a long build is, and what came of each that changed what is shown.
Hear = Callable[[Answer], None]

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

    def __init__(self, config: Path, output: Path, hear: Hear) -> None:
        self.config = config
        self.output = output
        self.hear = hear
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
        failure = answer.message if isinstance(answer, Failed) else ""
        built = old.built if isinstance(answer, Failed) else answer
        if _same(built, old.built) and failure == old.failure:
            return  # saved as it was, or a file beside the issues: nothing to look at
        run, _, number = old.version.partition("-")
        self.shown = Shown(f"{run}-{int(number) + 1}", built, failure)
        self.hear(answer)
        self._wake()

    def _wake(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def _ask(self) -> Built | Failed:
        """Have it built. A building process that has died since the last time is replaced once."""
        for _ in range(2):
            worker = await self._start()
            try:
                return await self._await_answer(worker)
            except (asyncio.IncompleteReadError, ConnectionError):
                status = await worker.wait()
                self._worker = None
        return Failed(f"the build ended with status {status}; saving a file tries it again")

    async def _await_answer(self, worker: Process) -> Built | Failed:
        assert worker.stdin is not None  # noqa: S101 - both are pipes
        assert worker.stdout is not None  # noqa: S101
        worker.stdin.write(b"build\n")
        await worker.stdin.drain()
        while True:
            length = int.from_bytes(await worker.stdout.readexactly(LENGTH_BYTES), "big")
            answer: Answer = decode_answer(await worker.stdout.readexactly(length))
            if not isinstance(answer, Step):
                return answer
            self.hear(answer)

    async def _start(self) -> Process:
        if self._worker is None:
            # In a group of its own: Ctrl-C is for the server, which then ends the whole group,
            # with the processes that a large build has started.
            self._worker = await asyncio.create_subprocess_exec(
                *_WORKER,
                str(self.config),
                str(self.output),
                stdin=PIPE,
                stdout=PIPE,
                process_group=0,
            )
        return self._worker

    async def _kill(self) -> None:
        if self._worker:
            with suppress(ProcessLookupError):
                os.killpg(self._worker.pid, signal.SIGKILL)
            await self._worker.wait()


def _same(new: Built | None, old: Built | None) -> bool:
    """Tell whether a build looks as the one before: all but when it was, and how fast."""
    if new is None or old is None:
        return new is old
    alike = {"at": old.at, "seconds": old.seconds, "has_changes": old.has_changes}
    return new is old or (not new.has_changes and msgspec.structs.replace(new, **alike) == old)
