"""A console served for a test alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from publisher.runtime import passwords
from tests.web.console.site import Console, run_console


@pytest.fixture(scope="module", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hashes of the same kind with as little effort as can be: tests make hundreds of them."""
    usual = passwords._HASHER
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield
    passwords._HASHER = usual


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    with run_console(tmp_path) as console:
        yield console
