"""The pages that one follows step by step, followed: every block of `sh`, as it stands."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.audience.exports import SUBSTACK
from tests.cli.command_line import PROGRAM, CommandLine, _free_port
from tests.cli.conftest import clean_environment, cli, empty
from tests.cli.test_cutover import POSTS, letter, rss
from tests.docs.blocks import PAGES, ROOT, Block, read_blocks
from tests.intake.moving.samples import SUBSTACK_COLUMNS, substack_row, table, zipped

__all__ = ["clean_environment", "cli", "empty"]

MARKS = {"sh", "sh until-stopped", "sh on-a-server"}


class Shell:
    """A reader's shell: each block goes on in the folder where the last one ended."""

    def __init__(self, folder: Path, relay: int) -> None:
        self.folder = folder
        self.notes = folder.parent
        self.relay = relay
        self.groups: list[int] = []
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PUBLISHER_")}
        ports = {f"PUBLISHER_{each}__PORT": str(_free_port()) for each in ("WEB", "CONSOLE")}
        self.environment = kept | ports | {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}

    def start(self, text: str) -> subprocess.Popen[bytes]:
        # Tests run beside each other: only the port is another one than on the page.
        said = text.replace("8025", str(self.relay))
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", f"{said}\npwd > {self.notes}/where"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.groups.append(process.pid)
        return process

    def run(self, block: Block) -> None:
        log = self.notes / "log"
        process = self.start(f"exec > {log} 2>&1\n{block.text}")
        process.wait()
        said = log.read_text("utf-8")
        assert process.returncode == 0, f"{block.page}:{block.line}\n{said}"
        assert "Traceback" not in said
        self.folder = Path((self.notes / "where").read_text().strip())

    def look_and_stop(self, block: Block) -> None:
        """Start what serves until it is stopped, fetch what it says it serves, and press Ctrl-C."""
        process = self.start(block.text)
        assert process.stdout is not None
        said = b""
        while not (found := re.search(rb"http://127\.0\.0\.1:\d+/", said)):
            line = process.stdout.readline()
            assert line, f"{block.page}:{block.line}\n{said.decode()}"
            said += line
        for _ in range(300):
            with suppress(OSError), urlopen(found[0].decode()) as answer:
                assert answer.status == 200
                break
            time.sleep(0.1)
        else:
            pytest.fail(f"{block.page}:{block.line} does not answer")
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        assert process.wait() in (0, 130)

    def ask(self, *words: str) -> str:
        """What a command prints."""
        return subprocess.run(
            ["publisher", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def end(self) -> None:
        for group in self.groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    folder = tmp_path / "home"
    folder.mkdir()
    shell = Shell(folder, _free_port())
    yield shell
    shell.end()


def follow(shell: Shell, page: str) -> int:
    blocks = [block for block in read_blocks(ROOT / "docs" / page) if block.mark in MARKS]
    for block in blocks:
        if block.mark == "sh":
            shell.run(block)
        elif block.mark == "sh until-stopped":
            shell.look_and_stop(block)
    return len(blocks)


@pytest.mark.long
def test_the_tutorial(shell: Shell) -> None:
    assert follow(shell, "tutorial.md") > 8
    assert '"sent": 2' in shell.ask("status", "2025-12-15", "--json")


@pytest.mark.long
def test_running_a_publication(shell: Shell) -> None:
    assert follow(shell, "running.md") > 8
    assert shell.folder.name == "elsewhere"


@pytest.mark.long
def test_upgrading(shell: Shell, cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    shell.folder = cli.folder
    assert follow(shell, "upgrading.md") > 3


@pytest.mark.long
def test_moving(shell: Shell) -> None:
    (shell.folder / "export.zip").write_bytes(_substack())
    (shell.folder / "feed.xml").write_text(rss(*map(letter, range(POSTS, 0, -1))))
    assert follow(shell, "moving.md") > 5
    said = (shell.folder / "publisher.toml").read_text("utf-8")
    assert said.count('"/p/letter-') == POSTS
    for command, found in (
        (["subscribers", "list", "--json"], '"unsubscribed"'),
        (["status", "--readers"], "by mail: 2\n"),
    ):
        assert found in shell.ask(*command)


def _substack() -> bytes:
    rows = [
        substack_row(f"{n}.letter-{n}", f"2024-04-{n:02}T08:00:00.000Z", f"Letter {n}")
        for n in range(1, POSTS + 1)
    ]
    pages = {f"posts/{n}.letter-{n}.html": f"<p>Text {n}.</p>" for n in range(1, POSTS + 1)}
    posts = table(SUBSTACK_COLUMNS, *rows)
    return zipped({"posts.csv": posts, "email_list.pier.csv": SUBSTACK, **pages})


@pytest.mark.parametrize("page", ["tutorial.md", "running.md", "upgrading.md", "moving.md"])
def test_what_is_not_run_is_marked(page: str) -> None:
    """A block of commands without a mark would never be run."""
    for block in read_blocks(ROOT / "docs" / page):
        assert block.mark in MARKS or "publisher" not in block.text or "* * *" in block.text


def test_what_a_server_is_told_names_what_is_here() -> None:
    blocks = [block for page in PAGES for block in read_blocks(page)]
    text = "\n".join(block.text for block in blocks if block.mark == "sh on-a-server")
    paths = re.findall(r"(?<![\w/])deploy/[\w./-]+", text)
    assert len(paths) >= 5
    assert [path for path in paths if not (ROOT / path).exists()] == []
    units = re.findall(r"\bpublisher[\w-]*\.(?:service|timer)\b", text)
    assert [unit for unit in units if not (ROOT / "deploy" / unit).exists()] == []
    assert (ROOT / "deploy" / "example.env").exists()
