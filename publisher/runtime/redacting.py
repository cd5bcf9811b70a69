"""The settings' text without its secrets: everything else in it stays as it is written."""

import re
import tomllib
from copy import deepcopy
from typing import Any

from publisher.errors import PublisherError
from publisher.settings_errors import SECRETS, mask

_LEFT_OUT = "# {name} was left out of the export\n"
_WEBHOOK = "webhook"
# A file's name, which lets nobody in; the file itself is not exported.
_NAMES = {"private_key"}
# A value of more lines than these is no secret's.
_MOST_LINES = 200

Place = tuple[str | int, ...]


def leave_secrets_out(text: str, name: str) -> tuple[str, list[str]]:
    """The text without its secrets, and what they were, such as `smtp.password`.

    Raises PublisherError for a secret that does not stand in lines of its own.
    """
    left = []
    while place := _find_secret(tomllib.loads(text), ()):
        text = _cut(text, place, name)
        left.append(_name(place))
    return text, left


def _find_secret(value: Any, place: Place) -> Place | None:
    """Where the first secret is: the keys and numbers that lead to it."""
    key = next((part for part in reversed(place) if isinstance(part, str)), "")
    if key == _WEBHOOK and len(place) == 1 and isinstance(value, list):
        return (*place, 0)  # its URL is all that it takes to use it
    if isinstance(value, dict) and key not in SECRETS - {_WEBHOOK}:
        items: list[tuple[str | int, Any]] = list(value.items())
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        items = list(enumerate(value))
    else:
        is_secret = value not in ("", [], {}) and mask(value, key) != value
        return place if is_secret and key not in _NAMES else None
    found = (_find_secret(inner, (*place, part)) for part, inner in items)
    return next((each for each in found if each), None)


def _cut(text: str, place: Place, name: str) -> str:
    """Take out the lines of one key, or of one table: those without which all else stays."""
    wanted = _without(tomllib.loads(text), place)
    lines = text.splitlines(keepends=True)
    note = _LEFT_OUT.format(name=_name(place))
    begins = _begin_of(place)
    for first, line in enumerate(lines):
        if not begins.match(line):
            continue
        for last in range(first, min(first + _MOST_LINES, len(lines))):
            rest = "".join([*lines[:first], note, *lines[last + 1 :]])
            if _parse(rest) == wanted:
                return rest
    raise PublisherError(
        f"{name}: {_name(place)} cannot be left out, since it does not stand in a line of its own;"
        " give it one, or put it into the environment"
    )


def _begin_of(place: Place) -> re.Pattern[str]:
    if place[0] == _WEBHOOK:
        return re.compile(r"\s*\[\[\s*webhook\s*\]\]")
    return re.compile(rf"""\s*["']?{re.escape(str(place[-1]))}["']?\s*=""")


def _name(place: Place) -> str:
    return ".".join(part for part in place if isinstance(part, str))


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _without(settings: dict[str, Any], place: Place) -> dict[str, Any]:
    copied = deepcopy(settings)
    inner: Any = copied
    for part in place[:-1]:
        inner = inner[part]
    del inner[place[-1]]
    if place[0] == _WEBHOOK and not inner:
        del copied[_WEBHOOK]
    return copied
