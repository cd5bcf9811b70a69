"""Addresses of a former system, by the settings: feeds served in place, and what moved."""

from typing import NamedTuple
from urllib.parse import parse_qsl

import msgspec

from publisher.settings import Settings
from publisher.settings_values import to_ascii_url
from publisher.web.public.files import Elsewhere, decode_path, refer

# A query with more has nothing to do with an old address.
_MOST_PARAMETERS = 32


class InPlace(msgspec.Struct, frozen=True):
    """A feed that is served under another address; `path` is its own, below public/."""

    path: str


class _Known(NamedTuple):
    parameters: frozenset[tuple[str, str]]
    target: InPlace | str


class Addresses:
    """Finds the old addresses. One that has a query is meant whatever else a query has besides."""

    def __init__(self, settings: Settings) -> None:
        self._known: dict[str, list[_Known]] = {}
        for old, path in settings.feeds.aliases.items():
            self._add(old, InPlace(path.removeprefix("/")))
        for old, target in settings.web.redirects.items():
            self._add(old, target)
        for found in self._known.values():  # what says more goes first
            found.sort(key=lambda known: -len(known.parameters))

    def _add(self, old: str, target: InPlace | str) -> None:
        path, _, query = old.partition("?")
        parameters = frozenset(parse_qsl(query, keep_blank_values=True))
        self._known.setdefault(_normal(path), []).append(_Known(parameters, target))

    def find(self, sent: str, query: str) -> InPlace | Elsewhere | None:
        """What is meant by a path as it was sent, with a query or, where that is empty, without."""
        if not self._known:
            return None
        asked = _read_query(query)
        for parameters, target in self._known.get(_normal(sent), ()):
            if parameters <= asked and bool(parameters) == bool(query):
                return target if isinstance(target, InPlace) else _send_on(sent, target)
        return None


def _send_on(sent: str, target: str) -> Elsewhere:
    is_own = target.startswith("/")
    return Elsewhere(refer(sent, target) if is_own else to_ascii_url(target))


def _normal(path: str) -> str:
    """A path in its one spelling, with a slash at its end or without; as it is where it is none.

    It may have names that begin with a dot, as no file has: nothing is opened by it.
    """
    decoded = decode_path(path)
    return path if decoded is None else f"/{decoded.removesuffix('/')}"


def _read_query(query: str) -> frozenset[tuple[str, str]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return frozenset()
    return frozenset(pairs)
