"""A publication with a relay on loopback, and what hears its alerts."""

from collections.abc import Iterator

import pytest

from tests.cli.conftest import clean_environment, empty
from tests.delivery.conftest import cli, post, server
from tests.runtime.hook import Hook

__all__ = ["clean_environment", "cli", "empty", "post", "server"]


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as hook:
        yield hook
