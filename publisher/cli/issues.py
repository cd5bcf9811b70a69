"""new, import, ids, schema: issue files, one by one."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    count,
    open_publication,
    print_json,
    say,
    say_problems,
    show,
)
from publisher.errors import PublisherError
from publisher.intake.text import MAX_BYTES, SUFFIXES
from publisher.model.problem import has_errors
from publisher.site.issue_files import (
    Imported,
    Importing,
    import_digests,
    new_issue,
    write_ids,
)
from publisher.site.scan import ISSUES


def new_command(
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="NAME",
            help="Begin with a copy of this issue instead of an empty one.",
        ),
    ] = "",
    date: Annotated[
        str,
        typer.Option(
            metavar="D", help="The issue's day (2025-12-15) or time; where it is left out, now."
        ),
    ] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Begin an issue: a file in issues/, named after its day, for you to write in.

    It is a draft, which nobody sees, until you write `status: ready` in it. The
    days begin and end in the publication's time zone.

    \b
    Examples:
      publisher new
      publisher new --date 2025-12-24
      publisher new --date 2025-12-24T07:00:00+08:00 --from 2025-12-17
    """
    folder, settings = open_publication(config)
    path = new_issue(folder, settings.as_publication(), datetime.now(UTC), date, source)
    if json:
        print_json({"issue": PurePath(path).stem, "path": path})
        return 0
    show(f"{path} is a draft: open it in your editor and write.")
    say("`publisher preview` shows it; `status: ready` in it and `publisher build` publish it.")
    return 0


def import_command(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="Text files with a digest each; - is standard input."),
    ],
    date: Annotated[
        str,
        typer.Option(
            metavar="D",
            help="The issue's day (2025-12-15) or time (2025-12-15T07:00:00+08:00); where it is"
            " left out, the day that the file is named after, or today.",
        ),
    ] = "",
    ready: Annotated[
        bool, typer.Option("--ready", help="Ready to be published, not a draft.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Replace an issue of that day; highlights whose titles match keep their ids.",
        ),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Make issues from pasted plain-text digests.

    A digest is a numbered list of titles and then, for each of them, a line that
    repeats it and the paragraphs below. It becomes issues/DAY.md. A digest that is
    incomplete is refused: what is wrong is said, and nothing is written.

    \b
    Examples:
      publisher import today.txt
      publisher import --date 2025-12-15 --ready highlights.txt
      publisher import 2025-12-13.txt 2025-12-14.txt
    """
    folder, settings = open_publication(config)
    if date and len(files) > 1:
        raise PublisherError(
            "--date is for one file; several are dated by their names, such as 2025-12-15.txt"
        )
    importing = Importing(
        folder=folder,
        publication=settings.as_publication(),
        now=datetime.now(UTC),
        date=date,
        is_ready=ready,
        is_forced=force,
    )
    digests = [(_printable(name), _read(name)) for name in files]
    imported = import_digests(importing, digests)
    if json:
        print_json(imported[0] if len(files) == 1 else {"imported": imported})
    else:
        for (name, _), result in zip(digests, imported, strict=True):
            _show_imported(result, name)
        _say_next(imported, is_ready=ready)
    return 1 if any(result.issue is None for result in imported) else 0


def _read(name: str) -> bytes:
    """At most what an issue may have and a byte, which tells that there is more."""
    if name == "-" and sys.stdin is not None:
        if sys.stdin.isatty():
            say("Paste the digest here; then, on a line of its own, press Ctrl-D.")
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    if name == "-":
        return b""
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise PublisherError(f"there is no file {name} (looked for in {Path.cwd()})") from None
    except IsADirectoryError:
        raise PublisherError(f"{name} is a folder; name the files in it") from None


def _printable(name: str) -> str:
    """A file's name for messages; one that is no UTF-8 gets `?` for what cannot be shown."""
    return os.fsencode(name).decode("utf-8", "replace")


def _show_imported(result: Imported, name: str) -> None:
    say_problems(result.problems)
    if result.issue is None:
        say(f"{name} was not imported, and nothing was written.")
        if name.endswith(SUFFIXES):
            say(f"An issue in Markdown, YAML or JSON needs no import: put it into {ISSUES}/.")
        return
    show(f"{result.path}: {count(len(result.highlights), 'highlight')}")
    for place, highlight in enumerate(result.highlights, 1):
        show(f"  {place}. {highlight['title']}")


def _say_next(imported: tuple[Imported, ...], *, is_ready: bool) -> None:
    """Say what to do with the issues that were made."""
    made = [result for result in imported if result.issue]
    if not made or has_errors(p for result in imported for p in result.problems):
        return
    if is_ready:
        say("`publisher check` looks it over, `publisher build` publishes it.")
        return
    its = "It is a draft" if len(made) == 1 else "They are drafts"
    say(f"{its}: read over with `publisher preview`, then write `status: ready` at the top.")


def ids_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The issue, such as 2025-12-15.")],
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="New ids for everything: for a file that is a copy."),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Write ids into an issue's file, where it and its highlights have none.

    An id is what feed readers know an entry by: it stays when titles change. The
    rest of the file stays exactly as it is.

    \b
    Examples:
      publisher ids 2025-12-15
      publisher ids 2025-12-16 --fresh
    """
    folder, settings = open_publication(config)
    zone = ZoneInfo(settings.publication.time_zone)
    written = write_ids(folder, name, zone, is_fresh=fresh)
    if json:
        issue = PurePath(written.path).stem
        print_json({"issue": issue, "path": written.path, "minted": written.count})
    elif written.count:
        show(f"{written.path}: {count(written.count, 'new id')} written")
    else:
        show(f"{written.path}: it has all of its ids; nothing was changed")
    if written.given_up:
        say(
            f"Careful: {', '.join(written.given_up)} had been published, and no file has it any"
            " more. If this file is no copy, undo the change."
        )
    return 0


def schema_command(json: Json = False) -> int:
    """Print the JSON Schema of an issue in YAML or JSON.

    Editors use it to complete fields and to underline mistakes while you type.

    \b
    Examples:
      publisher schema > issue.schema.json
    """
    from publisher.intake.schema import issue_schema

    del json  # a schema is JSON in any case; the option is there because every command has it
    print_json(issue_schema())
    return 0
