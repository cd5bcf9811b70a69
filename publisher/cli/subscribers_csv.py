"""subscribers import, export: the readers as CSV files, ours and other systems'."""

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
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

# An archive may hold two files of every post that was ever sent.
_LEFT_SHOWN = 3

if TYPE_CHECKING:
    from publisher.audience.tally import Imported, ImportedFile


def import_command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…",
            help="CSV files, or zip archives of them; - is standard input.",
        ),
    ],
    unconfirmed: Annotated[
        bool,
        typer.Option("--unconfirmed", help="Send each new one a confirmation, and wait for it."),
    ] = False,
    everybody: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="STATUS",
            help="What everybody in the files is, where they do not say it: unsubscribed,"
            " unconfirmed, bounced, complained or blocklisted.",
        ),
    ] = "",
    encoding: Annotated[
        str,
        typer.Option(
            "--encoding",
            metavar="NAME",
            help="The file's encoding, such as cp1252, where it is neither UTF-8 nor UTF-16.",
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come of it, and write nothing.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Subscribe the readers of CSV files, for whom you vouch.

    A file's first row names the columns: `email`, and `name` if there is one. What
    Substack, Mailchimp, Ghost, Buttondown, beehiiv and listmonk export is taken as it
    is, also as the archive it comes in. Who unsubscribed, or whom nothing may be sent,
    is not brought back: each such line is said, with the reason. To import a file
    twice does no harm.

    \b
    Examples:
      publisher subscribers import readers.csv
      publisher subscribers import audience_export.zip --dry-run
      publisher subscribers import audience_export.zip
      publisher subscribers import readers.csv --unconfirmed
      publisher subscribers import left.csv --as unsubscribed
      publisher subscribers import - < readers.csv
    """
    from publisher.audience.files import open_files
    from publisher.audience.importing import Importing, import_subscribers
    from publisher.audience.standings import EVERYBODY
    from publisher.audience.tally import add_files
    from publisher.cli.store import open_store
    from publisher.runtime.confirming import make_asking
    from publisher.store.keys import load_address_key

    if everybody and everybody not in EVERYBODY:
        known = ", ".join(EVERYBODY)
        raise PublisherError(f"--as {everybody!r} is not known; it is one of {known}")
    folder, settings = open_publication(config)
    progress = ProgressLine()
    stdin = None if sys.stdin is None else sys.stdin.buffer
    with ExitStack() as stack:
        opened = open_files(stack, files, encoding, stdin)
        database = stack.enter_context(open_store(folder, settings))
        importing = Importing(
            database=database,
            secret=load_address_key(database),
            at=datetime.now(UTC),
            chance=os.urandom,
            progress=progress,
            ask=make_asking(folder, settings, database) if unconfirmed else None,
            everybody=EVERYBODY.get(everybody),
            is_dry=dry_run,
        )
        try:
            imported = import_subscribers(importing, *opened.sources)
        finally:
            progress.close()
        imported = add_files(imported, opened.left_alone)
        if json:
            print_json(imported)
        else:
            _show_imported(imported, dry_run)
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


def _show_imported(imported: "Imported", is_dry: bool) -> None:
    for one in imported.rejected:
        say(f"{one.file}:{one.line}: {f'{one.value}: ' if one.value else ''}{one.reason}")
    more = imported.rejected_total - len(imported.rejected)
    if more:
        say(f"… and {count(more, 'line')} more")
    _show_files(imported.files)
    for because, number in imported.skipped_because.items():
        say(f"{number:,} skipped: {because}")
    for because, number in imported.rejected_because.items():
        say(f"{number:,} rejected: {because}")
    if imported.became:
        became = ", ".join(f"{number:,} {word}" for word, number in imported.became.items())
        say(f"They {'would become' if is_dry else 'became'}: {became}")
    show(
        f"{imported.added:,}{' would be' if is_dry else ''} added, {imported.updated:,} updated,"
        f" {imported.skipped:,} skipped, {imported.rejected_total:,} rejected"
        f"{'. Nothing was written.' if is_dry else ''}"
    )


def _show_files(files: Sequence["ImportedFile"]) -> None:
    left_alone = [file for file in files if not file.read and file.note]
    for file in files:
        if file not in left_alone and (file.note or len(files) > 1):
            say(f"{file.name}: {_describe(file)}")
            if file.note:
                say(f"    {file.note}")
    for file in left_alone[:_LEFT_SHOWN]:
        say(f"{file.name}: {file.note}")
    if (more := len(left_alone) - _LEFT_SHOWN) > 0:
        say(f"… and {count(more, 'more file')} left alone")


def _describe(file: "ImportedFile") -> str:
    """A file in one line: whose it is, and what came of it."""
    of_system = f" of {file.system}" if file.system else ""
    return (
        f"{count(file.read, 'line')}{of_system}: {file.added:,} added, {file.updated:,} updated,"
        f" {file.skipped:,} skipped, {file.rejected:,} rejected"
    )
