"""Programs open every link in mail: scanners, previews, assistants. Nothing comes of it."""

import re
import signal
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cli.command_line import CommandLine
from tests.cli.conftest import clean_environment, cli, empty
from tests.delivery.post import Post
from tests.smtp.scripted import ScriptedServer
from tests.web.public.site import ONE_CLICK, PATIENCE, Client, free_port, wait_until

__all__ = ["clean_environment", "cli", "empty"]

READERS = 100
UNCONFIRMED = 5
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (compatible; Microsoft-Outlook-SafeLinks)",
    "BarracudaCentral/1.0 (link protection)",
    "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
    "Mimecast-URL-Protect/1.0",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.24.20 A",
    "TelegramBot (like TwitterBot)",
    "Twitterbot/1.0",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; +http://www.linkedin.com)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "curl/8.10.1",
    "python-requests/2.32.3",
    "",
)
# What is written down about feeds that were read names no reader; it is no reader's state.
_NOBODYS = re.compile(r"reading|sqlite_")


@pytest.fixture
def post(cli: CommandLine) -> Iterator[Post]:
    with ScriptedServer() as server:
        yield Post(cli, server)


def _urls(message: EmailMessage) -> set[str]:
    """Every address in a message: of its headers, its text and its HTML."""
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    found = set(re.findall(r"<(https?:[^>]+)>", message.get("List-Unsubscribe", "")))
    if text is not None:
        found |= set(re.findall(r"https?://[^\s<>]+", text.get_content()))
    if html is not None:
        attributes = re.findall(r'(?:href|src|action)="([^"]*)"', html.get_content())
        found |= {unescape(each) for each in attributes if each.startswith("http")}
    return found


def _own_paths(messages: list[EmailMessage], host: str) -> list[str]:
    """The paths of all links that lead to the publication's own site."""
    paths = set()
    for url in set().union(*map(_urls, messages)):
        parts = urlsplit(url)
        if parts.hostname == host:
            paths.add(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
    return sorted(paths)


def _state(post: Post) -> dict[str, list[tuple[Any, ...]]]:
    """Every table's rows that could be about a reader."""
    names = post.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return {
        name: [
            row for row in post.rows(f"SELECT * FROM {name} ORDER BY rowid") if not _is_tick(row)
        ]
        for (name,) in names
        if not _NOBODYS.search(name)
    }


def _is_tick(row: tuple[Any, ...]) -> bool:
    """When a process last looked at the clock, which goes on; and a key that the console makes.

    It makes it when it starts, which may be later than that readers come.
    """
    return str(row[0]).startswith(("tick", "console-key"))


@pytest.mark.parametrize(
    "agents",
    [
        pytest.param(AGENTS[::7], id="sample"),
        pytest.param(AGENTS, id="all", marks=pytest.mark.long),
    ],
)
def test_opening_every_link_changes_nobody(post: Post, agents: tuple[str, ...]) -> None:
    post.subscribe(READERS)
    for number in range(UNCONFIRMED):
        post.cli("subscribers", "add", f"asked{number}@d.example", "--unconfirmed")
    assert post.send().status == 0
    process, site = _start(post)
    try:
        wait_until(lambda: len(post.server.messages) >= READERS + UNCONFIRMED or None)
        paths = _own_paths(post.messages(), "daily.example")
        wait_until(lambda: post.counts() == {"sent": READERS} or None)
        before = _state(post)
        kinds = [path.split("/")[1] for path in paths]
        assert kinds.count("unsubscribe") == READERS
        assert kinds.count("confirm") == UNCONFIRMED
        assert len(set(kinds)) > 3
        for path in paths:
            for agent in agents:
                for method in ("GET", "HEAD"):
                    answer = site.ask(method, path, headers={"User-Agent": agent})
                    assert answer.status == 200, (method, path)
                    assert "set-cookie" not in answer.headers
        assert _state(post) == before
        # And the same links work, once somebody presses the button.
        link = next(path for path in paths if path.startswith("/unsubscribe/"))
        assert site.ask("POST", link, ONE_CLICK).status == 200
        assert _state(post) != before
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


def _start(post: Post) -> tuple[subprocess.Popen[bytes], Client]:
    """Run it, on ports that nobody else has taken since they were found free."""
    for _ in range(3):
        port = free_port()
        post.configure(f"[web]\nport = {port}\n[console]\nport = {free_port()}\n")
        process, site = post.start("run"), Client(port)
        if _comes_up(site, process):
            return process, site
    raise AssertionError(process.communicate())


def _comes_up(site: Client, process: subprocess.Popen[bytes]) -> bool:
    wait_until(lambda: _is_up(site) or process.poll())
    return process.poll() is None


def _is_up(site: Client) -> bool | None:
    try:
        return site.get("/healthz").status == 200 or None
    except OSError:
        return None
