"""A publication with a relay on loopback, and a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher.store.database import Database, open_database
from tests.cli.conftest import clean_environment, empty
from tests.delivery.conftest import cli, post, server

__all__ = ["clean_environment", "cli", "empty", "post", "server"]

URI = "tag:daily.example,2025:test"


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Database]:
    opened = open_database(database_url, tmp_path, URI)
    yield opened
    opened.close()
