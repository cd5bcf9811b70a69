"""A console for a test alone, and a program that may do everything by its API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.api.site import Program, enter
from tests.web.console.site import Console, run_console


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    (tmp_path / "issues").mkdir()
    with run_console(tmp_path, smtp={"host": "127.0.0.1", "port": 9}) as console:
        yield console


@pytest.fixture
def program(console: Console) -> Program:
    return enter(console)
