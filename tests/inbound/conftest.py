"""A publication with a relay on loopback, and what comes back of an issue that it sent."""

from collections.abc import Iterator

import pytest

from tests.cli.command_line import CommandLine
from tests.cli.conftest import clean_environment, cli, empty
from tests.delivery.post import Post
from tests.inbound.returned import Returned
from tests.smtp.scripted import ScriptedServer

__all__ = ["clean_environment", "cli", "empty"]


@pytest.fixture
def post(cli: CommandLine) -> Iterator[Post]:
    with ScriptedServer() as server:
        yield Post(cli, server)


@pytest.fixture
def returned(post: Post) -> Returned:
    return Returned(post)
