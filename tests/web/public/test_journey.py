"""A reader's whole way, with `publisher run`, a relay and real messages."""

import re
import signal
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.cli.command_line import CommandLine
from tests.cli.conftest import clean_environment, cli, empty
from tests.delivery.post import Post
from tests.smtp.scripted import ScriptedServer
from tests.web.public.site import ONE_CLICK, PATIENCE, Client, free_port, wait_until

__all__ = ["clean_environment", "cli", "empty"]

BERTA = "berta@daily.example"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def post(cli: CommandLine, server: ScriptedServer) -> Post:
    return Post(cli, server)


def _newest(post: Post, before: int) -> EmailMessage:
    wait_until(lambda: len(post.server.messages) > before or None)
    return post.messages()[-1]


def _find_link(message: EmailMessage, purpose: str) -> str:
    text = message.get_body(("plain",))
    assert text is not None
    found = re.search(rf"https?://\S+?(/{purpose}/\S+)", text.get_content())
    assert found
    return found[1]


def test_from_the_form_to_leaving(post: Post) -> None:
    port = free_port()
    post.configure(f"[web]\nport = {port}\n")
    process = post.start("run")
    try:
        site = Client(port)
        wait_until(lambda: _is_up(site) or process.poll() is not None or None)
        started = time.monotonic()
        assert site.subscribe(BERTA, name="Berta").title == "Look into your mailbox"
        confirmation = _newest(post, 0)
        assert time.monotonic() - started < 5
        assert confirmation["To"] == BERTA
        link = _find_link(confirmation, "confirm")
        assert site.get(link).title == "Confirm your subscription"
        assert site.ask("POST", link, b"").title == "You are subscribed"

        post.send()
        issue = _newest(post, 1)
        assert "Berta" in issue["To"] or BERTA in issue["To"]
        assert issue["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        target = re.search(r"<https?://[^/>]+(/unsubscribe/[^>]+)>", issue["List-Unsubscribe"])
        assert target
        assert target[1] == _find_link(issue, "unsubscribe")
        assert site.get(target[1]).title == "End your subscription?"
        assert site.ask("POST", target[1], ONE_CLICK).title == "You are unsubscribed"
        rows = post.rows("SELECT action, source FROM consent ORDER BY id")
        assert rows == [("asked", "form"), ("confirmed", "link"), ("unsubscribed", "one-click")]
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert b"Traceback" not in said


def _is_up(site: Client) -> bool:
    try:
        return site.get("/healthz").status == 200
    except OSError:
        return False


def test_a_trial_message_unsubscribes_nobody(post: Post) -> None:
    """The link of `send --test`, as it was sent."""
    assert post.cli("send", "2025-12-15", "--test", BERTA).status == 0
    link = _find_link(_newest(post, 0), "unsubscribe")
    port = free_port()
    post.configure(f"[web]\nport = {port}\n")
    process = post.start("serve")
    try:
        site = Client(port)
        wait_until(lambda: _is_up(site) or process.poll() is not None or None)
        for method, body in (("GET", None), ("POST", ONE_CLICK)):
            assert site.ask(method, link, body).title == "This was a trial message"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
