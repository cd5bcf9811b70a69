"""The command line: `publisher COMMAND [options]`, each command imported when it is called."""

import gc
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from types import FrameType

# The module of each command and its line of help, in the order of `--help`. They stand here, so
# that listing them imports nothing.
COMMANDS = {
    "init": ("publication", "make a new publication's folder, ready to build"),
    "new": ("issues", "begin an issue, as a draft"),
    "import": ("importing", "make issues of digests, and of other systems' exports"),
    "cutover": ("cutover", "say what feed readers would show as new after a move"),
    "draft": ("drafting", "draft an issue of what is new in other sites' feeds"),
    "ids": ("issues", "give an issue's new highlights their permanent ids"),
    "correct": ("correct", "say what was changed in a published issue, and why"),
    "withdraw": ("site", "take a published highlight or issue back, for good"),
    "check": ("site", "say everything that is wrong, and what to do about it"),
    "build": ("site", "make the web site, the feeds and the messages in public/"),
    "preview": ("preview", "show the site and the message while you write"),
    "subscribers add": ("subscribers", "subscribe a reader"),
    "subscribers list": ("subscribers", "show who reads"),
    "subscribers import": ("subscribers_csv", "subscribe the readers of a CSV file"),
    "subscribers export": ("subscribers_csv", "write all readers into a CSV file"),
    "subscribers remove": ("subscribers", "end a subscription, and remember that it ended"),
    "subscribers erase": ("subscribers", "forget a reader, and never write to them again"),
    "approve": ("approve", "approve what an issue is now, so that it may be sent"),
    "send": ("send", "send an issue to everyone who is subscribed, once"),
    "pause": ("mailings", "let a mailing wait"),
    "resume": ("mailings", "let a paused mailing go on"),
    "cancel": ("mailings", "end a mailing before all were sent to, for good"),
    "retry": ("mailings", "queue the failed deliveries of a mailing again"),
    "resolve": ("mailings", "settle the deliveries of a mailing that are in doubt"),
    "status": ("mailings", "say where mailings stand"),
    "deliveries": ("mailings", "list who was sent an issue, and what came of it"),
    "bounces": ("bounces", "read what came back: bounces, complaints, unsubscribing"),
    "schedule": ("running", "show the schedules, with their next and last firings"),
    "rehearse": ("rehearse", "live through the coming days in simulated time"),
    "run": ("running", "serve, schedule and deliver, until it is stopped"),
    "serve": ("running", "serve the public site and the console"),
    "worker": ("working", "deliver beside `run`, on any number of machines"),
    "users add": ("users", "let somebody into the console"),
    "users list": ("users", "show who may log in to the console"),
    "users remove": ("users", "let somebody out of the console"),
    "tokens create": ("tokens", "make a token for a program that uses the API"),
    "tokens list": ("tokens", "show the API tokens"),
    "tokens revoke": ("tokens", "let a token be worth nothing any more"),
    "export": ("moving", "write the whole publication in open formats"),
    "backup": ("database", "copy the database, while it is in use"),
    "restore": ("database", "bring a backup of the database back"),
    "migrate-database": ("database", "move the database, to PostgreSQL or to a file"),
    "arm": ("database", "let a restored or copied database send again"),
    "doctor": ("doctor", "say what would stop this publication from sending"),
    "schema": ("issues", "print the JSON Schema of issues in YAML or JSON"),
    "config": ("publication", "print the settings in force, without the secrets"),
    "completion": ("completion", "let a shell complete commands, options and names"),
    "demo": ("demo", "try it all out with sample issues"),
}

# The first words of those commands that have two.
GROUPS = {
    "subscribers": "add, list, import, export, remove and erase readers",
    "users": "add, list and remove operators of the console",
    "tokens": "create, list and revoke the tokens of the API",
}


# Of what is made here little is part of a cycle; to look for them after each 700 objects, as Python
# does, takes a twelfth of a build.
_OBJECTS_BETWEEN_LOOKS = 20_000


def main() -> None:
    """Run a command. Every expected error is one clear message; none is a traceback."""
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    if os.getpid() == 1:  # a container's first process: no signal ends it that it does not await
        signal.signal(signal.SIGTERM, _leave)
    try:
        from publisher.cli.output import prepare_streams
        from publisher.cli.run import run

        prepare_streams()
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:  # while still starting
        sys.exit(130)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def load(name: str) -> Callable[..., int]:
    """Import the function behind a command."""
    module = import_module(f"publisher.cli.{COMMANDS[name][0]}")
    command: Callable[..., int] = getattr(module, f"{name.split()[-1].replace('-', '_')}_command")
    return command
