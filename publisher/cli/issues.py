"""new, import, ids, schema: issue files, one by one."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

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
)
from publisher.errors import PublisherError
from publisher.intake.text import MAX_BYTES
from publisher.site.issue_files import (
    Imported,
    Importing,
    import_digest,
    new_issue,
    write_ids,
)


def new_command(
    source: Annotated[
        str, typer.Option("--from", metavar="NAME", help="The issue to begin from.")
    ] = "",
    date: Annotated[str, typer.Option(metavar="D", help="Its day or time; else now.")] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    folder, settings = open_publication(config)
    path = new_issue(folder, settings.as_publication(), datetime.now(UTC), date, source)
    if json:
        print_json({"issue": Path(path).stem, "path": path})
    else:
        print(f"{path} is a draft; write it, then set `status: ready`")
    return 0


def import_command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Digests; - is standard input.")
    ],
    date: Annotated[str, typer.Option(metavar="D", help="The issue's day or time.")] = "",
    ready: Annotated[bool, typer.Option("--ready", help="Ready at once, not a draft.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing issue.")] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    folder, settings = open_publication(config)
    importing = Importing(
        folder=folder,
        publication=settings.as_publication(),
        now=datetime.now(UTC),
        date=date,
        is_ready=ready,
        is_forced=force,
    )
    if date and len(files) > 1:
        raise PublisherError(
            "--date is for one file; several are dated by their names, such as 2025-12-15.txt"
        )
    imported = [import_digest(importing, _read(name), name) for name in files]
    if json:
        print_json(imported[0] if len(files) == 1 else {"imported": imported})
    for result, name in zip(imported, files, strict=True):
        _say_imported(result, name, is_json=json)
    return 1 if any(result.issue is None for result in imported) else 0


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _say_imported(result: Imported, name: str, *, is_json: bool) -> None:
    if is_json:
        return
    say_problems(result.problems)
    if result.issue is None:
        say(f"{name} was not imported; nothing was written.")
        return
    print(f"{result.path}: {count(len(result.highlights), 'highlight')}")
    for place, highlight in enumerate(result.highlights, 1):
        print(f"  {place}. {highlight['title']}")


def ids_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The issue.")],
    fresh: Annotated[
        bool, typer.Option("--fresh", help="All anew, for a file that is a copy.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    folder, _ = open_publication(config)
    path, minted = write_ids(folder, name, is_fresh=fresh)
    if json:
        print_json({"issue": name, "path": path, "minted": minted.count})
    else:
        print(f"{path}: {count(minted.count, 'id')} minted")
    return 0


def schema_command(json: Json = False) -> int:
    from publisher.intake.schema import issue_schema

    del json  # a schema is JSON in any case; the option is there because every command has it
    print_json(issue_schema())
    return 0
