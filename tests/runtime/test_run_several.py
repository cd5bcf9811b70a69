"""`publisher run` for several publications, as it is used: real processes, a real relay."""

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.cli.command_line import SETTINGS
from tests.delivery.post import Post
from tests.runtime.running import Running, is_alive, running, wait_until
from tests.web.public.site import Client, free_port

ADA = "ada@reader.example"


class Both:
    """The installation above a publication with a relay (daily), and another one (weekly)."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.ports = {name: free_port() for name in ("daily", "weekly", "console")}
        daily = (post.folder / "publisher.toml").read_text()
        for name, text in (("daily", daily), ("weekly", SETTINGS.replace(":test", ":weekly"))):
            self.write(name, text)
        post.cli.write(
            "publisher.toml",
            "".join(
                f'[[publication]]\nname = "{name}"\nfolder = "{name}"\n'
                for name in ("daily", "weekly")
            )
            + f"[console]\nport = {self.ports['console']}\n",
        )

    def write(self, name: str, text: str) -> None:
        web = f'[web]\nport = {self.ports[name]}\nurl = "https://{name}.example"\n'
        self.post.cli.write(f"{name}/publisher.toml", f"{text}\n{web}")

    def client(self, name: str) -> Client:
        return Client(self.ports[name])

    def is_up(self, name: str, path: str = "/healthz") -> bool:
        try:
            return self.client(name).get(path).status == 200
        except OSError:
            return False


@pytest.fixture
def both(post: Post, monkeypatch: pytest.MonkeyPatch) -> Both:
    usual = post.process.environment
    # Each test's processes are given a console's port of their own, which is this file's here.
    monkeypatch.setattr(
        post.process, "environment", lambda env: usual({**env, "PUBLISHER_CONSOLE__PORT": None})
    )
    return Both(post)


def _names(run: Running) -> set[str]:
    """The children by their publications and roles."""
    found = set()
    for pid in Path(f"/proc/{run.parent.pid}/task/{run.parent.pid}/children").read_text().split():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[3:-1]
        found.add(" ".join([*(w.decode() for w in words[3:]), words[0].decode()]))
    return found


DAILY = {f"daily {role}" for role in ("web", "scheduler", "delivery")}


@pytest.mark.long
def test_each_has_its_processes_and_all_have_one_console(both: Both) -> None:
    """The weekly has no relay, and the daily sends all the same."""
    with running(both.post, both.ports["daily"]) as run:
        wait_until(lambda: both.is_up("daily"), f"the daily is served:\n{run.said}")
        wait_until(lambda: both.is_up("weekly"), f"the weekly is served:\n{run.said}")
        wait_until(lambda: both.is_up("console", "/weekly/healthz"), "the console is served")
        assert _names(run) == {"console", *DAILY, "weekly web", "weekly scheduler"}
        assert "weekly: publisher.toml: smtp.host must be set" in run.said
        assert both.client("daily").subscribe(ADA).status == 200
        wait_until(lambda: both.post.server.messages, "a confirmation arrives")
        assert f"http://127.0.0.1:{both.ports['console']}/daily/welcome/" in run.said
        children = run.children().values()
        assert run.stop() == 0
        assert not any(is_alive(pid) for pid in children)
        assert "Traceback" not in run.said


@pytest.mark.long
def test_the_trouble_of_one_is_told_and_stops_no_other(both: Both) -> None:
    """Wrong settings at the start, a process that dies, a port that is taken."""
    both.post.cli.write("weekly/publisher.toml", "[publication]\n")
    with running(both.post, both.ports["daily"]) as run:
        wait_until(lambda: both.is_up("console", "/daily/healthz"), f"it runs:\n{run.said}")
        wait_until(lambda: both.is_up("daily"), f"it runs:\n{run.said}")
        assert "weekly: publisher.toml: publication.id" in run.said
        assert both.client("console").get("/weekly/").status == 503
        weekly = SETTINGS.replace(":test", ":weekly")
        both.write("weekly", f'{weekly}[database]\nurl = "sqlite:///../daily/publisher.db"\n')
        wait_until(lambda: "have the same database" in run.said, "it may not run beside the daily")
        both.write("weekly", weekly)
        wait_until(lambda: both.is_up("weekly"), f"it runs once it is mended:\n{run.said}")
        wait_until(lambda: both.is_up("console", "/weekly/healthz"), "so does its console")
        assert "weekly: it runs now" in run.said
        before = run.children()
        os.kill(before["console"], signal.SIGKILL)
        wait_until(lambda: run.children().get("console", 0) not in (0, before["console"]), "again")
        assert both.is_up("daily")
        assert run.stop() == 0


@pytest.mark.long
def test_a_locked_database_at_the_start_is_waited_for(both: Both) -> None:
    assert both.post.process("status").returncode == 0  # makes the databases
    other = sqlite3.connect(both.post.folder / "weekly" / "publisher.db", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with running(both.post, both.ports["daily"]) as run:
        wait_until(lambda: both.is_up("daily"), f"the daily runs:\n{run.said}")
        wait_until(lambda: both.is_up("console", "/daily/healthz"), "its console too")
        assert not both.is_up("weekly")
        other.execute("COMMIT")
        other.close()
        wait_until(lambda: both.is_up("weekly"), f"the weekly runs:\n{run.said}")
        assert run.stop() == 0
