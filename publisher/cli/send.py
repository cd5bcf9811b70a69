"""send: the manual trigger. It starts an issue's mailing, joins it, or goes on with it."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated

import msgspec
import typer

from publisher.cli.mailing import say_mailing
from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    ProgressLine,
    open_publication,
    print_json,
    say,
    say_problems,
    show,
)
from publisher.cli.site import build_site
from publisher.cli.store import open_store
from publisher.errors import PublisherError
from publisher.model.delivery import Counts, Mailing
from publisher.runtime.issue_mailing import new_issue_mailing, start_issue
from publisher.runtime.mailings import describe, find_meant
from publisher.runtime.preparing import ContentError, Prepared, prepare, require_due
from publisher.runtime.sending import Delivering, send
from publisher.runtime.start import freeze_issue, require_ready
from publisher.runtime.websub import telling
from publisher.settings import Settings
from publisher.site.issue_files import require_issue, slug_of
from publisher.site.message import render_published
from publisher.store.arming import require_armed
from publisher.store.database import Database
from publisher.store.histories import Sought, list_deliveries
from publisher.store.mailings import count_deliveries, get_mailing
from publisher.store.starting import NewMailing, require_approved
from publisher.store.variants import count_audience

DONE, CONTENT, CANCELLED, UNFINISHED, IN_DOUBT, NOTHING = 0, 1, 2, 3, 4, 5


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """One `send`: the publication, its database and the issue NAME that is meant."""

    folder: Path
    settings: Settings
    database: Database
    slug: str
    path: str
    is_json: bool


def send_command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The issue, such as 2025-12-15.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask; for scripts.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent to how many, and stop.")
    ] = False,
    test: Annotated[
        str, typer.Option("--test", metavar="ADDRESS", help="Send it to this address alone.")
    ] = "",
    weekly: Annotated[
        bool, typer.Option("--weekly", help="Send the week's message that was due last.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Send an issue to everyone who is subscribed; once, whatever happens.

    It builds the site first. What it sends is frozen when it starts: who gets the
    issue, and its very bytes. Run it again after an interruption, and it goes on
    with those who are left; run it after it is done, and it does nothing. What a
    server put off is left to `publisher run`, or to the next `send`.

    \b
    Exit status: 0 done, 1 the issue has errors, 2 wrong settings or state,
    3 some still wait, 4 some are in doubt, 5 nothing to do.

    \b
    Examples:
      publisher send 2025-12-15 --test me@example.org
      publisher send 2025-12-15
      publisher send --weekly
    """
    folder, settings = open_publication(config)
    if (dry_run or weekly) and test:
        raise PublisherError("say one of --dry-run, --weekly and --test")
    if bool(name) == weekly:
        raise PublisherError("say NAME or --weekly")
    if not dry_run:
        require_ready(settings, folder)
    with open_store(folder, settings) as database:
        if not dry_run:
            with database.read() as connection:
                require_armed(connection, database.place)
        if weekly:
            from publisher.cli.send_weekly import send_weekly

            return send_weekly(folder, settings, database, json, is_asking=not yes, dry_run=dry_run)
        meant = find_meant(folder, database, name)
        sending = Sending(
            folder=folder,
            settings=settings,
            database=database,
            slug=slug_of(name),
            path=_path_of(folder, name, meant),
            is_json=json,
        )
        if test:
            return _send_test(sending, test)
        if dry_run:
            return _show_dry_run(sending, meant)
        return _send(sending, meant, is_asking=not yes)


def _path_of(folder: Path, name: str, meant: Mailing | None) -> str:
    """The issue's file; none where only its mailing is left."""
    try:
        return require_issue(folder, name)
    except PublisherError:
        if meant is None:
            raise
        return ""


def _send(sending: Sending, meant: Mailing | None, *, is_asking: bool) -> int:
    if meant is None:
        require_due(sending.folder, sending.settings, datetime.now(UTC), sending.slug)
    else:
        require_sendable_mailing(sending, meant)
    build(sending)
    with telling(sending.folder, sending.settings, say):
        return _send_built(sending, meant, is_asking=is_asking)


