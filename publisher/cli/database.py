"""backup, restore, arm, migrate-database: the database as a whole."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

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
from publisher.cli.store import open_store
from publisher.errors import PublisherError
from publisher.settings_errors import mask
from publisher.settings_values import A_DATABASE, is_database
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


def migrate_database_command(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Where it goes: an empty database, or a new file.")
    ],
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Move the database to another one: from SQLite to PostgreSQL, or back.

    Stop `run` first. Everything goes along, and is compared; where it is broken
    off, the same command goes on. Afterwards only the new database sends, as soon
    as publisher.toml names it; the old one stays as it is, and sends nothing.

    \b
    Examples:
      publisher migrate-database postgresql://publisher@db.example/daily
      publisher migrate-database sqlite:///publisher.db
    """
    from publisher.runtime.lock import replacing
    from publisher.store.database import open_database
    from publisher.store.moving import move

    folder, settings = open_publication(config)
    place, target = find_place(settings.database.url, folder), find_place(_require(url), folder)
    if not place.exists():
        raise PublisherError(f"there is no database at {place.name} to be moved")
    progress = ProgressLine()
    try:
        with replacing(place), replacing(target):
            source = open_database(settings.database.url, folder, settings.publication.id)
            try:
                moved = move(source, target, progress)
            finally:
                source.close()
    finally:
        progress.close()
    rows = [{"table": table, "rows": number} for table, number in sorted(moved.tables.items())]
    if json:
        print_json({"tables": rows, "complete": True})
        return 0
    total = count(sum(moved.tables.values()), "row")
    show(f"{total} of {len(rows)} tables are there, and the same.")
    show(f"Now let database.url in publisher.toml be {mask(url)!r}.")
    if not moved.is_armed:
        say("It sends nothing until `publisher arm`, as the old one did.")
    return 0


def _require(url: str) -> str:
    if not is_database(url):
        raise PublisherError(f"{A_DATABASE} is wanted, not {mask(url)!r}")
    return url


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
