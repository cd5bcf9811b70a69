"""Histories drawn from seeds: faults, crashes, operators and readers, and no broken promise.

`python -m tests.simulation.history FIRST LAST PROCESSES` runs those of any seeds.
"""

import os

import pytest

from publisher.mailing.transitions import DELIVERY_TRANSITIONS, MAILING_TRANSITIONS
from publisher.rehearsal.world import Disk
from tests.simulation.history import history, run_in_parallel
from tests.simulation.ledger import CAUSES

# Every transition occurs in these, and every mutation is caught: rare ones, and many of the rest.
SEEDS = (*range(280, 360), *range(460, 466), *range(830, 890), *range(110), 1452, 2295)
_MANY = 100_000


def test_no_history_breaks_a_promise_and_every_transition_occurs(disk: Disk) -> None:
    events: set[str] = set()
    for seed in SEEDS:
        events |= history(disk, seed)
    # A delivery's `taken` has no line of its own: nothing can be settled that was not.
    # Nobody is thought dead where one delivers (tests/delivery/test_workers.py).
    possible = {*DELIVERY_TRANSITIONS, *MAILING_TRANSITIONS, *CAUSES.values()}
    possible -= {"taken", "disproven"}
    assert events == possible


def test_a_history_is_the_same_each_time(disk: Disk) -> None:
    sql = "SELECT delivery, at, event, reply FROM ledger ORDER BY id"
    history(disk, 3)
    first = disk.run(sql)
    history(disk, 4)
    other = disk.run(sql)
    history(disk, 3)
    assert disk.run(sql) == first != other


@pytest.mark.long
def test_no_promise_is_broken_in_100_000_histories() -> None:
    count, _ = run_in_parallel(1000, 1000 + _MANY, os.cpu_count() or 1)
    assert count == _MANY
