"""Schedules: when each fires and with which issue, what came of it, and what went wrong."""

from datetime import datetime, timedelta

import msgspec
from litestar import get
from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.mailing.schedule import Fire
from publisher.runtime.foreseeing import Foreseeing, Foreseen
from publisher.runtime.newsroom import Folder
from publisher.store.alerts import Raised, list_alerts
from publisher.store.arming import find_unarmed
from publisher.store.mailings import list_issue_mailings
from publisher.store.occurrences import list_superseded
from publisher.web.console.desk import Desk
from publisher.web.console.shell import Answer, AnyRequest, desk_of, in_thread, render

_PAST = 10
_SUPERSEDED = 20
_ALERTS = 50
_MAILINGS = 50
# What was told of a firing is never over; after this it is history.
FIRING_ALERTS = ("nothing-ready", "firing-failed", "missed")
_FRESH = timedelta(days=2)
KINDS = {
    "nothing-ready": "A firing found no issue that is ready",
    "firing-failed": "A firing failed",
    "missed": "A firing was missed",
    "mailing-paused": "A mailing is paused",
    "doubts-held": "Deliveries are in doubt",
    "relay-down": "The mail relay cannot be reached",
    "disk-nearly-full": "The disk is nearly full",
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
    seen, fault = look_ahead(desk, now, _PAST)
    with desk.database.read() as connection:
        unarmed = find_unarmed(connection, desk.database.path)
        superseded = list_superseded(connection, publication, _SUPERSEDED)
        is_open = find_alerts(desk, connection, now)
        over = [_describe(desk, connection, each) for each in _list_over(desk, connection, now)]
    names = _read_names(desk, seen, now)
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
        relays=[f"{each.host}:{each.port}" for each in desk.settings.smtp],
        is_relay_down=any(each.text == KINDS["relay-down"] for each in is_open),
        is_fire=lambda decision: isinstance(decision, Fire),
        now=now,
    )


def look_ahead(desk: Desk, now: datetime, past: int) -> tuple[list[Foreseen], str]:
    """How the schedules stand, and why that cannot be told."""
    if not desk.settings.schedule:
        return [], ""
    newsroom = Folder(desk.folder, desk.settings)
    try:
        return Foreseeing(desk.database, desk.settings, newsroom).look(now, past), ""
    except PublisherError as error:
        return [], str(error)


def find_alerts(desk: Desk, connection: Connection, now: datetime) -> list[Alert]:
    """What somebody should see to now."""
    found = list_alerts(connection, desk.database.publication, is_open=True, limit=_ALERTS)
    return [_describe(desk, connection, each) for each in found if _is_fresh(each, now)]


def _is_fresh(each: Raised, now: datetime) -> bool:
    return each.kind not in FIRING_ALERTS or now - each.raised_at < _FRESH


def _list_over(desk: Desk, connection: Connection, now: datetime) -> list[Raised]:
    publication = desk.database.publication
    still = list_alerts(connection, publication, is_open=True, limit=_ALERTS)
    over = list_alerts(connection, publication, is_open=False, limit=_PAST)
    older = [each for each in still if not _is_fresh(each, now)]
    return sorted([*over, *older], key=lambda each: each.raised_at, reverse=True)[:_PAST]


def _describe(desk: Desk, connection: Connection, each: Raised) -> Alert:
    """An alert in words; those about a mailing name it by its ref."""
    text, about, path = KINDS.get(each.kind, each.kind), each.about, ""
    if each.kind in ("mailing-paused", "doubts-held"):
        mailings = list_issue_mailings(connection, desk.database.publication, _MAILINGS)
        about = next((one.slug for one in mailings if one.ref == each.about), each.about)
        path = f"/mailings/{each.about}"
    elif each.about in ("relay", "disk"):
        about = ""
    return Alert(text, about.replace("T", " "), each.raised_at, each.cleared_at, path)


def _read_names(desk: Desk, seen: list[Foreseen], now: datetime) -> dict[str, str]:
    """The NAMEs of issues that are still in the folder, by their ids."""
    try:
        states = Folder(desk.folder, desk.settings).read_states(now, now - timedelta(days=90))
    except PublisherError:
        return {}
    return {each.id: each.slug for each in states}


handlers = [show_schedules]
