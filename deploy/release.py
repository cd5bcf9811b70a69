"""Make a release: `python -m deploy.release [--check] VERSION`, in a clean checkout.

All is done and checked in a worktree beside it: where anything fails, nothing has changed here.
Nothing is uploaded.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.sbom import install, write_sbom

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_UNRELEASED = re.compile(r"^## Unreleased\n(.*?)(?=^## |\Z)", re.M | re.S)
_WRITTEN = {  # where the version stands, and how
    "pyproject.toml": re.compile(r'^version = "([^"]+)"$', re.M),
    "publisher/__init__.py": re.compile(r'^__version__ = "([^"]+)"$', re.M),
}
_CYCLONEDX = Path(".venv/ship/bin/cyclonedx-py")


class Refused(Exception):
    """Why there is no release."""


def main(*words: str) -> int:
    """Check, or make the release; exit status 2 where it is refused."""
    *options, version = words
    root = Path.cwd()
    try:
        require_ready(root, version)
        if "--check" not in options:
            make_release(root, version)
    except Refused as error:
        sys.stderr.write(f"no release: {error}\n")
        return 2
    return 0


def require_ready(root: Path, version: str) -> None:
    """Raise Refused where a release cannot begin: nothing was touched then."""
    now = read_version(root)
    if not _VERSION.fullmatch(version):
        raise Refused(f"{version!r} is no version; say it as in: make release VERSION=1.2.3")
    if _numbers(version) < _numbers(now):
        raise Refused(f"{version} is before {now}, which the checkout has")
    if _git(root, "status", "--porcelain"):
        raise Refused("there are changes that are not committed; `git status` lists them")
    if f"v{version}" in _git(root, "tag").split():
        raise Refused(f"there is a tag v{version} already")
    date_changelog((root / "CHANGELOG.md").read_text("utf-8"), version, "")


def read_version(root: Path) -> str:
    """The version that the checkout has. Raises Refused where its files do not agree."""
    found = {
        path: match[1] if (match := pattern.search((root / path).read_text("utf-8"))) else ""
        for path, pattern in _WRITTEN.items()
    }
    if len(set(found.values())) != 1 or not _VERSION.fullmatch(next(iter(found.values()))):
        raise Refused(f"the version is not one: {found}")
    return next(iter(found.values()))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def date_changelog(text: str, version: str, day: str) -> str:
    """Give what is unreleased its version and day. Raises Refused where nothing is."""
    match = _UNRELEASED.search(text)
    if match is None or not re.search(r"^- ", match[1], re.M):
        raise Refused('CHANGELOG.md has nothing below "## Unreleased"; say there what has changed')
    return text.replace("## Unreleased\n", f"## Unreleased\n\n## {version} - {day}\n", 1)


def make_release(root: Path, version: str) -> None:
    """Commit, build twice, check and tag. Raises Refused; nothing of it is here then."""
    with TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        _git(root, "worktree", "add", "--quiet", "--detach", str(tree), "HEAD")
        try:
            commit = _commit(tree, version)
            made = _build(tree, Path(scratch))
            _check(root / _CYCLONEDX, tree, made, version)
        finally:
            _git(root, "worktree", "remove", "--force", str(tree))
        dist = root / "dist"
        dist.mkdir(exist_ok=True)
        for file in made:
            shutil.copy(file, dist)
        (dist / f"publisher-{version}.sha256").write_text(_sums(made))
    _git(root, "merge", "--quiet", "--ff-only", commit)
    _git(root, "tag", "--annotate", "--message", f"publisher {version}", f"v{version}")
    _say_next(version, [file.name for file in made])


def _commit(tree: Path, version: str) -> str:
    """Write the version and the changelog's day in a worktree; give the commit."""
    for path, pattern in _WRITTEN.items():
        text = (tree / path).read_text("utf-8")
        start, end = pattern.search(text).span(1)  # type: ignore[union-attr]  # it was read there
        (tree / path).write_text(text[:start] + version + text[end:], "utf-8")
    changelog = tree / "CHANGELOG.md"
    dated = date_changelog(changelog.read_text("utf-8"), version, f"{datetime.now(UTC):%Y-%m-%d}")
    changelog.write_text(dated, "utf-8")
    _git(tree, "commit", "--quiet", "--all", "--message", f"Release {version}")
    return _git(tree, "rev-parse", "HEAD")


def _build(tree: Path, scratch: Path) -> list[Path]:
    """Build an sdist and a wheel, and both once more. Raises Refused where bytes differ."""
    moment = _git(tree, "log", "-1", "--format=%ct")
    twice = [scratch / "first", scratch / "second"]
    for folder in twice:
        hatch(tree, folder, moment, "sdist", "wheel")
    made = sorted(twice[0].iterdir())
    # What somebody builds from the sdist is the wheel, too.
    (sdist,) = twice[0].glob("*.tar.gz")
    shutil.unpack_archive(sdist, scratch / "unpacked", filter="data")
    hatch(next((scratch / "unpacked").iterdir()), scratch / "third", moment, "wheel")
    for other in (twice[1], scratch / "third"):
        for file in other.iterdir():
            if file.read_bytes() != (twice[0] / file.name).read_bytes():
                raise Refused(f"{file.name} has other bytes when it is built again")
    return made


def hatch(tree: Path, target: Path, moment: str, *kinds: str) -> None:
    """Build below `target`, as of `moment` (seconds since 1970)."""
    words = [word for kind in kinds for word in ("--target", kind)]
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(target), *words]
    environment = os.environ | {"SOURCE_DATE_EPOCH": moment}
    done = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(f"it cannot be built: {done.stderr.strip()}")


def _check(cyclonedx: Path, tree: Path, made: list[Path], version: str) -> None:
    """Install the wheel with what the lock pins, away from here, and do the main job with it.

    What the installation consists of is added to what is `made`.
    """
    (wheel,) = [file for file in made if file.suffix == ".whl"]
    python = install(tree.with_name("environment"), [str(wheel)])
    empty = tree.with_name("empty")
    empty.mkdir()
    program = python.with_name("publisher")
    if _say(program, empty, "--version") != f"publisher {version}":
        raise Refused("the wheel has another version")
    _say(program, empty, "demo")
    inventory = made[0].with_name(f"publisher-{version}.cdx.json")
    write_sbom(str(cyclonedx), python, tree / "pyproject.toml", inventory)
    made.append(inventory)


def _say(program: Path, folder: Path, *words: str) -> str:
    done = subprocess.run(
        [program, *words], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(f"`publisher {' '.join(words)}` fails with the wheel: {done.stderr}")
    return done.stdout.strip()


def _sums(files: list[Path]) -> str:
    """As `sha256sum --check` reads them."""
    pairs = ((hashlib.sha256(file.read_bytes()).hexdigest(), file.name) for file in files)
    return "".join(f"{digest}  {name}\n" for digest, name in pairs)


def _say_next(version: str, names: list[str]) -> None:
    files = " ".join(f"dist/{name}" for name in names if not name.endswith(".json"))
    print(f"v{version} is committed, tagged and in dist/; nothing is uploaded. What is next:")
    print(f"  git push origin HEAD v{version}")
    print(f"  twine upload {files}")
    print(f"  docker build -f deploy/Dockerfile -t publisher:{version} .")


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"`git {words[0]}` fails: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
