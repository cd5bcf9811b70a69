"""export: the whole publication, for another place or another program."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import asdict

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


def export_command(
    target: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A folder to be made, or a file FILE.zip."),
    ],
    with_secrets: Annotated[
        bool,
        typer.Option(
            "--with-secrets",
            help="Also passwords and keys, by which links in mails that were sent go on working.",
        ),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Write the whole publication in open formats, also while it is in use.

    Issues, register, media, templates, readers with their consent, suppressions,
    mailings, deliveries and ledger: `publisher init DIR --from` makes a publication of
    them again. Passwords and keys are left out unless you say --with-secrets.

    \\b
    Examples:
      publisher export daily-export
      publisher export daily.zip --with-secrets
    """
    from publisher.cli.store import open_store
    from publisher.runtime.leaving import Leaving, export_publication

    folder, settings = open_publication(config)
    with open_store(folder, settings) as database:
        leaving = Leaving(
            folder=folder,
            file=config.resolve(),
            settings=settings,
            database=database,
            now=datetime.now(UTC),
            with_secrets=with_secrets,
        )
        left = export_publication(leaving, target.absolute())
    if json:
        print_json({"path": str(target), "with_secrets": with_secrets, **asdict(left)})
        return 0
    show(f"{target}: {count(left.files, 'file')}, {left.size:,} bytes")
    for each in left.left_out:
        say(f"Left out: {each}")
    if not with_secrets:
        say("Links in mails that were sent work only where this database is: see --with-secrets.")
    return 0
