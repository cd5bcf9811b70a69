"""pause, resume, cancel, retry, resolve: a mailing's state. status, deliveries: what it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, get_args

import typer
from sqlalchemy import Connection

from publisher.audience.address import AddressError, address_hash, parse_address
from publisher.cli.mailing import describe, find_meant, require_meant, say_counts, say_mailing
from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    open_publication,
    print_json,
    say,
    show,
)
from publisher.cli.store import open_store
from publisher.errors import PublisherError
from publisher.message.ids import message_id
from publisher.model.delivery import DELIVERY_STATUSES, DeliveryStatus, Mailing
from publisher.site.issue_files import slug_of
from publisher.store.database import Database
from publisher.store.deliveries import (
    Shown,
    cancel_waiting,
    find_shown,
    resolve_doubts,
    retry_failed,
)
from publisher.store.keys import find_key
from publisher.store.mailings import (
    change_mailing,
    count_deliveries,
    get_domain,
    get_mailing,
    list_issue_mailings,
    reopen_mailing,
)
from publisher.store.subscribers import find_by_hash

NOTHING = 5

Name = Annotated[str, typer.Argument(metavar="NAME", help="The issue, such as 2025-12-15.")]


def pause_command(name: Name, config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Let a mailing wait; what is being sent at this moment ends.

    \b
    Examples:
      publisher pause 2025-12-15
    """
    return _change(name, config, json, "paused", "by an operator", is_there=("paused",))


