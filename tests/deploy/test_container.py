"""The container: what its files name exists, and the program behaves as a first process should."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from publisher.settings import load_settings
from tests.cli.command_line import PROGRAM, CommandLine, Process
from tests.cli.conftest import clean_environment, cli, empty, process

__all__ = ["clean_environment", "cli", "empty", "process"]

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
# Backslashes at the ends of lines join them.
DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
IGNORED = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICE = COMPOSE["services"]["publisher"]


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} +(.+)$", DOCKERFILE, re.M)


def variables() -> dict[str, str]:
    """What the image has in its environment."""
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(instructions("ENV"))))


def copied() -> list[str]:
    words = [each.split() for each in instructions("COPY") if "--from=" not in each]
    return [word for line in words for word in line[:-1] if not word.startswith("--")]


@pytest.mark.parametrize("path", copied())
def test_what_is_copied_exists_and_is_sent_to_the_builder(path: str) -> None:
    assert (ROOT / path).exists()
    allowed = [line[1:] for line in IGNORED if line.startswith("!")]
    assert any(Path(path).match(pattern) for pattern in allowed)


def test_all_that_a_wheel_is_made_of_is_copied() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    included = re.findall(r'^"([^"]+)" = "publisher/packaged', project, re.M)
    assert included
    assert {*included, "publisher", "README.md", "LICENSE", "pyproject.toml"} <= set(copied())


def test_it_runs_as_nobody_else_and_ends_by_sigterm() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(instructions("VOLUME")[0]) == [instructions("WORKDIR")[-1]]
    assert json.loads(instructions("ENTRYPOINT")[0]) == ["publisher"]
    assert instructions("HEALTHCHECK")[0].endswith('CMD ["healthy"]')


def test_every_step_installs_by_hash_or_without_a_look_elsewhere() -> None:
    installs = re.findall(r"pip (?:install|wheel) ([^&\n]+)", DOCKERFILE)
    assert len(installs) == 4
    for install in installs:
        assert "--require-hashes" in install or "--no-deps" in install


def test_the_environments_of_image_and_service_are_settings(tmp_path: Path) -> None:
    settings = tmp_path / "publisher.toml"
    settings.write_text((ROOT / "publisher.toml").read_text())
    both = variables() | SERVICE["environment"]
    filled = {key: re.sub(r"\$\{\w+:\?[^}]*\}", "a.example", both[key]) for key in both}
    read = load_settings(settings, filled | dict.fromkeys(SERVICE["secrets"], "secret"))
    assert read.publication.url == "https://a.example"
    assert (read.web.host, read.console.host) == ("0.0.0.0", "0.0.0.0")
    assert read.smtp[0].password == "secret"
    assert instructions("EXPOSE") == [f"{read.web.port} {read.console.port}"]


def test_caddy_leads_to_both_ports_each_by_a_name_of_its_own() -> None:
    caddy = (DEPLOY / "Caddyfile").read_text()
    sites = re.findall(r"^\{\$(\w+)\} \{\n(.*?)^\}", caddy, re.M | re.S)
    ports = {name: re.findall(r"reverse_proxy publisher:(\d+)", text) for name, text in sites}
    image = variables()
    assert ports == {
        "SITE_HOST": [image["PUBLISHER_WEB__PORT"]],
        "CONSOLE_HOST": [image["PUBLISHER_CONSOLE__PORT"]],
    }
    example = dict(
        line.split("=") for line in (DEPLOY / "example.env").read_text().splitlines()[1:]
    )
    assert set(example) == set(ports) == set(COMPOSE["services"]["caddy"]["environment"])


def test_the_compose_file_names_what_exists() -> None:
    build = SERVICE["build"]
    context = (DEPLOY / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()
    for service in COMPOSE["services"].values():
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            known = (DEPLOY / source).is_file() if source.startswith(".") else source
            assert known is True or known in COMPOSE["volumes"]
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
    assert SERVICE["read_only"]
    assert SERVICE["cap_drop"] == ["ALL"]


def test_what_does_not_work_yet_is_not_offered() -> None:
    """PostgreSQL joins the compose file when the database can be one."""
    assert set(COMPOSE["services"]) == {"publisher", "caddy"}


def test_who_is_not_well_says_so() -> None:
    closed = {"PUBLISHER_WEB__PORT": "1", "PUBLISHER_CONSOLE__PORT": "1"}
    done = subprocess.run(
        [DEPLOY / "healthy"], env=os.environ | closed, capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stderr.partition(":")[0]) == (1, "port 1")


class FirstProcess:
    """A command as the first process of namespaces of its own, without privileges."""

    def __init__(self, process: Process, *words: str, **environment: str) -> None:
        who = "setpriv --inh-caps=-all --bounding-set=-all --no-new-privs"
        self.outer = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--kill-child", *who.split(), PROGRAM, *words],
            cwd=process.folder,
            env=process.environment(environment),
            stdout=subprocess.DEVNULL,
        )

    def end(self) -> int:
        """Send SIGTERM to the first process itself; give its exit status."""
        children = f"/proc/{self.outer.pid}/task/{self.outer.pid}/children"
        os.kill(int(Path(children).read_text()), signal.SIGTERM)
        return self.outer.wait(60)


needs_namespaces = pytest.mark.skipif(
    os.name != "posix"
    or os.geteuid() != 0
    or not (shutil.which("unshare") and shutil.which("setpriv")),
    reason="namespaces take root, unshare and setpriv",
)


@needs_namespaces
def test_a_first_process_ends_by_sigterm_while_it_begins(process: Process) -> None:
    """The system lets signals to it be, unless it asks for them; it waits for its settings here."""
    pipe = process.folder / "settings"
    os.mkfifo(pipe)
    first = FirstProcess(process, "build", "--config", str(pipe))
    with open(pipe, "w"):  # which waits until it reads
        assert first.end() == 128 + signal.SIGTERM


@needs_namespaces
@pytest.mark.long
def test_a_first_process_runs_is_well_and_ends(process: Process, cli: CommandLine) -> None:
    ports = process.environment({})["PUBLISHER_CONSOLE__PORT"]
    other = process.environment({})["PUBLISHER_CONSOLE__PORT"]
    at = {"PUBLISHER_WEB__PORT": ports, "PUBLISHER_CONSOLE__PORT": other}
    first = FirstProcess(process, "run", **at)
    for _ in range(300):
        well = subprocess.run([DEPLOY / "healthy"], env=os.environ | at, check=False)
        if well.returncode == 0 or first.outer.poll() is not None:
            break
        time.sleep(0.2)
    assert well.returncode == 0
    assert first.end() == 0


def test_postgresql_is_added_by_a_second_file() -> None:
    added: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.postgresql.yaml").read_text())
    known = COMPOSE["secrets"] | added["secrets"]
    for service in added["services"].values():
        assert set(service["secrets"]) <= set(known)
    assert set(SERVICE["secrets"]) < set(added["services"]["publisher"]["secrets"])
    (volume,) = added["services"]["postgresql"]["volumes"]
    assert volume.partition(":")[0] in added["volumes"]
    # The URL is read as the setting of its name.
    own = set(added["services"]["publisher"]["secrets"]) - set(SERVICE["secrets"])
    assert own == {"PUBLISHER_DATABASE__URL"}
