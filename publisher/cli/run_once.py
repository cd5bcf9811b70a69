"""run --once: what is due is published, fired and sent; then it ends, and says how it stands."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from publisher.cli.mailing import say_mailing
from publisher.cli.output import print_json, say, show
from publisher.cli.send import DONE, IN_DOUBT, UNFINISHED, stopping
from publisher.cli.store import open_store
from publisher.errors import PublisherError
from publisher.model.delivery import TO_MANY
from publisher.runtime.alerts import Alerts
from publisher.runtime.folding import fold_old
from publisher.runtime.mailings import describe
from publisher.runtime.newsroom import Folder
from publisher.runtime.planned import PlannedSends, ToldPlan
from publisher.runtime.scheduler import Scheduler, Told
from publisher.runtime.sending import Delivering, send, send_all
from publisher.runtime.start import require_ready
from publisher.runtime.webhooks import open_tellings
from publisher.runtime.websub import telling
from publisher.runtime.week_firing import WeekFirings
from publisher.runtime.weekly import Weeks
from publisher.settings import Settings
from publisher.store.arming import require_armed
from publisher.store.database import Database
from publisher.store.mailings import (
    count_deliveries,
    get_mailing,
    list_active_mailings,
    list_unfinished_mailings,
)

WRONG = 2


def run_once(folder: Path, settings: Settings, json: bool) -> int:
    """Do what is due, and give the exit status as `send` does: 0 where there was nothing to do."""
    newsroom = Folder(folder, settings)
    with open_store(folder, settings) as database, stopping() as stop:
        alerts = Alerts(database, settings, say)
        tellings = open_tellings(folder, settings, database, say, alerts.warn_of_webhook)
        fault = _publish(newsroom)
        with database.read() as connection:
            require_armed(connection, database.place)
        before = _unfinished(database)
        planned = _start_planned(database, newsroom, alerts)
        told = _fire(database, settings, newsroom, alerts)
        begun = [each.mailing for each in planned] + [each.mailing for each in told]
        fired = {mailing.id for mailing in begun if mailing is not None}
        touched = sorted({*before, *fired, *_unfinished(database)})
        delivering = Delivering(database=database, settings=settings, folder=folder, stop=stop)
        with telling(folder, settings, say):
            _deliver(delivering, touched)
            if alerts.look(datetime.now(UTC)):
                _deliver(delivering, [])  # the alert
        status = _conclude(database, touched, json)
        for each in tellings:
            each.look(stop)
        fold_old(database, settings, datetime.now(UTC), say, stop.is_set)
    has_failed = any(each.event == "failed" for each in told)
    has_failed |= any(each.plan.status in ("refused", "waiting") for each in planned)
    return status or fault or (WRONG if has_failed else DONE)


def _publish(newsroom: Folder) -> int:
    """Publish; what is wrong does not keep mailings that were frozen before from going on."""
    try:
        newsroom.publish(datetime.now(UTC))
    except PublisherError as error:
        say(f"publisher: {error}")
        return error.exit_status
    return DONE


def _start_planned(database: Database, newsroom: Folder, alerts: Alerts) -> list[ToldPlan]:
    """Start the sends that were planned and are due; give what became of them."""
    heard: list[ToldPlan] = []

    def hear(told: ToldPlan) -> None:
        heard.append(told)
        alerts.hear_planned(told, datetime.now(UTC))

    PlannedSends(database, newsroom, hear).tick(datetime.now(UTC))
    return heard


def _fire(database: Database, settings: Settings, newsroom: Folder, alerts: Alerts) -> list[Told]:
    """Let the schedules do what is due; give what they told."""
    heard: list[Told] = []

    def hear(told: Told) -> None:
        heard.append(told)
        alerts.hear_schedule(told, datetime.now(UTC))

    weeks = WeekFirings(Weeks(database, settings, newsroom))
    Scheduler(database, settings, newsroom, hear, weeks).tick(datetime.now(UTC))
    return heard


def _deliver(delivering: Delivering, mailings: Sequence[int]) -> None:
    """Send all that waits; where another process does, follow these, and take over if it dies."""
    if not mailings and not _has_singles(delivering.database):
        return
    require_ready(delivering.settings, delivering.folder)
    if not send_all(delivering):
        for mailing in mailings:
            send(delivering, mailing, lambda mailing, counts: None)


def _unfinished(database: Database) -> set[int]:
    with database.read() as connection:
        return set(list_unfinished_mailings(connection, database.publication))


def _has_singles(database: Database) -> bool:
    """Tell whether single messages wait: confirmations, alerts."""
    with database.read() as connection:
        active = list_active_mailings(connection, database.publication)
    return any(each.purpose not in TO_MANY for each in active)


def _conclude(database: Database, mailings: list[int], json: bool) -> int:
    """Show what was worked on, and give the exit status: 4 goes before 3."""
    statuses = [DONE]
    documents = []
    for each in mailings:
        with database.read() as connection:
            mailing = get_mailing(connection, each)
            counts = count_deliveries(connection, mailing)
        documents.append(describe(database, mailing, mailing.slug))
        if not json:
            show(say_mailing(mailing, counts))
        is_waiting = counts.open > 0 or mailing.status == "paused"
        statuses.append(IN_DOUBT if counts.in_doubt else UNFINISHED if is_waiting else DONE)
    if json:
        print_json({"mailings": documents})
    return max(statuses)
