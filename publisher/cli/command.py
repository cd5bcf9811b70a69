"""How a command line is read: each command is imported when it is called, and explains itself."""

import copy
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

from publisher.cli import COMMANDS, GROUPS, load
from publisher.errors import PublisherError
from publisher.settings import SeveralPublications


class Words:
    """Makes of a value's words what a command asks for: the words themselves, or a path.

    Typer would import pydantic for that, which takes as long as a small command.
    """

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        self.convert = convert

    def coerce(self, value: Any, param: object, ctx: object) -> Any:
        return value if value is None else self.convert(value)


_WORDS: dict[Any, Words] = {
    str: Words(str),
    bool: Words(bool),  # a flag that was not given is None
    Path: Words(Path),
    list[str]: Words(list),
}


def _adapt(params: list[Any]) -> list[Any]:
    """Options and arguments, without pydantic, and with help on help in our words."""
    for param in params:
        if param.name == "help":
            param.help = "Show this explanation."
        described = getattr(param, "type_descriptor", None)
        if words := _WORDS.get(getattr(described, "annotation", None)):
            # Where Typer keeps its own; a Typer that keeps it elsewhere is slower, not wrong.
            vars(param)["_runtime_param"] = words
    return params


def _beside(param: Any) -> list[Any]:
    """`--publication` beside `--config`: of several, which one."""
    if param.name != "config":
        return []
    beside = copy.copy(param)
    vars(beside).update(
        name="publication",
        opts=["--publication"],
        default=None,
        metavar="NAME",
        help="Which publication, where the settings are of several.",
        type_descriptor=copy.copy(param.type_descriptor),
    )
    vars(beside.type_descriptor).update(annotation=str)
    return [beside]


class Command(TyperCommand):
    """One command; the docstring of its function is its help."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.params = [each for param in self.params for each in (param, *_beside(param))]

    def get_params(self, ctx: Any) -> list[Any]:
        return _adapt(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run it: for the publication that is meant where a file is of several, or for each."""
        name = ctx.params.pop("publication", None)
        if name is None:
            try:
                return super().invoke(ctx)
            except SeveralPublications as error:
                from publisher.cli.several import do_each

                return do_each(error, self.name or "", ctx.params, self.callback)
        from publisher.cli.several import choose

        ctx.params["config"] = choose(ctx.params["config"], name)
        return super().invoke(ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return ["[OPTIONS]", *(_usage(param) for param in _arguments(self))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        rows = [(param.metavar or param.name, param.help or "") for param in _arguments(self)]
        if rows:
            with formatter.section("Arguments"):
                formatter.write_dl(rows)
        options = [p for p in self.get_params(ctx) if p.param_type_name == "option"]
        with formatter.section("Options"):
            formatter.write_dl([row for p in options if (row := p.get_help_record(ctx))])


def _arguments(command: Command) -> list[Any]:
    return [param for param in command.params if param.param_type_name == "argument"]


def _usage(argument: Any) -> str:
    name = argument.metavar or argument.name
    return name if argument.required else f"[{name}]"


class Commands(TyperGroup):
    """Knows every command's name and line of help, and imports only the one that is called.

    Below a first word, such as `subscribers`, it is those that begin with it.
    """

    first = ""

    def get_params(self, ctx: Any) -> list[Any]:
        return _adapt(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and self.first:
            listed = ", ".join(self.list_commands(ctx))
            raise PublisherError(
                f"a word is missing behind `publisher {self.first}`: {listed}.\n"
                f"See `publisher {self.first} --help`."
            )
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        if self.first:
            return [name.split()[1] for name in COMMANDS if name.startswith(f"{self.first} ")]
        return list(dict.fromkeys(name.split()[0] for name in COMMANDS))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        name = self._full(cmd_name)
        line = GROUPS[name] if name in GROUPS else COMMANDS[name][1]
        return TyperCommand(cmd_name, short_help=f"{line[0].upper()}{line[1:]}.")

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        return args[0], make_command(self._full(args[0])), args[1:]

    def _full(self, name: str) -> str:
        return f"{self.first} {name}".lstrip()


def make_command(name: str) -> Any:
    """Import a command. Raises PublisherError, with the nearest name, where there is none."""
    if name in GROUPS:
        return _make_group(name)
    if name not in COMMANDS:
        raise PublisherError(f"there is no command {name!r}; {_find_near(name)}")
    info = CommandInfo(name=name, cls=Command, callback=load(name))
    return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)


def _make_group(name: str) -> Commands:
    line = GROUPS[name]
    help_ = f"{line[0].upper()}{line[1:]}.\n\n`publisher {name} COMMAND --help` explains each."
    group = Commands(name=name, help=help_, rich_markup_mode=None)
    group.first = name
    return group


def _find_near(name: str) -> str:
    """The command that may be meant, also by its second word alone."""
    first, _, second = name.lower().partition(" ")
    below = [known for known in COMMANDS if " " in known]
    if first in GROUPS:
        known = {name.split()[1]: name for name in below if name.startswith(f"{first} ")}
    else:
        second = first
        known = {name.split()[1]: name for name in below}
        known |= {name: name for name in (*COMMANDS, *GROUPS) if " " not in name}
    if near := get_close_matches(second, known, 1):
        return f"did you mean {known[near[0]]}?"
    return f"`publisher {f'{first} ' if first in GROUPS else ''}--help` lists them all."


def explain(error: typer.TyperException, words: Sequence[str]) -> str:
    """Say what is wrong with the words of a command line, and where its help is."""
    name = _find_name(words)
    fault = _fault(error, name)
    return f"{fault}.\nSee `publisher {name}{' ' if name else ''}--help`."


def _find_name(words: Sequence[str]) -> str:
    """The command in the words of a command line, or its first word; empty where there is none."""
    for place, word in enumerate(words):
        if word in GROUPS:
            whole = " ".join(words[place : place + 2])
            return whole if whole in COMMANDS else word
        if word in COMMANDS:
            return word
    return ""


def _fault(error: Any, name: str) -> str:
    message = str(error.format_message())
    param = getattr(error, "param", None)
    if param and not str(error.message):
        return f"{param.metavar or param.name} is missing: {_lower(param.help or '')}"
    if hasattr(error, "possibilities"):
        return f"there is no option {error.option_name}{_suggest(error)}"
    if option := getattr(error, "option_name", None):
        lacks = "requires" in message
        return f"{option} needs a value behind it" if lacks else f"{option} takes no value"
    if extra := re.search(r"extra argument\(s\) \((.*)\)", message):
        return f"{name} takes no {extra[1]}"
    return _lower(message)


def _suggest(error: Any) -> str:
    option = error.option_name
    if error.ctx and isinstance(error.ctx.command, Commands) and option in ("--json", "--config"):
        return " here; options stand behind the command's name"
    return f"; did you mean {error.possibilities[0]}?" if error.possibilities else ""


def _lower(text: str) -> str:
    """A sentence as the end of another one."""
    return (text[:1].lower() + text[1:]).rstrip(".")
