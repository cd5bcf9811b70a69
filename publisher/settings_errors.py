"""What is wrong with a setting, in words: the key, what was found, and what would be right."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_origin

import msgspec

# Keys whose values are never shown. A webhook's or a heartbeat's URL is all that it takes to use
# it.
SECRETS = {"password", "secret_keys", "private_key", "webhook", "heartbeat"}
SECRETS |= {"secret", "generic_secret", "postmark_password"}
_STARS = "***"
# What a URL may hold besides: `//user:password@host`, `?password=…`.
_PASSWORD_IN_URL = re.compile(r"(://[^/\s:@]*:)[^/\s]*(?=@)|(\b(?:pass\w*|token|secret)=)[^&\s]+")
_LONGEST = 100

_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "object": "a table",
    "array": "a list",
}


def mask(value: Any, key: str = "") -> Any:
    """The value with every secret in it shown as stars; what is not set stays as it is."""
    is_secret = key in SECRETS
    if isinstance(value, dict) and key == "webhook" and "url" in value:  # not that of [alerts]
        return {name: mask(inner, key if name == "url" else name) for name, inner in value.items()}
    if isinstance(value, dict):
        return {name: mask(inner, key if is_secret else name) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [mask(inner, key) for inner in value]
    if is_secret:
        return _STARS if value not in ("", None) else value
    if isinstance(value, str):
        return _PASSWORD_IN_URL.sub(lambda match: f"{match[1] or match[2]}{_STARS}", value)
    return value


def table_in(type_: Any) -> type[msgspec.Struct] | None:
    """The table behind a type: itself, or inside an array or beside null; None where it is none."""
    for inner in (type_, *get_args(type_)):
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            return inner
    return None


def is_array_of_tables(type_: Any) -> bool:
    return get_origin(type_) is tuple and table_in(type_) is not None


def types_in(table: type[msgspec.Struct]) -> dict[str, Any]:
    """The keys of a table, as they are written, with their types."""
    return {field.encode_name: field.type for field in msgspec.structs.fields(table)}


def suggest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def explain_toml(message: str, text: str) -> str:
    """Turn tomllib's words into ours, without the value: a password may have lost its quotes."""
    fault, _, place = message.removesuffix(")").rpartition(" (at ")
    number = re.match(r"line (\d+)", place)
    where = f"line {number[1]}" if number else "at its end"
    line = text.split("\n")[int(number[1]) - 1] if number else ""
    key = re.match(r"\s*([\w.-]+)\s*=", line)
    if "overwrite" in fault or "twice" in fault:
        return f"{where}: something that stands above already is set a second time"
    if key and fault.startswith(("Invalid value", "Illegal character", "Expected newline")):
        return (
            f"{where}: the value of {key[1]} is not understood. Text stands between straight"
            f' quotes: {key[1]} = "…"'
        )
    return f"{where}: {fault[:1].lower()}{fault[1:]}"


class Explainer:
    """Explains errors in one settings file; `origins` are keys set by environment variables.

    Keys are dotted, an array's first table unmarked: `smtp.port`, `smtp[1].port`.
    """

    def __init__(self, root: type[msgspec.Struct], name: str, origins: Mapping[str, str]) -> None:
        self.root = root
        self.name = name
        self.origins = origins

    def explain(self, error: str, raw: Any) -> str:
        """Turn msgspec's words into ours."""
        message, _, path = error.partition(" - at `$")
        steps = re.findall(r"[^.\[\]`]+", path.replace("[...]", ""))
        if match := re.fullmatch(r"Object contains unknown field `(.*)`", message):
            where = self.where(_write_key([*steps, match[1]]))
            return f"{where}: this key is unknown; {self._suggest(match[1], steps)}"
        if match := re.fullmatch(r"Object missing required field `(.*)`", message):
            return self._missing(steps, match[1])
        return self.say(_write_key(steps), _found(raw, steps), self.right(message, steps))

    def _suggest(self, name: str, steps: list[str]) -> str:
        """What was meant instead: a like key of this table, or the same one of another table."""
        known = list(types_in(self._table_at(steps)))
        for table, type_ in types_in(self.root).items():
            is_there = name in types_in(table_in(type_) or self.root)
            if is_there and not get_close_matches(name, known):
                return f"it belongs into the table [{table}]"
        return suggest(name, known)

    def _missing(self, steps: list[str], name: str) -> str:
        if steps:
            return f"{self.where(_write_key([*steps, name]))}: this key is required and missing"
        fields = msgspec.structs.fields(self._table_at([name]))
        needed = ", ".join(field.encode_name for field in fields if field.required)
        return f"{self.name}: the table [{name}] is missing; it holds at least {needed}"

    def right(self, message: str, steps: list[str]) -> str:
        """What would be right at a key, from msgspec's words for what is wrong there."""
        type_ = self._type_at(steps)
        if match := re.match(r"Expected `([a-z]+)[^`]*`, got `(\w+)`", message):
            if is_array_of_tables(type_) and not steps[-1].isdigit():
                return f"a table [{steps[-1]}], or several [[{steps[-1]}]]"
            return _EXPECTED.get(match[1], match[1])
        if match := re.match(r"Expected `\w+` (>=|<=|>|<) (\S+)", message):
            return f"a number {match[1]} {match[2].removesuffix('.0')}"
        if message.startswith("Invalid enum value"):
            return " or ".join(f'"{choice}"' for choice in get_args(type_))
        return message

    def say(self, key: str, found: Any, right: str) -> str:
        """One sentence: where, what was found, what would be right."""
        masked = mask(found, re.split(r"[.\[]", key)[-1])
        # JSON has no infinity, TOML has.
        is_float = isinstance(masked, float)
        shown = repr(masked) if is_float else msgspec.json.encode(masked, enc_hook=str).decode()
        if len(shown) > _LONGEST:
            shown = f"{shown[:_LONGEST]}…"
        return f"{self.where(key)}: found {shown}, expected {right}"

    def where(self, key: str) -> str:
        variable = self.origins.get(key)
        return f"{variable} ({key})" if variable else f"{self.name}: {key}"

    def _table_at(self, steps: list[str]) -> type[msgspec.Struct]:
        return table_in(self._type_at(steps)) or self.root

    def _type_at(self, steps: list[str]) -> Any:
        """The type at a key; where the key leads into a list of words, that list's."""
        type_: Any = self.root
        for step in steps:
            table = table_in(type_)
            if table and not step.isdigit():
                type_ = types_in(table).get(step)
        return type_


def _write_key(steps: list[str]) -> str:
    """`smtp.0.port` stands for what the operator knows as smtp.port."""
    shown = ""
    for place, step in enumerate(steps):
        if not step.isdigit():
            shown += f".{step}" if shown else step
        elif step != "0" or place == len(steps) - 1:
            shown += f"[{step}]"
    return shown


def _found(raw: Any, steps: list[str]) -> Any:
    for step in steps:
        try:
            raw = raw[int(step)] if isinstance(raw, list) else raw[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return raw