def _send_built(sending: Sending, meant: Mailing | None, *, is_asking: bool) -> int:
    if meant is None:
        meant = _start(sending, is_asking=is_asking)
    else:
        ask_to_go_on(sending, meant, is_asking=is_asking)
    if meant is None:
        return conclude(sending, None, has_done=False)
    before = counts_of(sending, meant)
    if before.open:
        deliver(sending, meant)
    return conclude(sending, meant, has_done=before.open > 0)


def build(sending: Sending) -> None:
    """Publish before mailing."""
    report = build_site(sending.folder, sending.settings, sending.folder / "public")
    if report.is_refused:
        say_problems(report.problems)
        raise ContentError("nothing was sent, because of the errors above")


def _start(sending: Sending, *, is_asking: bool) -> Mailing | None:
    """Ask, and start the mailing; None where there is nobody to send to."""
    now, slug = datetime.now(UTC), sending.slug
    message = render_published(sending.folder, sending.settings, now, slug)
    content = freeze_issue(message, sending.settings)
    new = new_issue_mailing(content, sending.settings, message)
    with sending.database.read() as connection:
        audience = count_audience(connection, sending.database.publication, new.variants, now)
    if not audience.total:
        hint = "" if audience.others else ": `publisher subscribers add`"
        say(f"There is nobody to send {slug} to, since {audience.why_nobody}{hint}.")
        return None
    _require_approved(sending, new)
    say(f"{slug}: {message.rendered.subject}")
    say(f"To {audience.total:,} subscribed; digest {new.digest}.")
    if detail := str(audience):
        say(f"That is {detail}.")
    if (days := _foresee_days(sending, audience.total)) > 1:
        say(_say_days(days))
    confirm("Send it now?", is_asking=is_asking)
    return start_issue(sending.database, sending.settings, message, content, datetime.now(UTC))


def _require_approved(sending: Sending, new: NewMailing) -> None:
    """Say before asking what starting would refuse."""
    with sending.database.read() as connection:
        require_approved(connection, sending.database.publication, new)


def require_sendable_mailing(sending: Sending, mailing: Mailing) -> None:
    """Raise PublisherError for a mailing that goes on by no `send`."""
    if mailing.status == "paused":
        raise PublisherError(
            f"the mailing of {sending.slug} is paused"
            f"{f' ({mailing.reason})' if mailing.reason else ''}; to let it go on, use"
            f" `publisher resume {sending.slug}`"
        )
    if mailing.status == "cancelled":
        raise PublisherError(f"the mailing of {sending.slug} was cancelled, which is final")


def ask_to_go_on(sending: Sending, mailing: Mailing, *, is_asking: bool) -> None:
    """Ask whether what is left of a mailing is to be sent."""
    waiting = counts_of(sending, mailing).open
    if waiting:
        say(f"{sending.slug}: {waiting:,} of {mailing.recipients:,} are left.")
        say(f"Digest {mailing.digest}.")
        confirm("Go on?", is_asking=is_asking)


def confirm(question: str, *, is_asking: bool) -> None:
    """Ask on the terminal; PublisherError where the answer is no, or there is none to ask on."""
    if not is_asking:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise PublisherError("nothing was sent: there is no terminal to ask on; add --yes")
    if not typer.confirm(question, err=True):
        raise PublisherError("nothing was sent")


def counts_of(sending: Sending, mailing: Mailing) -> Counts:
    with sending.database.read() as connection:
        return count_deliveries(connection, mailing)


def deliver(sending: Sending, mailing: Mailing) -> None:
    """Send what is left of a mailing, with a line of progress."""
    watch, said = _Watch(), list[str]()
    with stopping() as stop:
        delivering = Delivering(
            database=sending.database,
            settings=sending.settings,
            folder=sending.folder,
            stop=stop,
            say=said.append,
        )
        try:
            send(delivering, mailing.id, watch)
        finally:
            watch.progress.close()
    for text in said:
        say(text)


