"""Several databases made in one process at once, as `run` for several publications does."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from publisher.store import version
from publisher.store.database import open_database
from publisher.store.version import HEAD, read_version
from tests.new_databases import MIGRATE


def test_each_thread_makes_its_own_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version, "_migrate", MIGRATE)

    def make(number: int) -> str:
        folder = tmp_path / str(number)
        folder.mkdir()
        database = open_database("sqlite:///publisher.db", folder, f"tag:{number}.example,2025:x")
        with database.read() as connection:
            found = read_version(connection)
        database.close()
        return found

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(make, range(4))) == [HEAD] * 4
