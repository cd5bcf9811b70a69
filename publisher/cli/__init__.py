"""The command line: `publisher COMMAND [options]`, each command imported when it is called."""

import sys
from collections.abc import Callable
from importlib import import_module

# The module of each command and its line of help, in the order of `--help`. They stand here, so
# that listing them imports nothing.
COMMANDS = {
    "init": ("publication", "make a new publication's folder, ready to build"),
    "new": ("issues", "begin an issue, as a draft"),
    "import": ("issues", "make issues from pasted plain-text digests"),
    "ids": ("issues", "give an issue's new highlights their permanent ids"),
    "withdraw": ("site", "take a published highlight or issue back, for good"),
    "check": ("site", "say everything that is wrong, and what to do about it"),
    "build": ("site", "make the web site, the feeds and the messages in public/"),
    "preview": ("preview", "show the site and the message while you write"),
    "schema": ("issues", "print the JSON Schema of issues in YAML or JSON"),
    "config": ("publication", "print the settings in force, without the secrets"),
    "demo": ("demo", "try it all out with sample issues"),
}


def main() -> None:
    """Run a command. Every expected error is one clear message; none is a traceback."""
    try:
        from publisher.cli.output import prepare_streams
        from publisher.cli.run import run

        prepare_streams()
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:  # while still starting
        sys.exit(130)


def load(name: str) -> Callable[..., int]:
    """Import the function behind a command."""
    module = import_module(f"publisher.cli.{COMMANDS[name][0]}")
    command: Callable[..., int] = getattr(module, f"{name}_command")
    return command
