"""Schedules: when each fires and with which issue, what came of it, and what went wrong."""

from datetime import datetime, timedelta

import msgspec
from litestar import get
from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.mailing.cron import parse_cron
from publisher.mailing.schedule import Fire
from publisher.mailing.week import FireWeek
from publisher.runtime.foreseeing import Foreseeing, Foreseen
from publisher.runtime.relays import read_relays
from publisher.store.alerts import Raised, list_alerts
from publisher.store.arming import find_unarmed
from publisher.store.mailings import list_mailings_of_issues
from publisher.store.occurrences import list_superseded
from publisher.store.workers import list_workers
from publisher.web.console.charts import say_span
from publisher.web.console.desk import Desk
from publisher.web.console.issues import ReadFolder
from publisher.web.console.rhythm import say_rhythm
from publisher.web.console.shell import Answer, AnyRequest, desk_of, in_thread, render

_PAST = 10
_SUPERSEDED = 20
_ALERTS = 50
_MAILINGS = 50
KINDS = {
    "nothing-ready": "A schedule found no issue that is ready",
    "firing-failed": "A schedule could not send",
    "missed": "The time of a schedule was missed",
    "mailing-paused": "A mailing is paused",
    "doubts-held": "Deliveries are in doubt",
    "planned-send": "A planned send was not started as planned",
    "webhook-given-up": "Another program was not told what happened",
    "relay-down": "The mail relay cannot be reached",
    "disk-nearly-full": "The disk is nearly full",
}
_RELAY_WORDS = {
    "unused": "nothing was sent over it yet",
    "up": "works",
    "left_alone": "failed, and is left alone for now",
    "to_be_tried": "failed, and is tried again by one connection",
    "refused": "takes nothing from us, and is tried again seldom",
}


class Alert(msgspec.Struct, frozen=True):
    """What an operator was told: in words, about what, since and until when; `path` leads there."""

    text: str
    about: str
    raised_at: datetime
    cleared_at: datetime | None
    path: str = ""


@get("/schedules")
@in_thread
def show_schedules(request: AnyRequest) -> Answer:
    desk = desk_of(request)
    publication, now = desk.database.publication, desk.clock()
    folder = ReadFolder(desk)
    seen, fault = look_ahead(desk, folder, now, _PAST)
    with desk.database.read() as connection:
        unarmed = find_unarmed(connection, desk.database.place)
        superseded = list_superseded(connection, publication, _SUPERSEDED)
        is_open = find_alerts(desk, connection)
        over = find_alerts(desk, connection, is_open=False)
        relays = read_relays(connection, publication, desk.settings, now)
        workers = list_workers(connection, now)
    names = _read_names(folder, now)
    return render(
        request,
        "schedules.html",
        seen=seen,
        fault=fault,
        unarmed=unarmed,
        superseded=[(names.get(issue, ""), issue, at) for issue, at in superseded],
        alerts=is_open,
        over=over,
        heartbeat=bool(desk.settings.alerts.heartbeat),
        relays=relays,
        workers=workers,
        relay_words=_RELAY_WORDS,
        has_table=len(relays) > 1 or any(each.allowed is not None for each in relays),
        is_relay_down=any(each.text == KINDS["relay-down"] for each in is_open),
        is_fire=lambda decision: isinstance(decision, Fire),
        is_week=lambda decision: isinstance(decision, FireWeek),
        rhythm=lambda cron: say_rhythm(parse_cron(cron)),
        span=say_span,
        now=now,
    )


def look_ahead(
    desk: Desk, folder: ReadFolder, now: datetime, past: int
) -> tuple[list[Foreseen], str]:
    """How the schedules stand, and why that cannot be told."""
    if not desk.settings.schedules:
        return [], ""
    try:
        return Foreseeing(desk.database, desk.settings, folder).look(now, past), ""
    except PublisherError as error:
        return [], str(error)


def find_alerts(desk: Desk, connection: Connection, *, is_open: bool = True) -> list[Alert]:
    """What somebody should see to now, or what was over last."""
    limit = _ALERTS if is_open else _PAST
    found = list_alerts(connection, desk.database.publication, is_open=is_open, limit=limit)
    return [_describe(desk, connection, each) for each in found]


def _describe(desk: Desk, connection: Connection, each: Raised) -> Alert:
    """An alert in words; one about a mailing names it by its ref, one about a send its issue."""
    text, about, path = KINDS.get(each.kind, each.kind), each.about, ""
    if each.kind in ("mailing-paused", "doubts-held"):
        mailings = list_mailings_of_issues(connection, desk.database.publication, _MAILINGS)
        about = next((one.slug for one in mailings if one.ref == each.about), each.about)
        path = f"/mailings/{each.about}"
    elif each.kind == "planned-send":
        about = each.about.partition(" ")[0]
        path = f"/issues/{about}"
    elif each.kind == "webhook-given-up":
        path = "/webhooks"
    elif each.about in ("relay", "disk"):
        about = ""
    return Alert(text, about.replace("T", " "), each.raised_at, each.cleared_at, path)


def _read_names(folder: ReadFolder, now: datetime) -> dict[str, str]:
    """The NAMEs of issues that are still in the folder, by their ids."""
    try:
        states = folder.read_states(now, now - timedelta(days=90))
    except PublisherError:
        return {}
    return {each.id: each.slug for each in states}


handlers = [show_schedules]
