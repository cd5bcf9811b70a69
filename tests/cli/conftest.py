"""A command line in a folder of its own."""

import os
from pathlib import Path

import pytest

from tests.cli.command_line import SETTINGS, CommandLine, Process


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PUBLISHER_"):
            monkeypatch.delenv(name)


@pytest.fixture
def empty(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    clean_environment: None,
) -> CommandLine:
    """A command line in an empty folder."""
    return CommandLine(tmp_path, monkeypatch, capfd)


@pytest.fixture
def cli(empty: CommandLine) -> CommandLine:
    """A command line in a publication's folder without issues."""
    empty.write("publisher.toml", SETTINGS)
    return empty


@pytest.fixture
def process(cli: CommandLine) -> Process:
    return Process(cli.folder)
