"""The locks: what pyproject.toml asks for is pinned, each by hash, and they agree."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "deploy" / "locks"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ASKED = {
    "runtime": PROJECT["project"]["dependencies"],
    "postgresql": [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["postgresql"],
    ],
    "dev": [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
    ],
    "ship": PROJECT["dependency-groups"]["ship"],
    "build": PROJECT["build-system"]["requires"],
}


def read_pins(name: str) -> dict[str, str]:
    """Versions by name; each must have a hash."""
    pins = {}
    for entry in re.split(r"^(?=\w)", (LOCKS / f"{name}.txt").read_text(), flags=re.M):
        if match := re.match(r"([\w.-]+)==([^ ;]+)", entry):
            assert "--hash=sha256:" in entry, entry
            pins[str(canonicalize_name(match[1]))] = str(match[2])
    return pins


@pytest.mark.parametrize("name", ASKED)
def test_everything_asked_for_is_pinned(name: str) -> None:
    pins = read_pins(name)
    for text in ASKED[name]:
        asked = Requirement(text)
        pin = pins.get(canonicalize_name(asked.name))
        assert pin is not None, f"deploy/locks/{name}.txt lacks {asked.name}: make lock"
        assert asked.specifier.contains(pin), f"{asked.name}=={pin} is not {asked}: make lock"


def test_what_is_tested_is_what_is_shipped() -> None:
    dev = read_pins("dev")
    for shipped in map(read_pins, ("runtime", "postgresql")):
        assert {name: dev[name] for name in shipped} == shipped


def test_every_lock_has_a_purpose() -> None:
    assert {path.stem for path in LOCKS.iterdir()} == set(ASKED)
