"""What is wrong with a setting, in words: the key, what was found, and what would be right."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

import msgspec

# Keys whose values are never shown.
SECRETS = {"password", "secret_keys", "private_key", "webhook", "heartbeat"}

_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "object": "a table",
    "array": "a list",
}


class Explainer:
    """Explains errors in one settings file; `origins` are keys set by environment variables."""

    def __init__(self, root: type[msgspec.Struct], name: str, origins: Mapping[str, str]) -> None:
        self.root = root
        self.name = name
        self.origins = origins

    def explain(self, error: str, raw: Any) -> str:
        """Turn msgspec's words into ours."""
        message, _, path = error.partition(" - at `$")
        key = path.rstrip("`").lstrip(".").replace("[", ".").replace("]", "")
        # "smtp.0.port" stands for the table that the operator knows as smtp.port
        shown = re.sub(r"\.(\d+)(?=\.)", lambda m: "" if m[1] == "0" else f"[{m[1]}]", key)
        if match := re.fullmatch(r"Object contains unknown field `(.*)`", message):
            return self._unknown(shown, key, match[1])
        if match := re.fullmatch(r"Object missing required field `(.*)`", message):
            full = f"{shown}.{match[1]}" if shown else match[1]
            return f"{self._where(full)}: this key is required and missing"
        return self.say(shown, _found(raw, key), self._right(message, key))

    def _unknown(self, shown: str, key: str, name: str) -> str:
        known = self._known_keys(key)
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        where = self._where(f"{shown}.{name}" if shown else name)
        return f"{where}: this key is unknown; {hint}"

    def _right(self, message: str, key: str) -> str:
        if match := re.match(r"Expected `([a-z]+)[^`]*`, got `(\w+)`", message):
            return _EXPECTED.get(match[1], match[1])
        if match := re.match(r"Expected `\w+` (>=|<=|>|<) (\S+)", message):
            return f"a number {match[1]} {match[2]}"
        if message.startswith("Invalid enum value"):
            return " or ".join(str(choice) for choice in get_args(self._type_at(key)))
        return message

    def say(self, key: str, found: Any, right: str) -> str:
        """One sentence: where, what was found, what would be right."""
        shown = "***" if key.rsplit(".", 1)[-1] in SECRETS else repr(found)
        return f"{self._where(key)}: found {shown}, expected {right}"

    def _where(self, key: str) -> str:
        variable = self.origins.get(key)
        return f"{variable} ({key})" if variable else f"{self.name}: {key}"

    def _known_keys(self, key: str) -> list[str]:
        type_ = self._type_at(key)
        if not (isinstance(type_, type) and issubclass(type_, msgspec.Struct)):
            return []
        return [field.encode_name for field in msgspec.structs.fields(type_)]

    def _type_at(self, key: str) -> Any:
        """The type at a dotted key, through tuples and optionals, or None."""
        type_: Any = self.root
        for step in filter(None, key.split(".")):
            if step.isdigit():
                continue
            fields = {field.encode_name: field.type for field in msgspec.structs.fields(type_)}
            type_ = fields.get(step)
            for inner in get_args(type_):
                if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                    type_ = inner
            if type_ is None:
                return None
        return type_


def _found(raw: Any, key: str) -> Any:
    for step in key.split("."):
        try:
            raw = raw[int(step)] if isinstance(raw, list) else raw[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return raw
