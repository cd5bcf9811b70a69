"""Run a function over many items in as many processes as help, results as they come."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

# Below this, starting processes costs more than it saves: some 30 ms against 4 ms an item.
_WORTHWHILE = 24
_CHUNK = 8

_function: Callable[[Any], Any] | None = None


def run_parallel(
    function: Callable[[Item], Made],
    items: Sequence[Item],
    prepare: Callable[[], None] | None = None,
) -> Iterator[Made]:
    """Yield `function(item)` for each item, in order.

    Processes are forked, so the function and what it refers to need no pickling; `prepare` runs
    once in each of them. Where the system cannot fork, the work is done in this process.
    """
    processes = min(os.cpu_count() or 1, len(items) // _CHUNK or 1)
    if len(items) < _WORTHWHILE or processes < 2 or not hasattr(os, "fork"):
        yield from map(function, items)
        return
    global _function
    _function = function
    try:
        context = multiprocessing.get_context("fork")
        with context.Pool(processes, initializer=prepare) as pool:
            yield from pool.imap(_call, items, chunksize=_CHUNK)
    finally:
        _function = None


def _call(item: Any) -> Any:
    assert _function is not None  # noqa: S101 - set before the fork
    return _function(item)
