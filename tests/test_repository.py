"""Rules about the repository as a whole that no other tool looks after."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "publisher"
MODULES = sorted(PACKAGE.rglob("*.py"))

# These decide and render: no file, no socket, no clock, no chance. Everything is handed in, so
# the same input gives the same bytes. The import contract names what they may not import.
PURE = ("model", "intake", "sources", "preflight", "render", "message", "mailing")
PURE_MODULES = sorted(path for name in PURE for path in (PACKAGE / name).rglob("*.py"))

MAX_LINES = 400

TOP_LEVEL = {
    *(".ci", ".gitattributes", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md"),
    *("deploy", "docs", "issues", "media", "publisher", "publisher.toml", "pyproject.toml"),
    *("templates", "tests"),
}

_IMPURE_MODULES = {"http.client", "http.server", "urllib.request", "random", "secrets", "time"}
_IMPURE_FUNCTIONS = {"breakpoint", "eval", "exec", "input", "open", "print", "__import__"}
_IMPURE_METHODS = {
    # the clock
    *("now", "utcnow", "today", "time_ns", "monotonic", "perf_counter"),
    # files, in the words of pathlib and os
    *("open", "read_text", "read_bytes", "write_text", "write_bytes", "touch", "unlink", "mkdir"),
    *("rmdir", "iterdir", "glob", "rglob", "exists", "is_file", "is_dir", "stat", "lstat"),
    *("listdir", "scandir", "walk", "urlopen", "system", "popen"),
    # chance
    *("urandom", "token_hex", "token_bytes", "token_urlsafe", "uuid1", "uuid4"),
}


def find_impure(source: str) -> list[tuple[int, str]]:
    """Lines and names of what touches files, the network, the clock or chance."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                found += [(node.lineno, n.name) for n in names if n.name in _IMPURE_MODULES]
            case ast.ImportFrom(module=str(module), names=names):
                full = [module, *(f"{module}.{name.name}" for name in names)]
                found += [(node.lineno, name) for name in full if name in _IMPURE_MODULES]
            case ast.Call(func=ast.Name(name)) if name in _IMPURE_FUNCTIONS:
                found.append((node.lineno, name))
            case ast.Call(func=ast.Attribute(attr=name)) if name in _IMPURE_METHODS:
                found.append((node.lineno, name))
    return found


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_what_decides_and_renders_is_pure() -> None:
    found = {_name(path): find_impure(path.read_text("utf-8")) for path in PURE_MODULES}
    assert {name: impure for name, impure in found.items() if impure} == {}
    assert len(found) > 50


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("open('a')", "open"),
        ("def f():\n    return Path('a').read_text()", "read_text"),
        ("p.write_bytes(b'')", "write_bytes"),
        ("datetime.now(UTC)", "now"),
        ("datetime.datetime.now()", "now"),
        ("date.today()", "today"),
        ("import random", "random"),
        ("from time import time", "time"),
        ("from secrets import token_hex", "secrets"),
        ("from urllib import request", "urllib.request"),
        ("import urllib.request", "urllib.request"),
    ],
)
def test_what_is_impure_is_found(source: str, name: str) -> None:
    assert [found for _, found in find_impure(source)] == [name]


def test_what_is_pure_is_not_found() -> None:
    assert find_impure("from urllib.parse import quote\nx = render(now, seed)\n") == []


def test_modules_can_be_read_in_one_go() -> None:
    lines = {_name(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def _repository_files() -> Iterator[str]:
    """What is committed, or would be: everything that .gitignore does not name."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    yield from (path for path in listed.split("\0") if path and (ROOT / path).is_file())


def test_the_top_level_is_kept_small() -> None:
    assert {path.partition("/")[0] for path in _repository_files()} <= TOP_LEVEL


def _pattern_of_a_machine() -> re.Pattern[str]:
    """Paths of somebody's machine, and the hosts of package registries.

    A path that begins in the middle of a URL or of another path is none.
    """
    paths = r"(?<![\w./])/(?:home|root|Users|work|tmp|mnt|srv)/\w"
    hosts = r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|crates\.io|deb\.debian\.org)"
    here = re.escape(f"{ROOT}/") + r"\w"
    return re.compile(f"{paths}|{hosts}|{here}")


def test_no_file_names_a_machine_or_a_registry() -> None:
    pattern = _pattern_of_a_machine()
    found = []
    for path in _repository_files():
        try:
            text = (ROOT / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


def test_a_machine_is_recognised() -> None:
    pattern = _pattern_of_a_machine()
    for folder in ("home", "tmp", "work"):
        assert pattern.search(f'open("/{folder}/x")')
    assert pattern.search(f"see {ROOT}/publisher")
    assert pattern.search("https://registry.npmjs" + ".org/x")
    assert not pattern.search("https://daily.example/home/x and a/tmp/b")


def test_ci_is_what_a_person_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111, "git add --chmod=+x .ci/run"
    lines = [line for line in script.read_text().splitlines() if line and line[0] != "#"]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "make test"]
