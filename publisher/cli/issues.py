"""new, import, ids, schema: issue files, one by one."""

from datetime import UTC, datetime
from pathlib import PurePath
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
    show,
)
from publisher.site.issue_files import (
    new_issue,
    write_ids,
)


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
