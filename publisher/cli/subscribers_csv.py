"""subscribers import, export: the readers as CSV files."""

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    ProgressLine,
    count,
    open_publication,
    print_json,
    say,
    show,
)
from publisher.cli.subscribers import print_list
from publisher.errors import PublisherError

if TYPE_CHECKING:
    from publisher.audience.importing import Imported


def import_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A CSV file; - is standard input.")],
    unconfirmed: Annotated[
        bool,
        typer.Option("--unconfirmed", help="Send each new one a confirmation, and wait for it."),
    ] = False,
    encoding: Annotated[
        str,
        typer.Option(
            "--encoding",
            metavar="NAME",
            help="The file's encoding, such as cp1252, where it is neither UTF-8 nor UTF-16.",
        ),
    ] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Subscribe the readers of a CSV file, for whom you vouch.

    Its first row names the columns: `email`, and `name` if there is one. Files that
    listmonk and Mailchimp export are taken as they are. Who unsubscribed, or whom
    nothing may be sent, is not brought back: each such line is said, with the
    reason. To import a file twice does no harm.

    \b
    Examples:
      publisher subscribers import readers.csv
      publisher subscribers import readers.csv --unconfirmed
      publisher subscribers import - < readers.csv
    """
    from publisher.audience.importing import Importing, import_subscribers
    from publisher.audience.records import open_source
    from publisher.cli.store import open_store
    from publisher.runtime.confirming import make_asking
    from publisher.store.keys import load_address_key

    folder, settings = open_publication(config)
    progress = ProgressLine()
    stdin = None if sys.stdin is None else sys.stdin.buffer
    with (
        open_source(file, encoding, stdin) as source,
        open_store(folder, settings) as database,
    ):
        importing = Importing(
            database=database,
            secret=load_address_key(database),
            at=datetime.now(UTC),
            chance=os.urandom,
            progress=progress,
            ask=make_asking(folder, settings, database) if unconfirmed else None,
        )
        try:
            imported = import_subscribers(importing, source)
        finally:
            progress.close()
        if json:
            print_json(imported)
        else:
            _show_imported(imported, source.name)
    return 0


def export_command(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Where to; left out, it is standard output."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also over a file that is there.")] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Write all readers into a CSV file, with their status and their consent.

    A ' stands before what a spreadsheet would take for a formula; `import` takes it
    away again. Only you may read the file that is made.

    \b
    Examples:
      publisher subscribers export readers.csv
      publisher subscribers export > readers.csv
    """
    from publisher.audience.exporting import (
        export_subscribers,
        to_json,
        write_csv,
        write_private,
    )
    from publisher.cli.store import open_store

    folder, settings = open_publication(config)
    if file and file.exists() and not force:
        raise PublisherError(f"{file} is there already; --force replaces it")
    with open_store(folder, settings) as database:
        exported = export_subscribers(database)
        if file:
            size = write_private(file, write_csv(exported))
            if json:
                print_json({"path": str(file), "bytes": size})
            else:
                show(f"{file}: {size:,} bytes")
        elif json:
            print_list("subscribers", map(to_json, exported))
        else:
            _pour(write_csv(exported))
    return 0


def _pour(pieces: Iterable[bytes]) -> None:
    """Write bytes to standard output, whose reader may leave early."""
    try:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _show_imported(imported: "Imported", name: str) -> None:
    for one in imported.rejected:
        say(f"{name}:{one.line}: {f'{one.value}: ' if one.value else ''}{one.reason}")
    more = imported.rejected_total - len(imported.rejected)
    if more:
        say(f"… and {count(more, 'line')} more")
    show(
        f"{imported.added:,} added, {imported.updated:,} updated, {imported.skipped:,} skipped,"
        f" {imported.rejected_total:,} rejected"
    )
