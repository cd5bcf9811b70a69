"""The command line: `publisher COMMAND [options]`, each command imported when it is called."""

import sys
from collections.abc import Callable
from importlib import import_module

# The module and the function of each command, in the order of `--help`. Help texts stand here, so
# that listing them imports nothing.
COMMANDS = {
    "init": ("publication", "make a new publication's folder, ready to build"),
    "new": ("issues", "make a draft issue"),
    "import": ("issues", "make issues from plain-text digests"),
    "ids": ("issues", "mint missing ids into an issue's file"),
    "withdraw": ("site", "take a highlight or an issue back, for good"),
    "check": ("site", "say every problem of issues, feeds, pages and messages"),
    "build": ("site", "compile what changed into public/"),
    "preview": ("preview", "show the site and the message while you write"),
    "schema": ("issues", "print the JSON Schema of an issue in YAML or JSON"),
    "config": ("publication", "print the settings in force, secrets masked"),
    "demo": ("demo", "do the whole main job on the sample issues"),
}


def main() -> None:
    """Run a command. Every expected error is one clear message; none is a traceback."""
    from publisher.cli.run import run

    sys.exit(run(sys.argv[1:]))


def load(name: str) -> Callable[..., int]:
    """Import the function behind a command."""
    module = import_module(f"publisher.cli.{COMMANDS[name][0]}")
    command: Callable[..., int] = getattr(module, f"{name}_command")
    return command
