"""What a command does with the file of several publications: for one of them, or for each."""

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from functools import partial
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import msgspec

from publisher.cli.output import print_json, say, show
from publisher.errors import PublisherError
from publisher.settings import SeveralPublications
from publisher.settings_installation import Installation, Member, find_settings, load_installation

# The commands that do all of them, with what belongs to one publication alone: an issue's name, a
# folder to write into.
_FOR_EACH = {
    "build": ("output",),
    "check": ("names",),
    "doctor": (),
    "schedule": (),
    "status": ("name",),
}
# Which exit status counts for all: what is wrong goes before what is not finished.
_GRAVEST = (2, 1, 4, 3, 5, 0)


def require_installation(path: Path) -> Installation:
    """The several publications that a file names. Raises SettingsError where it is one's own."""
    if (found := load_installation(path)) is None:
        raise PublisherError(f"{path} is of one publication; leave --publication out")
    return found


def choose(config: Path, name: str) -> Path:
    """The settings of the publication that is meant. Raises SettingsError."""
    installation = require_installation(config)
    return find_settings(installation, installation.find(name))


def do_each(error: SeveralPublications, command: str, params: Mapping[str, Any], act: Any) -> int:
    """Do a command for each publication, and give the gravest exit status.

    One that fails is told, and the others have their turn. Raises what was said where the command
    is for one publication.
    """
    if command not in _FOR_EACH or any(params.get(each) for each in _FOR_EACH[command]):
        raise error
    installation, is_json = require_installation(error.path), bool(params.get("json"))
    statuses, documents = [], []

    def do(member: Member) -> int:
        done: int = act(**{**params, "config": find_settings(installation, member)})
        return done

    for member in installation.members:
        if is_json:
            status, document = _capture(partial(do, member))
            documents.append({"publication": member.name} | document)
        else:
            show(f"{member.name}:")
            status, document = _try(partial(do, member))
        if fault := document.get("error"):
            say(f"publisher: {member.name}: {fault}")
        statuses.append(status)
    if is_json:
        print_json({"publications": documents})
    return find_gravest(statuses)


def find_gravest(statuses: list[int]) -> int:
    return min(statuses, key=lambda each: _GRAVEST.index(each) if each in _GRAVEST else 0)


def _try(act: Callable[[], int]) -> tuple[int, dict[str, Any]]:
    try:
        return act(), {}
    except PublisherError as error:
        return error.exit_status, {"error": str(error)}
    except OSError as error:
        return 2, {"error": str(error)}


def _capture(act: Callable[[], int]) -> tuple[int, dict[str, Any]]:
    """Do something that prints a JSON document, and give that."""
    kept = BytesIO()
    with redirect_stdout(TextIOWrapper(kept, "utf-8", write_through=True)):
        status, fault = _try(act)
        sys.stdout.flush()
        data = kept.getvalue()
    return status, fault or (msgspec.json.decode(data) if data else {})
