"""A publication with a relay on loopback, which no rehearsal ever opens."""

from collections.abc import Iterator

import pytest

from tests.cli.command_line import CommandLine
from tests.cli.conftest import clean_environment, cli, empty
from tests.delivery.post import Post
from tests.smtp.scripted import ScriptedServer

__all__ = ["clean_environment", "cli", "empty"]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def post(cli: CommandLine, server: ScriptedServer) -> Post:
    return Post(cli, server)
