"""Run a function over many items in as many processes as help, results as they come."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from traceback import format_exc
from typing import Any, TypeVar

from publisher.errors import PublisherError

Item = TypeVar("Item")
Made = TypeVar("Made")

# Below this, starting processes costs more than it saves: some 30 ms against 4 ms an item.
_WORTHWHILE = 24
_CHUNK = 8
# So that a process finds work while this one deals with what it made.
_CHUNKS_AHEAD = 2


def run_parallel(
    function: Callable[[Item], Made],
    items: Sequence[Item],
    prepare: Callable[[], None] | None = None,
) -> Iterator[Made]:
    """Yield `function(item)` for each item, in order.

    Processes are forked, so the function and what it refers to need no pickling; `prepare` runs
    once in each of them. Where the system cannot fork, the work is done in this process. Raises
    what the function raises, and PublisherError where a process was killed.
    """
    processes = min(os.cpu_count() or 1, len(items) // _CHUNK or 1)
    if len(items) < _WORTHWHILE or processes < 2 or not hasattr(os, "fork"):
        yield from map(function, items)
        return
    # What the first one imports, compiles and remembers, all processes then have.
    yield function(items[0])
    workers = []
    try:
        for _ in range(processes):
            workers.append(_start(function, prepare))
        yield from _collect([connection for _, connection in workers], items[1:])
    finally:
        for process, connection in workers:
            process.kill()  # a SIGTERM may do nothing: they have the signal handlers of this one
            process.join()
            connection.close()


def _start(
    function: Callable[[Item], Made], prepare: Callable[[], None] | None
) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(ours, theirs, function, prepare), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _collect(connections: list[Connection], items: Sequence[Any]) -> Iterator[Any]:
    """Hand out chunks, a new one for each that comes back, and put the results in order."""
    chunks = [items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK)]
    waiting = iter(enumerate(chunks))
    for connection in connections * _CHUNKS_AHEAD:
        _hand_out(connection, waiting)
    done: dict[int, list[Any]] = {}
    wanted = 0
    while wanted < len(chunks):
        for ready in wait(connections):
            assert isinstance(ready, Connection)  # noqa: S101 - nothing else is waited for
            number, made = _take_in(ready)
            done[number] = made
            _hand_out(ready, waiting)
        while wanted in done:
            yield from done.pop(wanted)
            wanted += 1


def _hand_out(connection: Connection, waiting: Iterator[tuple[int, Sequence[Any]]]) -> None:
    if (chunk := next(waiting, None)) is not None:
        connection.send(chunk)


def _take_in(connection: Connection) -> tuple[int, list[Any]]:
    try:
        number, made, error = connection.recv()
    except (EOFError, OSError):
        raise PublisherError(
            "a process that helped was killed; most often the memory was full. Try again"
        ) from None
    if error is not None:
        raise error
    return number, made


def _work(
    theirs: Connection,
    ours: Connection,
    function: Callable[[Any], Any],
    prepare: Callable[[], None] | None,
) -> None:
    """A worker's life: until the other side is gone, in whatever way."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they are for the process that a person started
    theirs.close()  # or this process would keep its own line open
    try:
        while True:
            number, chunk = ours.recv()
            ours.send(_answer(function, number, chunk, prepare))
            prepare = None
    except (EOFError, OSError):
        return


def _answer(
    function: Callable[[Any], Any],
    number: int,
    chunk: Sequence[Any],
    prepare: Callable[[], None] | None,
) -> tuple[int, list[Any], Exception | None]:
    try:
        if prepare:
            prepare()
        return number, [function(item) for item in chunk], None
    except Exception as error:
        error.add_note(format_exc())
        return number, [], error
