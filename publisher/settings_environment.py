"""Environment variables over publisher.toml: `PUBLISHER_<TABLE>__<KEY>`."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, get_origin

import msgspec

from publisher.errors import SettingsError
from publisher.settings_errors import (
    Explainer,
    is_array_of_tables,
    suggest,
    table_in,
    types_in,
)

PREFIX = "PUBLISHER_"

Hook = Callable[[type, Any], Any]


def lay_over(
    raw: dict[str, Any],
    root: type[msgspec.Struct],
    environment: Mapping[str, str],
    hook: Hook,
    own: str = "",
) -> dict[str, str]:
    """Lay the environment's keys over decoded settings; give the variable of each such key.

    `own` is what the variables begin with that are for one of several publications alone: they go
    before those for all.

    In an array of tables the number behind its name says which, or its own name where the file has
    one: `PUBLISHER_SMTP__1__HOST`, `PUBLISHER_SMTP__BACKUP__HOST`; without either the first is
    meant. Lists are parted by commas. Raises SettingsError naming the variable.
    """
    origins: dict[str, str] = {}
    ours = [each for each in environment if each.startswith(PREFIX)]
    if own:
        names = {each: each.removeprefix(PREFIX) for each in ours if each[len(PREFIX) :][:1] != "_"}
        mine = {each: each.removeprefix(own) for each in ours if each.startswith(own)}
    else:
        names, mine = {each: each.removeprefix(PREFIX) for each in ours}, {}
    for found in (names, mine):
        for variable, name in sorted(found.items(), key=lambda each: _order(each[1].lower())):
            name = name.lower()
            if "__" not in name:
                _reject_misspelt(variable, name, root)
                continue
            setter = _Setter(variable, environment[variable], hook)
            origins[setter.set(raw, root, name.split("__"))] = variable
    return origins


def _order(name: str) -> tuple[str, int, str]:
    """An array's first table comes before its second, with its number or without."""
    table, _, rest = name.partition("__")
    number = rest.partition("__")[0]
    return table, int(number) if number.isdecimal() else 0, rest


def _reject_misspelt(variable: str, name: str, root: type[msgspec.Struct]) -> None:
    """A key behind one underscore would silently have no effect; other names are not ours."""
    for table, type_ in types_in(root).items():
        keys = list(types_in(table_in(type_) or root))
        key = name.removeprefix(f"{table}_")
        if name == table or (key != name and key in keys):
            right = f"{PREFIX}{table}__{keys[0] if name == table else key}".upper()
            raise SettingsError(f"{variable} means nothing; did you mean {right}?")


class _Setter:
    """Sets one key from one variable."""

    def __init__(self, variable: str, text: str, hook: Hook) -> None:
        self.variable = variable
        self.text = text
        self.hook = hook

    def set(
        self, place: Any, table: type[msgspec.Struct], steps: list[str], shown: str = ""
    ) -> str:
        """Set the key below a table; give it as the Explainer writes it."""
        name, *rest = steps
        type_ = self._type_of(name, table, shown)
        shown = f"{shown}.{name}" if shown else name
        inner = table_in(type_)
        if inner is None:
            self._set_value(place, name, type_, table, shown, rest)
            return shown
        index = _pop_index(place, name, inner, rest) if is_array_of_tables(type_) else 0
        if not rest:
            raise SettingsError(
                f"{self.variable}: {shown} is a table; name one of its keys behind two"
                f" underscores: {', '.join(types_in(inner))}"
            )
        place = self._enter(place, name, index if is_array_of_tables(type_) else None)
        return self.set(place, inner, rest, f"{shown}[{index}]" if index else shown)

    def _type_of(self, name: str, table: type[msgspec.Struct], shown: str) -> Any:
        known = types_in(table)
        if name not in known:
            key = f"{shown}.{name}" if shown else name
            what = "key" if shown else "table"
            raise SettingsError(
                f"{self.variable} ({key}): this {what} is unknown; {suggest(name, list(known))}"
            )
        return known[name]

    def _enter(self, place: Any, name: str, index: int | None) -> Any:
        """The table of that name, or of an array the one at `index`.

        What the file has of another type is left alone: it is an error of the file.
        """
        if not isinstance(place, dict):
            return None
        if index is None:
            return place.setdefault(name, {})
        tables = place.get(name, [])
        tables = place[name] = [tables] if isinstance(tables, dict) else tables
        if not isinstance(tables, list):
            return None
        if index > len(tables):
            raise SettingsError(
                f"{self.variable}: {name} has no table number {index}; they count from 0, and the"
                f" next one would be {len(tables)}"
            )
        if index == len(tables):
            tables.append({})
        return tables[index]

    def _set_value(
        self,
        place: Any,
        name: str,
        type_: Any,
        table: type[msgspec.Struct],
        shown: str,
        rest: list[str],
    ) -> None:
        if rest:
            raise SettingsError(f"{self.variable}: {shown} is no table, and has no keys")
        value = self._split(type_)
        try:
            converted = msgspec.convert(value, type_, strict=False, dec_hook=self.hook)
        except msgspec.ValidationError as error:
            explainer = Explainer(table, "", {shown: self.variable})
            right = explainer.right(str(error).partition(" - at ")[0], [name])
            raise SettingsError(explainer.say(shown, self.text, right)) from None
        if isinstance(place, dict):
            # As the file would have it: a duration is text there.
            place[name] = value if isinstance(converted, timedelta) else converted

    def _split(self, type_: Any) -> Any:
        """The text as a list (`a, b`) or a table (`a=1, b=2`) where the key is one."""
        parts = [part.strip() for part in self.text.split(",") if part.strip()]
        if get_origin(type_) is tuple:
            return parts
        if get_origin(type_) is dict:
            pairs = (part.partition("=") for part in parts)
            return {name.strip(): value.strip() for name, _, value in pairs}
        return self.text


def _pop_index(place: Any, name: str, inner: type[msgspec.Struct], rest: list[str]) -> int:
    """Which table of an array is meant, by its number or its name; a hyphen in that is `_`."""
    if rest and rest[0].isdecimal():
        return int(rest.pop(0))
    tables = place.get(name) if isinstance(place, dict) else None
    if not isinstance(tables, list) or not rest or rest[0] in types_in(inner):
        return 0
    names = [each.get("name") if isinstance(each, dict) else None for each in tables]
    known = [str(each).lower().replace("-", "_") for each in names]
    return known.index(rest.pop(0)) if rest[0] in known else 0
