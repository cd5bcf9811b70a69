"""send --weekly: the week's message that was due last, started, joined or gone on with by hand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from publisher.cli.output import print_json, say, show
from publisher.cli.send import (
    DONE,
    Sending,
    ask_to_go_on,
    build,
    conclude,
    confirm,
    counts_of,
    deliver,
    require_sendable_mailing,
)
from publisher.errors import PublisherError
from publisher.mailing.schedule import Occurrence, Rule
from publisher.mailing.week import FireWeek, key_of
from publisher.model.delivery import Mailing
from publisher.runtime.mailings import describe
from publisher.runtime.newsroom import Folder
from publisher.runtime.scheduler import make_rule
from publisher.runtime.websub import telling
from publisher.runtime.weekly import Ready, Weeks, find_last_firing
from publisher.settings import Settings
from publisher.store.database import Database
from publisher.store.weeks import count_week


def send_weekly(
    folder: Path,
    settings: Settings,
    database: Database,
    json: bool,
    *,
    is_asking: bool,
    dry_run: bool,
) -> int:
    """Send the week's message, and give the exit status as for an issue."""
    rule = _read_rule(settings)
    last = find_last_firing(rule, ZoneInfo(settings.publication.time_zone), datetime.now(UTC))
    key = key_of(last.wall)
    sending = Sending(
        folder=folder, settings=settings, database=database, slug=key, path="", is_json=json
    )
    weeks = Weeks(database, settings, Folder(folder, settings))
    meant = weeks.find(last.wall)
    if dry_run:
        return _show_dry_run(sending, weeks, rule, last, meant)
    if meant is not None:
        require_sendable_mailing(sending, meant)
    build(sending)
    with telling(folder, settings, say):
        if meant is not None:
            ask_to_go_on(sending, meant, is_asking=is_asking)
        else:
            meant = _start(sending, weeks, rule, last, is_asking=is_asking)
        if meant is None:
            return conclude(sending, None, has_done=False)
        is_open = counts_of(sending, meant).open > 0
        if is_open:
            deliver(sending, meant)
        return conclude(sending, meant, has_done=is_open)


def _read_rule(settings: Settings) -> Rule:
    """The schedule of the week's message; what an editor saved last is sent by hand at once."""
    schedule = next((each for each in settings.schedules if settings.is_weekly(each.name)), None)
    if schedule is None:
        raise PublisherError(
            'publisher.toml: choices.weekly is empty, so nobody can choose one message a week; "0 8'
            ' * * sun" would be Sundays at 8'
        )
    return msgspec.structs.replace(make_rule(schedule), settle=timedelta(0))


def _prepare(
    sending: Sending, weeks: Weeks, rule: Rule, last: Occurrence, now: datetime
) -> Ready | None:
    """What would be sent now, of all that was published by now; None where that is nothing."""
    by_hand = msgspec.structs.replace(last, due=now)
    decision = weeks.look(rule, by_hand, now)
    if not isinstance(decision, FireWeek):
        say(f"{sending.slug}: {decision.reason}.")
        return None
    ready = weeks.prepare(by_hand, decision, now)
    if ready.left_out:
        say(f"Left out: {ready.left_out}.")
    return ready


def _start(
    sending: Sending, weeks: Weeks, rule: Rule, last: Occurrence, *, is_asking: bool
) -> Mailing | None:
    """Ask, and start the mailing; None where there is nothing to send, or nobody to send it to."""
    now, database = datetime.now(UTC), sending.database
    ready = _prepare(sending, weeks, rule, last, now)
    if ready is None:
        return None
    frozen = ready.frozen
    with database.read() as connection:
        audience = count_week(connection, database.publication, frozen.week, now)
    if audience.why_nobody:
        say(f"There is nobody to send {sending.slug} to: {audience.why_nobody}.")
        return None
    say(f"{sending.slug}: {frozen.subject}")
    say(f"To {audience.total:,} in {audience.variants:,} variants; digest {frozen.mailing.digest}.")
    confirm("Send it now?", is_asking=is_asking)
    with database.write() as connection:
        return weeks.start(connection, ready, datetime.now(UTC))


def _show_dry_run(
    sending: Sending, weeks: Weeks, rule: Rule, last: Occurrence, meant: Mailing | None
) -> int:
    """Say what a send would do. The site is not built for it: it tells of what was published."""
    now, database = datetime.now(UTC), sending.database
    document = describe(database, meant, sending.slug)
    digest, recipients = (meant.digest, counts_of(sending, meant).open) if meant else (None, 0)
    if meant is None and (ready := _prepare(sending, weeks, rule, last, now)) is not None:
        with database.read() as connection:
            audience = count_week(connection, database.publication, ready.frozen.week, now)
        digest, recipients = ready.frozen.mailing.digest, audience.total
    if sending.is_json:
        print_json(document | {"digest": digest, "recipients": recipients})
    else:
        of = f"; digest {digest}" if digest else ""
        show(f"{sending.slug}: {recipients:,} would be sent to{of}. Nothing was sent.")
    return DONE
