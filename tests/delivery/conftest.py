"""A publication with a relay on loopback."""

from collections.abc import Iterator

import pytest

from tests.cli.command_line import SETTINGS, CommandLine
from tests.cli.conftest import clean_environment, empty
from tests.delivery.post import Post
from tests.smtp.scripted import ScriptedServer

__all__ = ["clean_environment", "empty"]


@pytest.fixture
def cli(empty: CommandLine, database_url: str) -> CommandLine:
    """A command line in a publication's folder without issues, on either database."""
    empty.write("publisher.toml", SETTINGS)
    empty.monkeypatch.setenv("PUBLISHER_DATABASE__URL", database_url)
    return empty


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def post(cli: CommandLine, server: ScriptedServer) -> Post:
    return Post(cli, server)
