"""pause, resume, cancel, retry, resolve: a mailing's state. status, deliveries: what it is."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Connection

from publisher.cli.mailing import say_counts, say_mailing, say_worker
from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    open_publication,
    print_json,
    say,
    show,
)
from publisher.cli.readers import show_readers
from publisher.cli.store import open_store
from publisher.errors import PublisherError
from publisher.model.choices import WHOLE, Definition
from publisher.model.delivery import DELIVERY_STATUSES, DeliveryStatus, Mailing
from publisher.runtime.mailings import (
    describe,
    describe_delivery,
    describe_past,
    find_meant,
    find_reader,
    read_naming,
    read_past,
    require_meant,
)
from publisher.runtime.relays import foresee_mailing, read_relays, say_relay
from publisher.runtime.steering import (
    Answer,
    Steered,
    cancel,
    pause,
    prove_by_log,
    resolve,
    resume,
    retry,
)
from publisher.settings import Settings
from publisher.site.issue_files import slug_of
from publisher.store.batches import has_batches
from publisher.store.database import Database
from publisher.store.histories import Sought, list_deliveries
from publisher.store.mailings import count_deliveries, list_mailings_of_issues
from publisher.store.totals import count_statuses
from publisher.store.workers import list_workers

NOTHING = 5
# Why a mailing that somebody paused or cancelled by a command is so.
BY_COMMAND = "by an operator"

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="The issue, such as 2025-12-15; NAME@VERSION is a correction of it."
    ),
]


def pause_command(name: Name, config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Let a mailing wait; what is being sent at this moment ends.

    \b
    Examples:
      publisher pause 2025-12-15
    """
    return _change(name, config, json, partial(pause, by=BY_COMMAND))


