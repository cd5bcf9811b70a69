"""Whether the settings of relays can be meant, and what each of several is called."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from publisher.settings_errors import types_in
from publisher.settings_tables import Smtp

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
# Behind `PUBLISHER_SMTP__` stands a key of the first relay, or a name.
_KEYS = frozenset(types_in(Smtp))
_A_NAME = "a name of small letters, digits and hyphens, which is no key of [smtp]"
_OWN_NAME = "a name of its own for each relay; without one it has its host's"

Wrong = tuple[str, Any, str]


def name_relays(tables: Sequence[Smtp]) -> tuple[Smtp, ...]:
    """The relays, of which each of several has a name: its own, or that of its host."""
    if len(tables) < 2:
        return tuple(tables)
    return tuple(each if each.name else replace(each, name=each.host) for each in tables)


def wrong_relays(tables: Sequence[Smtp]) -> list[Wrong]:
    """What cannot be meant of relays: (key, found, what would be right)."""
    wrong = [each for place, table in enumerate(tables) for each in _wrong(place, table)]
    if len(tables) < 2:
        return wrong
    hosts = [(_key(place, "host"), each.host) for place, each in enumerate(tables)]
    nameless = [(key, host, "the server's name") for key, host in hosts if not host]
    if wrong or nameless:
        return [*wrong, *nameless]
    names = [each.name for each in name_relays(tables)]
    return [
        (_key(place, "name"), name, _OWN_NAME)
        for place, name in enumerate(names)
        if name in names[:place]
    ]


def _wrong(place: int, table: Smtp) -> Iterator[Wrong]:
    if table.name and (table.name in _KEYS or not _NAME.fullmatch(table.name)):
        yield _key(place, "name"), table.name, _A_NAME
    grows = table.warm_up
    if grows.full < grows.first:
        right = f"as many as smtp.warm_up.first at least, which is {grows.first}"
        yield _key(place, "warm_up.full"), grows.full, right


def _key(place: int, key: str) -> str:
    return f"smtp[{place}].{key}" if place else f"smtp.{key}"
