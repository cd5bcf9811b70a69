"""backup, restore, arm: the database as a file."""

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
    show,
)
from publisher.cli.store import open_store
from publisher.store.arming import arm, find_unarmed
from publisher.store.mailings import get_mailing
from publisher.store.place import find_place


def backup_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")],
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Copy the database of readers, mailings and ledger, also while it is in use.

    The copy sends nothing until it is restored and armed.

    \b
    Examples:
      publisher backup /var/backups/daily-2025-12-15.db
    """
    from publisher.store.backup import back_up

    folder, settings = open_publication(config)
    with open_store(folder, settings) as database:
        size = back_up(database, file.resolve(), datetime.now(UTC))
    if json:
        print_json({"backup": str(file), "bytes": size})
    else:
        show(f"{file}: {size:,} bytes")
    return 0


def restore_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy that `backup` made.")],
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Bring a backup back, with every mailing paused and schedules off until `arm`.

    The database that it replaces is kept beside it. Readers who left since the
    backup was made are subscribed in it: look before you arm.

    \b
    Examples:
      publisher restore /var/backups/daily-2025-12-15.db
    """
    from publisher.runtime.lock import replacing
    from publisher.store.backup import restore

    folder, settings = open_publication(config)
    now = datetime.now(UTC)
    with replacing(find_place(settings.database.url, folder)):
        kept = restore(settings.database.url, folder, settings.publication.id, file.resolve(), now)
    if json:
        print_json({"restored": str(file), "kept": str(kept) if kept else None})
        return 0
    show(f"{file} is restored, and sends nothing until `publisher arm`.")
    if kept:
        say(f"What was there before is in {kept}.")
    return 0


def arm_command(config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Let a restored or copied database send again; schedules are on with it.

    Only one database of a publication may send, or readers get issues twice.
    Mailings that the restore paused go on: cancel those that were sent since.

    \b
    Examples:
      publisher arm
    """
    folder, settings = open_publication(config)
    with open_store(folder, settings) as database, database.write() as connection:
        why = find_unarmed(connection, database.place)
        now = datetime.now(UTC)
        going_on = arm(connection, database.publication, database.place, now)
        slugs = [get_mailing(connection, mailing).slug for mailing in going_on]
    if json:
        print_json({"armed": True, "resumed": slugs})
        return 0
    show("It sends again." if why else "It was armed already.")
    if slugs:
        say(f"{count(len(slugs), 'mailing')} can go on: {', '.join(slugs)}")
    return 0
