"""The console as people start it: `run` and `serve`, their ports, and the first owner's link."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.command_line import SETTINGS, Process
from tests.sampling import one_in
from tests.web.console.site import PASSWORD, Browser
from tests.web.public.site import PATIENCE, Client, free_port, wait_until

_WELCOME = re.compile(r"(/welcome/[\w-]+)")


class Ports:
    """A publication's folder, whose settings name ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.web, self.console = free_port(), free_port()
        tables = f"\n[web]\nport = {self.web}\n[console]\nport = {self.console}\n"
        (folder / "publisher.toml").write_text(SETTINGS + tables)

    @contextmanager
    def start(self, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
        process = Process(self.folder)
        environment = process.environment({"PUBLISHER_CONSOLE__PORT": None})
        with subprocess.Popen(
            process.command(*words),
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as started:
            try:
                yield started
            finally:
                if started.poll() is None:
                    started.kill()


@pytest.fixture
def ports(tmp_path: Path) -> Ports:
    return Ports(tmp_path)


def _answers(client: Client, path: str = "/healthz") -> bool | None:
    try:
        return client.get(path).status == 200 or None
    except OSError:
        return None


def _read(process: "subprocess.Popen[bytes]", lines: int) -> str:
    assert process.stdout
    return b"".join(process.stdout.readline() for _ in range(lines)).decode()


@pytest.mark.parametrize("command", one_in(2, ["run", "serve"]))
def test_the_first_owner_comes_in_by_the_link_that_is_printed(ports: Ports, command: str) -> None:
    client = Client(ports.console)
    with ports.start(command) as process:
        said = _read(process, 3)
        assert f"Public site: http://127.0.0.1:{ports.web}/\n" in said
        assert f"Console: http://127.0.0.1:{ports.console}/\n" in said
        (link,) = _WELCOME.findall(said)
        wait_until(lambda: _answers(client))
        wait_until(lambda: _answers(Client(ports.web)))
        browser = Browser(client)
        fields = {"email": "anna@daily.example", "name": "", "password": PASSWORD}
        assert browser.post(link, fields).status == 303
        assert browser.get("/operators").status == 200
        if command == "run":
            wait_until(lambda: "last tick" in client.get("/healthz").text or None)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"Traceback" not in err
    assert link.encode() not in out + err
    with ports.start(command, "--json") as process:
        wait_until(lambda: _answers(client))
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert b'"welcome": null' in out


def test_a_new_start_makes_the_link_before_void(ports: Ports) -> None:
    links = []
    for _ in range(2):
        with ports.start("serve") as process:
            links += _WELCOME.findall(_read(process, 3))
            wait_until(lambda: _answers(Client(ports.console)))
            statuses = [Client(ports.console).get(link).status for link in links]
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    assert statuses == [404, 200]


@pytest.mark.parametrize(
    ("command", "taken"),
    one_in(3, [("serve", "web"), ("serve", "console"), ("run", "web"), ("run", "console")]),
)
def test_a_port_that_is_taken_is_said_and_ends_it(ports: Ports, command: str, taken: str) -> None:
    port = getattr(ports, taken)
    with socket.create_server(("127.0.0.1", port)), ports.start(command) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"Traceback" not in err
    assert re.search(rf"port {port} of 127\.0\.0\.1 cannot be used: .*{taken}\.port", err.decode())
    for free in {ports.web, ports.console} - {port}:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", free), PATIENCE)
