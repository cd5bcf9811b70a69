"""Run one command: find it, run it, turn what went wrong into a message and an exit status."""

import errno
import os
from collections.abc import Sequence

import typer

from publisher import __version__
from publisher.cli.command import Commands, explain
from publisher.cli.output import print_json, say, show
from publisher.errors import PublisherError

app = typer.Typer(
    cls=Commands,
    name="publisher",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""\
Compile one issue file into feeds, a newsletter and pages, and send it.

`publisher COMMAND --help` explains a command, with examples. A new publication
begins with `publisher init DIR`; to look around first, run `publisher demo`.
""",
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        show(f"publisher {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_show_version, help="Print the version."
    ),
) -> None:
    """Hold the options that stand before a command."""


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status, as the contract says."""
    words = list(arguments)
    if words[:1] == ["help"]:
        words = [*words[1:3], "--help"]
    try:
        result = app(words or ["--help"], prog_name="publisher", standalone_mode=False)
        if not words:
            return 2
        return result if isinstance(result, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return _fail("stopped", 130, words)
    except typer.TyperException as error:
        return _fail(explain(error, words), 2, words)
    except PublisherError as error:
        return _fail(str(error), error.exit_status, words)
    except OSError as error:
        return _fail(_name_fault(error), 2, words)
    except Exception as error:
        if os.environ.get("PUBLISHER_DEBUG"):
            raise
        return _fail(_name_defect(error), 2, words)


def _fail(message: str, status: int, words: Sequence[str]) -> int:
    say(f"publisher: {message}")
    if "--json" in words:
        print_json({"error": message})
    return status


_FAULTS = {
    errno.ENOENT: "there is no {file}",
    errno.EACCES: "this account may not read or write {file}",
    errno.EPERM: "this account may not read or write {file}",
    errno.EROFS: "{file} cannot be written: it is on a read-only disk",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "this account may not use more of the disk",
}


def _name_fault(error: OSError) -> str:
    """What the system refused, in words; its own words where we have none."""
    file = error.filename2 or error.filename
    words = _FAULTS.get(error.errno or 0)
    if words and (file or "{file}" not in words):
        return words.format(file=file)
    return f"{file}: {error.strerror}" if file else str(error)


def _name_defect(error: Exception) -> str:
    if type(error).__module__ == "sqlite3":
        return (
            f"the database cannot be used: {error}. What is in the folder .publisher/ is only"
            " remembered to be quick: delete it and try again."
        )
    return (
        f"{type(error).__name__}: {error} (this is a defect of publisher; please report it, with"
        " what it prints when PUBLISHER_DEBUG=1 is set)"
    )
