"""Run one command: find it, run it, turn what went wrong into a message and an exit status."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

from publisher import __version__
from publisher.cli import COMMANDS, load
from publisher.cli.output import print_json, say
from publisher.errors import PublisherError


class LazyGroup(TyperGroup):
    """Knows every command's name and help, and imports only the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        help_ = _sentence(COMMANDS[cmd_name][1])
        if not _is_called(ctx, cmd_name):
            return TyperCommand(cmd_name, help=help_)
        info = CommandInfo(name=cmd_name, callback=load(cmd_name), help=help_)
        return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)


def _is_called(ctx: Any, name: str) -> bool:
    """In `--help` of the whole program no command's own module is needed."""
    return name in sys.argv[1:] or name in (*ctx.args, *ctx._protected_args)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


app = typer.Typer(
    cls=LazyGroup,
    name="publisher",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Compile one issue file into feeds, a newsletter and pages, and send it.",
)


@app.callback()
def _version(
    version: bool = typer.Option(False, "--version", is_eager=True, help="Print the version."),
) -> None:
    if version:
        print(__version__)
        raise typer.Exit


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status, as the contract says."""
    is_json = "--json" in arguments
    try:
        result = app(list(arguments), standalone_mode=False)
        return result if isinstance(result, int) else 0
    except typer.TyperException as error:
        return _failed(_usage(error), 2, is_json)
    except PublisherError as error:
        return _failed(str(error), error.exit_status, is_json)
    except typer.Exit as leave:
        return leave.exit_code
    except (KeyboardInterrupt, typer.Abort):
        say("Stopped.")
        return 130
    except BrokenPipeError:
        sys.stdout = None  # whoever read our output has left; nothing can be flushed to them
        return 2
    except OSError as error:
        return _failed(f"{error.filename or 'system'}: {error.strerror or error}", 2, is_json)
    except Exception as error:
        if os.environ.get("PUBLISHER_DEBUG"):
            raise
        defect = f"{type(error).__name__}: {error}"
        hint = "a defect of publisher; please report it, with what PUBLISHER_DEBUG=1 prints"
        return _failed(f"{defect} ({hint})", 2, is_json)


def _usage(error: Exception) -> str:
    """What was wrong with the command line, in one sentence."""
    return str(getattr(error, "format_message", error.__str__)())


def _failed(message: str, status: int, is_json: bool) -> int:
    say(f"publisher: {message}")
    if is_json:
        print_json({"error": message})
    return status