@contextmanager
def stopping() -> Iterator[Event]:
    """An event that SIGTERM and the first SIGINT set: what is in flight ends, and is recorded."""
    stop = Event()

    def note(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Watch:
    """Shows how far a mailing is, with its rate and the time that is left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.progress = ProgressLine()
        self.clock = clock
        self.began: tuple[float, int] | None = None

    def __call__(self, mailing: Mailing, counts: Counts) -> None:
        done = counts.total - counts.open
        now = self.clock()
        if self.began is None:
            self.began = (now, done)
        moment, before = self.began
        rate = (done - before) / (now - moment) if now > moment else 0.0
        left = f", {_duration(counts.open / rate)} left" if rate > 0 else ""
        self.progress("Sending", done, counts.total, f" {rate:,.0f}/s{left}" if rate else "")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{rest} s"


def conclude(sending: Sending, mailing: Mailing | None, *, has_done: bool) -> int:
    """Show how it stands, and give the exit status: 4 goes before 3, 3 before 5."""
    if mailing is not None:
        with sending.database.read() as connection:
            mailing = get_mailing(connection, mailing.id)
    if sending.is_json:
        print_json(describe(sending.database, mailing, sending.slug))
    if mailing is None:
        return NOTHING
    counts = counts_of(sending, mailing)
    if not sending.is_json:
        show(say_mailing(mailing, counts))
    if mailing.status == "cancelled":
        return CANCELLED
    if counts.in_doubt:
        return IN_DOUBT
    if counts.open or mailing.status == "paused":
        return UNFINISHED
    return DONE if has_done else NOTHING


def _show_dry_run(sending: Sending, meant: Mailing | None) -> int:
    """Say what a send would do, without building or starting anything."""
    which, recipients, detail = _foresee(sending, meant)
    days = _foresee_days(sending, recipients)
    document = describe(sending.database, meant, sending.slug)
    document |= {"digest": which, "recipients": recipients}
    if any(each.warm_up.first for each in sending.settings.smtp):
        document |= {"days": days}
    if sending.is_json:
        print_json(document)
    else:
        show(f"{sending.slug}: {recipients:,} would be sent to; digest {which}. Nothing was sent.")
        if detail:
            show(f"That is {detail}.")
        if days > 1:
            show(_say_days(days))
    return DONE


def _say_days(days: int) -> str:
    return f"It takes {days} days, by what relays may send a day (smtp.warm_up)."


def _foresee_days(sending: Sending, messages: int) -> int:
    """On how many days it would go, today being one."""
    from publisher.runtime.relays import foresee_mailing, read_relays

    settings, database = sending.settings, sending.database
    with database.read() as connection:
        relays = read_relays(connection, database.publication, settings, datetime.now(UTC))
    return foresee_mailing(settings, relays, messages)


def _foresee(sending: Sending, meant: Mailing | None) -> tuple[str, int, str]:
    """The digest, to how many, and in what forms that is where not all would get the whole."""
    if meant is not None:
        return meant.digest, counts_of(sending, meant).open, ""
    require_due(sending.folder, sending.settings, datetime.now(UTC), sending.slug)
    prepared = _prepare(sending)
    variants, now = prepared.variants(sending.settings), datetime.now(UTC)
    with sending.database.read() as connection:
        audience = count_audience(connection, sending.database.publication, variants, now)
    return prepared.digest(sending.settings), audience.total, str(audience)


def _prepare(sending: Sending) -> Prepared:
    """The issue as it would be sent; ContentError where it has errors."""
    prepared = prepare(sending.folder, sending.settings, datetime.now(UTC), sending.slug)
    if prepared.message is None:
        say_problems(prepared.problems)
        raise ContentError(f"{sending.path} has the errors above")
    return prepared


def _send_test(sending: Sending, address: str) -> int:
    """Send the issue to one address, a draft too; the readers' mailing is not touched."""
    from publisher.audience.address import AddressError, parse_address
    from publisher.runtime.start import start_test

    if not sending.path:
        raise PublisherError(f"the file of {sending.slug} is gone, so there is nothing to test")
    try:
        email = parse_address(address).email
    except AddressError as error:
        raise PublisherError(f"--test {address!r}: {error}") from None
    content = _prepare(sending).freeze(sending.settings, is_test=True)
    mailing = start_test(sending.database, sending.settings, content, sending.slug, email)
    deliver(sending, mailing)
    if counts_of(sending, mailing).failed:
        with sending.database.read() as connection:
            (shown,), _ = list_deliveries(connection, mailing.id, Sought(), limit=1)
        raise PublisherError(f"{email} was not sent to: {shown.last_reply}")
    return conclude(sending, mailing, has_done=True)
