"""The simulated disk that tests of this folder share; each history clears it."""

from collections.abc import Iterator

import pytest

from publisher.rehearsal.world import Disk


@pytest.fixture(scope="session")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    disk = Disk(tmp_path_factory.mktemp("simulation"))
    yield disk
    disk.close()