def resume_command(name: Name, config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Let a paused mailing go on. It is sent by `publisher run`, or by the next `send`.

    \b
    Examples:
      publisher resume 2025-12-15
    """
    return _change(name, config, json, resume)


def cancel_command(name: Name, config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """End a mailing before all were sent to. There is no way back.

    \b
    Examples:
      publisher cancel 2025-12-15
    """
    return _change(name, config, json, partial(cancel, by=BY_COMMAND))


def _change(name: str, config: Any, json: bool, act: Callable[..., Steered]) -> int:
    folder, settings = open_publication(config)
    with open_store(folder, settings) as database:
        mailing = require_meant(folder, database, name)
        with database.write() as connection:
            now = datetime.now(UTC)
            done = act(connection, database.publication, mailing, now)
        _show_after(database, done.mailing, slug_of(name), json)
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
    return _queue_again(name, config, json, retry, "failed")


def resolve_command(
    name: Name,
    resend: Annotated[
        bool, typer.Option("--resend", help="Send them again: some may get it twice.")
    ] = False,
    mark_sent: Annotated[
        bool, typer.Option("--mark-sent", help="Take them for sent: some may not have it.")
    ] = False,
    log: Annotated[
        Path | None,
        typer.Option("--log", metavar="FILE", help="Those that the relay's log has were sent."),
    ] = None,
    email: Annotated[
        str, typer.Option("--email", metavar="ADDRESS", help="Only this reader's delivery.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Settle the deliveries in doubt: the relay may have taken them, and nobody heard.

    The log of Postfix or Exim proves which it took; what is not in it stays in doubt.

    \b
    Examples:
      publisher resolve 2025-12-15 --log /var/log/mail.log
      publisher resolve 2025-12-15 --resend
      publisher resolve 2025-12-15 --mark-sent --email ada@reader.example
    """
    if resend + mark_sent + (log is not None) != 1 or (log and email):
        raise PublisherError("say one of --resend, --mark-sent and --log FILE")
    if log is not None:
        return _resolve_by_log(name, log, config, json)

    answer: Answer = "sent" if mark_sent else "resend"

    def settle(
        connection: Connection, publication: int, mailing: Mailing, now: datetime
    ) -> Steered:
        subscriber = find_reader(connection, publication, email) if email else None
        return resolve(connection, publication, mailing, now, answer, subscriber=subscriber)

    return _queue_again(name, config, json, settle, "in doubt", is_final=mark_sent)


def _resolve_by_log(name: str, log: Path, config: Path, json: bool) -> int:
    def settle(
        connection: Connection, publication: int, mailing: Mailing, now: datetime
    ) -> Steered:
        try:
            with log.open(encoding="utf-8", errors="replace") as lines:
                return prove_by_log(connection, publication, mailing, now, lines)
        except OSError as error:
            raise PublisherError(f"{log} cannot be read: {error.strerror}") from None

    return _queue_again(name, config, json, settle, "in doubt and in the log", is_final=True)


def _queue_again(
    name: str,
    config: Any,
    json: bool,
    change: Callable[..., Steered],
    what: str,
    *,
    is_final: bool = False,
) -> int:
    """Do one of the acts of `steering` with deliveries of a mailing, and say what follows."""
    folder, settings = open_publication(config)
    with open_store(folder, settings) as database:
        mailing = require_meant(folder, database, name)
        with database.write() as connection:
            done = change(connection, database.publication, mailing, datetime.now(UTC))
        _show_after(database, done.mailing, slug_of(name), json)
    if not done.changed:
        say(f"None of its deliveries is {what}.")
    elif not is_final and done.mailing.status == "paused":
        say(f"{done.changed:,} queued; they wait for `publisher resume {slug_of(name)}`.")
    elif not is_final:
        say(
            f"{done.changed:,} queued; `publisher send {slug_of(name)}` or `publisher run` sends"
            " them."
        )
    return 0 if done.changed else NOTHING


def status_command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The issue; where none is named, all mailings.")
    ] = "",
    readers: Annotated[
        bool, typer.Option("--readers", help="How many read the feeds, and by mail, instead.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Say where mailings stand, also while another process sends; or who reads.

    \b
    Examples:
      publisher status
      publisher status 2025-12-15
      publisher status --readers
    """
    folder, settings = open_publication(config)
    if readers:
        if name:
            raise PublisherError("say one of NAME and --readers")
        show_readers(folder, settings, json)
        return 0
    with open_store(folder, settings) as database:
        if name:
            _show_one(database, find_meant(folder, database, name), slug_of(name), json)
        else:
            _show_all(database, settings, json)
    return 0


def _show_one(database: Database, mailing: Mailing | None, slug: str, json: bool) -> None:
    if mailing is None and not json:
        show(f"{slug}: not sent yet")
    elif mailing is None:
        print_json(describe(database, None, slug) | {"revisions": [], "corrections": []})
    elif json:
        print_json(describe_past(database, mailing) | {"issue": slug.partition("@")[0]})
    else:
        _show_past(database, mailing)


def _show_past(database: Database, mailing: Mailing) -> None:
    """A mailing, what it was revised to, and those that correct it."""
    _show_after(database, mailing, mailing.name, json=False)
    past = read_past(database, mailing)
    for each in past.revisions if mailing.revision else ():
        since = each.at.isoformat(timespec="seconds")
        show(f"  {each.sent:,} sent with digest {each.digest[:12]}, of {since}")
    for correction in past.corrections:
        _show_after(database, correction, correction.name, json=False)


def _show_all(database: Database, settings: Settings, json: bool) -> None:
    now = datetime.now(UTC)
    with database.read() as connection:
        mailings = list_mailings_of_issues(connection, database.publication)
        relays = read_relays(connection, database.publication, settings, now)
        workers = list_workers(connection, now)
        is_shared = has_batches(connection)
    is_told = len(relays) > 1 or any(each.allowed is not None for each in relays)
    if json:
        shown: dict[str, Any] = {"mailings": [describe_past(database, each) for each in mailings]}
        shown |= {"relays": relays} if is_told else {}
        print_json(shown | ({"workers": workers} if is_shared else {}))
        return
    for mailing in mailings:
        _show_past(database, mailing)
    if not mailings:
        show("Nothing was sent yet.")
    for relay in relays:
        if is_told or not relay.is_well:
            show(say_relay(relay, ZoneInfo(settings.publication.time_zone)))
    with database.read() as connection:
        going = [
            count_deliveries(connection, each) for each in mailings if each.status == "sending"
        ]
    days = foresee_mailing(settings, relays, sum(each.open for each in going))
    if days > 1:
        show(f"What is left takes {days} days, by what relays may send a day (smtp.warm_up).")
    for worker in workers:
        show(say_worker(worker, now))


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
            folded = _describe_fold(database, mailing)
            print_json({"deliveries": list(rows)} | folded)
            return 0
        if mailing is None:
            say(f"{slug_of(name)} was never sent.")
            return 0
        for row in rows:
            due = f", next at {row['next_attempt_at']}" if row["next_attempt_at"] else ""
            said = f": {row['last_reply']}" if row["last_reply"] else ""
            show(f"{row['email'] or '(erased)'}  {row['status']}{_say_what(row)}{due}{said}")
        with database.read() as connection:
            counts = say_counts(count_deliveries(connection, mailing))
        if mailing.folded_at:
            since = mailing.folded_at.date()
            counts = f"folded on {since}: {counts}; of what is not above there are totals only"
        say(counts)
    return 0


def _describe_fold(database: Database, mailing: Mailing | None) -> dict[str, Any]:
    """The totals of deliveries that are no rows any more, where there are any."""
    if mailing is None or mailing.folded_at is None:
        return {}
    with database.read() as connection:
        counts = count_statuses(connection, mailing.id)
    at = mailing.folded_at.isoformat(timespec="seconds")
    return {"folded": {"at": at, "counts": counts}}


def _say_what(row: dict[str, Any]) -> str:
    """What of the issue a delivery has, where that is not all of it."""
    highlights = tuple(row["highlights"] or ())
    what = Definition(form=row["content"], highlights=highlights)
    return "" if what == WHOLE else f", {what}"


def _read_status(text: str) -> DeliveryStatus | None:
    for status in get_args(DeliveryStatus):
        if text == status:
            return status  # type: ignore[no-any-return]
    if text:
        raise PublisherError(f"--status {text}: say one of {', '.join(DELIVERY_STATUSES)}")
    return None


# So many deliveries are read at once.
_LISTED = 500


def _list(
    database: Database, mailing: Mailing, status: DeliveryStatus | None
) -> Iterator[dict[str, Any]]:
    """Pages, so that a long list neither fills the memory nor keeps the log of writes open."""
    after, sought = "", Sought(status=status)
    with database.read() as connection:
        naming = read_naming(connection, mailing)
    while True:
        with database.read() as connection:
            page, after = list_deliveries(
                connection, mailing.id, sought, after=after, limit=_LISTED
            )
        for row in page:
            yield describe_delivery(row, naming)
        if not after:
            return