def resume_command(name: Name, config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Let a paused mailing go on. It is sent by `publisher run`, or by the next `send`.

    \b
    Examples:
      publisher resume 2025-12-15
    """
    return _change(name, config, json, "resumed", "", is_there=("sending",))


def cancel_command(name: Name, config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """End a mailing before all were sent to. There is no way back.

    \b
    Examples:
      publisher cancel 2025-12-15
    """
    return _change(name, config, json, "stopped", "by an operator", is_there=("cancelled",))


def _change(
    name: str, config: Any, json: bool, event: str, reason: str, is_there: tuple[str, ...]
) -> int:
    """Move the mailing as `event` does; nothing happens where it is there already."""
    folder, settings = open_publication(config)
    now = datetime.now(UTC)
    with open_store(folder, settings) as database:
        mailing = require_meant(folder, database, name)
        with database.write() as connection:
            publication = database.publication
            is_done = change_mailing(connection, publication, mailing.id, event, now, reason=reason)
            after = get_mailing(connection, mailing.id)
            if not is_done and after.status not in is_there:
                raise PublisherError(f"the mailing of {mailing.slug} is {after.status}")
            if is_done and after.status == "cancelled":
                cancel_waiting(connection, publication, mailing.id, now)
        _show_after(database, after, slug_of(name), json)
    return 0


def _show_after(database: Database, mailing: Mailing, slug: str, json: bool) -> None:
    if json:
        print_json(describe(database, mailing, slug))
        return
    with database.read() as connection:
        show(say_mailing(mailing, count_deliveries(connection, mailing)))


def retry_command(name: Name, config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Queue the failed deliveries of a mailing again, for the next `send` or `run`.

    \b
    Examples:
      publisher retry 2025-12-15
    """

    def retry(connection: Connection, database: Database, mailing: Mailing) -> int:
        now = datetime.now(UTC)
        return retry_failed(connection, database.publication, mailing.id, now)

    return _queue_again(name, config, json, retry, "failed")


def resolve_command(
    name: Name,
    resend: Annotated[
        bool, typer.Option("--resend", help="Send them again: some may get it twice.")
    ] = False,
    mark_sent: Annotated[
        bool, typer.Option("--mark-sent", help="Take them for sent: some may not have it.")
    ] = False,
    email: Annotated[
        str, typer.Option("--email", metavar="ADDRESS", help="Only this reader's delivery.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Settle the deliveries in doubt: the relay may have taken them, and nobody heard.

    \b
    Examples:
      publisher resolve 2025-12-15 --resend
      publisher resolve 2025-12-15 --mark-sent --email ada@reader.example
    """
    if resend == mark_sent:
        raise PublisherError("say one of --resend and --mark-sent")

    def resolve(connection: Connection, database: Database, mailing: Mailing) -> int:
        subscriber = _find_reader(connection, database, email) if email else None
        return resolve_doubts(
            connection,
            database.publication,
            mailing.id,
            datetime.now(UTC),
            is_sent=mark_sent,
            subscriber=subscriber,
        )

    return _queue_again(name, config, json, resolve, "in doubt", is_final=mark_sent)


def _find_reader(connection: Connection, database: Database, email: str) -> int:
    try:
        key = parse_address(email).key
    except AddressError as error:
        raise PublisherError(f"--email {email!r}: {error}") from None
    secret = find_key(connection, "address-key")
    hashed = address_hash(key, secret) if secret else b""
    subscriber = find_by_hash(connection, database.publication, hashed)
    if subscriber is None:
        raise PublisherError(f"there is no subscriber {email}")
    return subscriber.id


def _queue_again(
    name: str, config: Any, json: bool, change: Any, what: str, *, is_final: bool = False
) -> int:
    """Change deliveries of a mailing, and open it again where some are to be sent."""
    folder, settings = open_publication(config)
    with open_store(folder, settings) as database:
        mailing = require_meant(folder, database, name)
        if mailing.status == "cancelled" and not is_final:
            raise PublisherError(f"the mailing of {mailing.slug} was cancelled, which is final")
        with database.write() as connection:
            changed = change(connection, database, mailing)
            if changed and not is_final:
                now = datetime.now(UTC)
                reopen_mailing(connection, database.publication, mailing.id, now)
            after = get_mailing(connection, mailing.id)
        _show_after(database, after, slug_of(name), json)
    if not changed:
        say(f"None of its deliveries is {what}.")
    elif not is_final and after.status == "paused":
        say(f"{changed:,} queued; they wait for `publisher resume {slug_of(name)}`.")
    elif not is_final:
        say(f"{changed:,} queued; `publisher send {slug_of(name)}` or `publisher run` sends them.")
    return 0 if changed else NOTHING


def status_command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The issue; where none is named, all mailings.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Say where mailings stand, also while another process sends.

    \b
    Examples:
      publisher status
      publisher status 2025-12-15
    """
    folder, settings = open_publication(config)
    with open_store(folder, settings) as database:
        if name:
            _show_one(database, find_meant(folder, database, name), slug_of(name), json)
        else:
            _show_all(database, json)
    return 0


def _show_one(database: Database, mailing: Mailing | None, slug: str, json: bool) -> None:
    if mailing is None and not json:
        show(f"{slug}: not sent yet")
    elif mailing is None:
        print_json(describe(database, None, slug))
    else:
        _show_after(database, mailing, slug, json)


def _show_all(database: Database, json: bool) -> None:
    with database.read() as connection:
        mailings = list_issue_mailings(connection, database.publication)
    if json:
        shown = [describe(database, mailing, mailing.slug) for mailing in mailings]
        print_json({"mailings": shown})
        return
    for mailing in mailings:
        _show_after(database, mailing, mailing.slug, json)
    if not mailings:
        show("Nothing was sent yet.")


def deliveries_command(
    name: Name,
    status: Annotated[
        str,
        typer.Option("--status", metavar="STATUS", help=f"One of {', '.join(DELIVERY_STATUSES)}."),
    ] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """List to whom an issue was sent, and what came of it.

    \b
    Examples:
      publisher deliveries 2025-12-15
      publisher deliveries 2025-12-15 --status in_doubt
    """
    wanted = _read_status(status)
    folder, settings = open_publication(config)
    with open_store(folder, settings) as database:
        mailing = find_meant(folder, database, name)
        rows = _list(database, mailing, wanted) if mailing else iter(())
        if json:
            print_json({"deliveries": list(rows)})
            return 0
        if mailing is None:
            say(f"{slug_of(name)} was never sent.")
            return 0
        for row in rows:
            due = f", next at {row['next_attempt_at']}" if row["next_attempt_at"] else ""
            said = f": {row['last_reply']}" if row["last_reply"] else ""
            show(f"{row['email'] or '(erased)'}  {row['status']}{due}{said}")
        with database.read() as connection:
            say(say_counts(count_deliveries(connection, mailing)))
    return 0


def _read_status(text: str) -> DeliveryStatus | None:
    for status in get_args(DeliveryStatus):
        if text == status:
            return status  # type: ignore[no-any-return]
    if text:
        raise PublisherError(f"--status {text}: say one of {', '.join(DELIVERY_STATUSES)}")
    return None


def _list(
    database: Database, mailing: Mailing, status: DeliveryStatus | None
) -> Iterator[dict[str, Any]]:
    """Pages, so that a long list neither fills the memory nor keeps the log of writes open."""
    after = 0
    with database.read() as connection:
        key = find_key(connection, "message-key")
        domain = get_domain(connection, mailing.id)
    while True:
        with database.read() as connection:
            page = find_shown(connection, mailing, status, after=after)
        for row in page:
            yield _shown(row, mailing, key, domain)
        if not page:
            return
        after = page[-1].id


def _shown(row: Shown, mailing: Mailing, key: bytes | None, domain: str) -> dict[str, Any]:
    due = row.next_attempt_at
    return {
        "email": row.email,
        "status": row.status,
        "attempts": row.attempts,
        "message_id": message_id(mailing.ref, row.id, key, domain) if key else None,
        "last_reply": row.last_reply or None,
        "next_attempt_at": due.isoformat(timespec="seconds") if due else None,
    }
