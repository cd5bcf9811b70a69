"""How often the worker that leads looks over all batches."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from publisher.runtime.sweeping import Sweeping
from publisher.store.database import open_database
from tests import postgresql

NOW = datetime(2025, 12, 15, 12, tzinfo=UTC)


@pytest.fixture
def sweeping(tmp_path: Path) -> Iterator[Sweeping]:
    """One that has just swept."""
    with postgresql.database_url() as url:
        database = open_database(url, tmp_path, "tag:daily.example,2025:test")
        with database.hold() as held:
            sweeping = Sweeping(held, is_wanted=True)
            sweeping.note_active([])
            sweeping.sweep_now_and_then(NOW)
            assert sweeping.swept_at == NOW
            sweeping.took = timedelta()
            yield sweeping
        database.close()


def sweeps_after(sweeping: Sweeping, seconds: float) -> bool:
    moment = NOW + timedelta(seconds=seconds)
    sweeping.sweep_now_and_then(moment)
    return sweeping.swept_at == moment


def test_it_sweeps_every_five_seconds(sweeping: Sweeping) -> None:
    assert not sweeps_after(sweeping, 4.9)
    assert sweeps_after(sweeping, 5)


def test_it_sweeps_soon_after_something_was_changed(sweeping: Sweeping) -> None:
    sweeping.note_active([])
    assert not sweeps_after(sweeping, 0.9)
    assert sweeps_after(sweeping, 1)


def test_it_takes_little_of_the_time_however_long_that_takes(sweeping: Sweeping) -> None:
    sweeping.took = timedelta(seconds=0.5)
    sweeping.note_active([])
    assert not sweeps_after(sweeping, 9.9)
    assert sweeps_after(sweeping, 10)
