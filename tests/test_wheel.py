"""The program as people get it: from a wheel, without the checkout, in a folder of their own."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest

from publisher.cli import COMMANDS

ROOT = Path(__file__).parent.parent

# One worker makes the environment, for all of them.


class Installed:
    """An environment that has the wheel and, of the checkout, nothing."""

    def __init__(self, folder: Path) -> None:
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")

    def __call__(
        self, *arguments: str, cwd: Path, program: str = "publisher"
    ) -> subprocess.CompletedProcess[str]:
        command = [str(self.scripts / program), *arguments]
        return subprocess.run(
            command, cwd=cwd, capture_output=True, check=False, text=True, env=_environment()
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, built by the same backend as in a release."""
    folder = tmp_path_factory.mktemp("wheel")
    # The backend is in our environment already, so that no test needs the network.
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    _pip("wheel", *options, "--wheel-dir", str(folder), str(ROOT))
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def publisher(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    installed = Installed(folder)
    python = str(installed.scripts / "python")
    _pip("--python", python, "install", "--no-deps", "--no-index", str(wheel))
    # The libraries come from the environment of the tests. Its own .pth files, one of which leads
    # to the checkout, are not followed from here.
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(f"{Path(msgspec.__file__).parents[1]}\n")
    return installed


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=_environment())
    assert done.returncode == 0, done.stdout + done.stderr


def _environment() -> dict[str, str]:
    hidden = ("PYTHONPATH", "PYTHONHOME")
    kept = {k: v for k, v in os.environ.items() if k not in hidden and "PUBLISHER_" not in k}
    return kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def test_templates_and_the_sample_travel_in_the_wheel(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    for folder in ("templates", "issues", "media"):
        for file in (ROOT / folder).rglob("*"):
            part = "" if folder == "templates" else "sample/"
            if file.is_file() and not file.name.startswith("."):
                path = file.relative_to(ROOT).as_posix()
                assert f"publisher/packaged/{part}{path}" in names
    assert "publisher/packaged/sample/publisher.toml" in names


def test_nothing_else_travels_in_the_wheel(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"publisher"}


def test_the_checkout_is_out_of_reach(publisher: Installed, tmp_path: Path) -> None:
    code = "import publisher; print(publisher.__file__)"
    done = publisher("-c", code, cwd=tmp_path, program="python")
    assert Path(done.stdout).is_relative_to(publisher.scripts.parent)


def test_demo_works_from_an_empty_folder(publisher: Installed, tmp_path: Path) -> None:
    done = publisher("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (home,) = tmp_path.rglob("public/index.html")
    assert "The Lantern Daily" in home.read_text("utf-8")
    assert list(tmp_path.rglob("*.eml"))


def test_a_new_publication_builds(publisher: Installed, tmp_path: Path) -> None:
    folder = tmp_path / "news"
    for arguments, where in (
        (("init", "news"), tmp_path),
        (("build",), folder),
        (("new",), folder),
        (("check",), folder),
    ):
        done = publisher(*arguments, cwd=where)
        assert done.returncode == 0, done.stdout + done.stderr
    (draft,) = (folder / "issues").glob("*.md")
    draft.write_text(draft.read_text("utf-8").replace("status: draft", "status: ready"), "utf-8")
    done = publisher("build", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "public" / "issues" / draft.stem / "email.html").exists()


def test_every_command_explains_itself(publisher: Installed, tmp_path: Path) -> None:
    """All in one process, since each would take a second of its own."""
    code = (
        "from publisher.cli import COMMANDS; from publisher.cli.run import run\n"
        "for name in COMMANDS: assert run([*name.split(), '--help']) == 0; print('=', name)"
    )
    done = publisher("-c", code, cwd=tmp_path, program="python")
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^= (.+)$", done.stdout, re.M) == list(COMMANDS)


def test_what_is_due_is_done_and_completed(publisher: Installed, tmp_path: Path) -> None:
    """`run --once` has the database, its migrations and the site; completion its own table."""
    assert publisher("init", "news", cwd=tmp_path).returncode == 0
    folder = tmp_path / "news"
    settings = folder / "publisher.toml"
    written = settings.read_text("utf-8")
    settings.write_text(
        written.replace("# from =", "from =").replace("# postal", "postal"), "utf-8"
    )
    done = publisher("run", "--once", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "public" / "index.html").exists()
    assert (folder / "publisher.db").exists()
    done = publisher("completion", "bash", "--", "init", "--t", cwd=folder)
    assert done.stdout.split() == ["--title", "--time-zone"]


def test_build_in_an_empty_folder_says_what_to_do(publisher: Installed, tmp_path: Path) -> None:
    done = publisher("build", cwd=tmp_path)
    assert done.returncode == 2
    assert "publisher init DIR" in done.stderr
