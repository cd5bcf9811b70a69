"""A database of readers for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audience.readers import Readers


@pytest.fixture
def readers(tmp_path: Path) -> Iterator[Readers]:
    made = Readers(tmp_path)
    yield made
    made.database.close()
