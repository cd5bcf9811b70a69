"""What was answered is done, also where the server is killed a moment later."""

import signal
import sqlite3
from collections.abc import Iterator

import pytest

from tests.cli.command_line import CommandLine
from tests.cli.conftest import clean_environment, cli, empty
from tests.delivery.post import Post
from tests.smtp.scripted import ScriptedServer
from tests.web.public.site import PATIENCE, Client, free_port, wait_until
from tests.web.public.test_journey import _is_up

__all__ = ["clean_environment", "cli", "empty"]


@pytest.fixture
def post(cli: CommandLine) -> Iterator[Post]:
    with ScriptedServer() as server:
        yield Post(cli, server)


def _known(post: Post) -> set[str]:
    """The addresses that are subscribers."""
    return {email for (email,) in post.rows("SELECT email FROM subscriber")}


def _waiting(post: Post) -> set[str]:
    raw = sqlite3.connect(post.folder / "publisher.db")
    rows = {email for (email,) in raw.execute("SELECT email FROM wish")}
    raw.close()
    return rows


def test_nothing_that_was_answered_is_lost(post: Post) -> None:
    port = free_port()
    post.configure(f"[web]\nport = {port}\n")
    asked: set[str] = set()
    were_waiting = 0
    for attempt in range(3):
        process = post.start("serve")
        try:
            site = Client(port)
            wait_until(lambda: _is_up(site) or process.poll() is not None or None)  # noqa: B023
            for number in range(2):
                email = f"reader{attempt}{number}@daily.example"
                assert site.subscribe(email).status == 200
                asked.add(email)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=PATIENCE)
        were_waiting += len(_waiting(post))
        assert _known(post) | _waiting(post) == asked
    assert were_waiting  # or nothing was tried
    process = post.start("serve")
    try:
        wait_until(lambda: _known(post) == asked or None)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert _waiting(post) == set()
    assert len(post.rows("SELECT id FROM mailing WHERE purpose = 'confirmation'")) == len(asked)
