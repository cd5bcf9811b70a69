"""A release: refused where it cannot be right, and whole and repeatable where it is made."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.audit import main as audit
from deploy.release import Refused, date_changelog, hatch, read_version, require_ready
from publisher import __version__

ROOT = Path(__file__).parents[2]
CHANGELOG = (
    "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.0.9 - 2025-01-01\n\n- X.\n"
)
BEHIND = "9.0.0"


class Repository:
    """A scratch repository with just what a release looks at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("pyproject.toml", f'[project]\nversion = "{__version__}"\n')
        self.write("publisher/__init__.py", f'__version__ = "{__version__}"\n')
        self.write("CHANGELOG.md", CHANGELOG)
        self.git("init", "--quiet")
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "Begin")

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(exist_ok=True)
        (self.folder / path).write_text(text)

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@daily.example")
        subprocess.run(["git", *who, *words], cwd=self.folder, check=True)

    def refused(self, version: str) -> str:
        with pytest.raises(Refused) as raised:
            require_ready(self.folder, version)
        return str(raised.value)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_release_may_begin(repository: Repository) -> None:
    require_ready(repository.folder, BEHIND)
    require_ready(repository.folder, __version__)  # which was never tagged


@pytest.mark.parametrize("version", ["", "1", "1.2", "v1.2.3", "1.2.3rc1", "01.2.3", "1.2.3 "])
def test_what_is_no_version(repository: Repository, version: str) -> None:
    assert "say it as in: make release VERSION=1.2.3" in repository.refused(version)


def test_what_cannot_be_released(repository: Repository) -> None:
    assert f"is before {__version__}" in repository.refused("0.0.1")
    repository.git("tag", f"v{BEHIND}")
    assert f"there is a tag v{BEHIND} already" in repository.refused(BEHIND)
    repository.write("new", "")
    assert "not committed" in repository.refused("9.0.1")


def test_versions_that_do_not_agree(repository: Repository) -> None:
    repository.write("pyproject.toml", 'version = "3.2.1"\n')
    assert "the version is not one" in repository.refused(BEHIND)


def test_the_version_of_this_checkout_is_one() -> None:
    assert read_version(ROOT) == __version__


def test_the_changelog_is_dated() -> None:
    dated = date_changelog(CHANGELOG, "0.1.0", "2025-12-15")
    assert dated.startswith("# Changelog\n\n## Unreleased\n\n## 0.1.0 - 2025-12-15\n\n### Added\n")
    with pytest.raises(Refused, match="say there what has changed"):
        date_changelog(dated, "0.2.0", "2025-12-16")


def test_an_audit_that_asked_nobody_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no network, the tool ends without an answer."""
    silent = tmp_path / "pip-audit"
    silent.write_text("#!/bin/sh\necho no route to host >&2\nexit 1\n")
    silent.chmod(0o755)
    assert audit(str(silent)) == 2
    assert "no route to host\nNothing was audited" in capsys.readouterr().err


@pytest.mark.long
def test_a_wheel_of_the_same_moment_has_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        hatch(ROOT, tmp_path / name, "1765756800", "wheel")
    (one,), (other,) = (list((tmp_path / name).iterdir()) for name in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.long
def test_a_release_from_beginning_to_end(tmp_path: Path) -> None:
    """In a clone; it fetches what the locks pin."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    subprocess.run([sys.executable, "-m", "venv", clone / ".venv" / "ship"], check=True)
    lock = ROOT / "deploy" / "locks" / "ship.txt"
    pip = [str(clone / ".venv/ship/bin/pip"), "install", "--quiet", "--require-hashes"]
    if subprocess.run([*pip, "-r", str(lock)], check=False).returncode:
        pytest.skip("what the lock pins cannot be fetched")
    (clone / "CHANGELOG.md").write_text(CHANGELOG)
    names = {
        f"GIT_{who}_{what}": "t@daily.example"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment = os.environ | names
    subprocess.run(["git", "commit", "-qam", "Say it"], cwd=clone, env=environment, check=True)
    command = [sys.executable, "-m", "deploy.release", BEHIND]
    done = subprocess.run(
        command, cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"git push origin HEAD v{BEHIND}" in done.stdout
    assert read_version(clone) == BEHIND
    tagged = ["git", "describe", "--exact-match"]
    assert subprocess.check_output(tagged, cwd=clone, text=True).strip() == f"v{BEHIND}"
    sums = (clone / "dist" / f"publisher-{BEHIND}.sha256").read_text().splitlines()
    assert len(sums) == 3
    for digest, name in (line.split("  ") for line in sums):
        assert hashlib.sha256((clone / "dist" / name).read_bytes()).hexdigest() == digest
    inventory = json.loads((clone / "dist" / f"publisher-{BEHIND}.cdx.json").read_text())
    assert inventory["metadata"]["component"]["version"] == BEHIND
    assert {"lxml", "sqlalchemy"} <= {each["name"].lower() for each in inventory["components"]}
    left = subprocess.check_output(["git", "status", "--porcelain"], cwd=clone, text=True)
    assert left == ""
