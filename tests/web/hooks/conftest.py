"""A publication that has sent an issue, and its console, to which relays report."""

from collections.abc import Iterator

import pytest

from tests.cli.command_line import CommandLine
from tests.cli.conftest import clean_environment, cli, empty
from tests.delivery.post import Post
from tests.inbound.returned import Returned
from tests.smtp.scripted import ScriptedServer
from tests.web.hooks.relays import HOOKS, Relays, run_relays, with_hooks

__all__ = ["clean_environment", "cli", "empty"]


@pytest.fixture
def returned(cli: CommandLine) -> Iterator[Returned]:
    with ScriptedServer() as server:
        yield Returned(Post(cli, server))


@pytest.fixture
def relays(returned: Returned) -> Iterator[Relays]:
    post = returned.post
    database = post.open()
    with run_relays(post.folder, database, with_hooks(post.folder, **HOOKS)) as relays:
        yield relays
    database.close()
