"""What may stand behind each command, for completion: `python -m publisher.cli.words`.

Written into a file, since to ask the commands themselves takes their imports, a second in all, and
whoever has pressed Tab waits for them.
"""

import json
import sys
from typing import Any, get_args

from publisher.cli import COMMANDS
from publisher.cli.command import make_command
from publisher.model.access import ROLES, SCOPES
from publisher.model.audience import SubscriptionStatus
from publisher.model.delivery import DELIVERY_STATUSES
from publisher.runtime.log import LogFormat

# The values of what can be counted, by what help calls it.
_VALUES = {
    "FORMAT": get_args(LogFormat),
    "ROLE": ROLES,
    "SCOPE": tuple(SCOPES),
    "SHELL": ("bash", "zsh", "fish"),
    "STATUS": DELIVERY_STATUSES,
}
_OF_SUBSCRIBERS = {"STATUS": get_args(SubscriptionStatus)}
ISSUES = "issues"
PUBLICATIONS = "publications"


def write_words() -> str:
    """Write publisher/cli/words.json: of each command its arguments and options, one a line."""
    commands = (f"{_quote(name)}: {{\n{_write_command(name)}\n}}" for name in COMMANDS)
    return "{\n" + ",\n".join(commands) + "\n}\n"


def _write_command(name: str) -> str:
    described: dict[str, Any] = {}
    for param in make_command(name).params:
        for option in _names(param):
            described.setdefault(option, _describe(name, param))
    return ",\n".join(f" {_quote(option)}: {_quote(it)}" for option, it in described.items())


def _names(param: Any) -> list[str]:
    """How it is written in full; the first argument has no name on the command line, nor here."""
    if param.param_type_name == "argument":
        return [""]
    return [name for name in (*param.opts, *param.secondary_opts) if name.startswith("--")]


def _describe(name: str, param: Any) -> dict[str, Any]:
    """What it is for, and its values: a list, issues, publications, or anything (null).

    A flag has none.
    """
    metavar = (param.metavar or "").rstrip("…")
    described: dict[str, Any] = {"help": param.help}
    if not getattr(param, "is_flag", False):
        described["value"] = PUBLICATIONS if param.name == "publication" else _values(name, metavar)
    if param.nargs == -1 or getattr(param, "multiple", False):
        described["many"] = True
    return described


def _values(name: str, metavar: str) -> Any:
    group = name.partition(" ")[0] if " " in name else ""
    if metavar == "NAME" and not group:
        return ISSUES
    return (_VALUES | (_OF_SUBSCRIBERS if group == "subscribers" else {})).get(metavar)


def _quote(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(write_words())
