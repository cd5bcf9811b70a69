"""The systemd units: as systemd itself reads them, and as little as they may."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from publisher.cli import COMMANDS
from publisher.settings import load_settings
from tests.test_settings import BASE

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(path for path in DEPLOY.iterdir() if path.suffix in (".service", ".timer"))
SERVICES = [path for path in UNITS if path.suffix == ".service"]

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze"
)


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def values(unit: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), re.M)


@needs_systemd
def test_systemd_has_nothing_against_them(tmp_path: Path) -> None:
    """It looks for the program, too, which is somewhere else here."""
    for unit in UNITS:
        text = unit.read_text().replace("/opt/publisher/bin/publisher", sys.executable)
        (tmp_path / unit.name).write_text(text)
    done = analyze("verify", "--man=no", *(tmp_path / unit.name for unit in UNITS))
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_they_may_little(unit: Path) -> None:
    """systemd's own measure, of 10: what has no such directives has 9.6."""
    done = analyze("security", "--offline=yes", "--threshold=15", unit)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_they_run_commands_that_exist_in_their_own_folder(unit: Path) -> None:
    (command,) = re.findall(r"/opt/publisher/bin/publisher (\w+)", values(unit, "ExecStart")[0])
    assert command in COMMANDS
    (folder,) = values(unit, "WorkingDirectory")
    assert folder == f"/var/lib/{values(unit, 'StateDirectory')[0].split()[0]}"
    assert values(unit, "User") == values(unit, "Group") == ["publisher"]


def test_credentials_are_settings_and_may_be_missing(tmp_path: Path) -> None:
    unit = DEPLOY / "publisher.service"
    loaded = dict(value.split(":") for value in values(unit, "LoadCredential"))
    assert loaded == {name: f"/etc/publisher/{name}" for name in loaded}
    assert values(unit, "SetCredential") == [f"{name}:\\n" for name in loaded]
    (tmp_path / "publisher.toml").write_text(BASE)
    settings = load_settings(tmp_path / "publisher.toml", dict.fromkeys(loaded, "secret"))
    assert settings.smtp[0].password == settings.inbound.password == "secret"


def test_the_timer_starts_a_service_of_ours() -> None:
    assert DEPLOY / "publisher-backup.service" in SERVICES
    assert values(DEPLOY / "publisher-backup.timer", "OnCalendar")


def test_the_service_has_the_time_that_an_end_may_take() -> None:
    from publisher.runtime.supervisor import _GRACE_SECONDS

    assert int(values(DEPLOY / "publisher.service", "TimeoutStopSec")[0]) > _GRACE_SECONDS
