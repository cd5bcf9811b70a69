"""What waits for somebody, or for its time: the home page's list of what is to be done."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from publisher.errors import PublisherError, SettingsError
from publisher.mailing.schedule import Fire
from publisher.mailing.week import FireWeek
from publisher.model.access import Role
from publisher.model.delivery import Mailing
from publisher.runtime.start import require_ready
from publisher.site.state import IssueState
from publisher.store.alerts import find_doubts
from publisher.store.arming import find_unarmed
from publisher.store.mailings import (
    count_deliveries,
    get_mailing,
    list_unfinished_mailings,
)
from publisher.store.occurrences import find_mailed, find_superseded
from publisher.store.plans import list_waiting
from publisher.web.console.desk import Desk
from publisher.web.console.issues import ReadFolder
from publisher.web.console.schedules import find_alerts, look_ahead

# An issue that nobody finished within this is no day's work any more.
_DUE = timedelta(hours=36)
_SOON = timedelta(hours=24)
_MOST = 8


class Item(msgspec.Struct, frozen=True):
    """Something that waits: how urgent (`problem`, `careful`, `done` or nothing), what, where.

    `name` is of an issue, a mailing or a schedule, and `at` a moment; they stand before the text.
    `least` is the role that may go where `path` leads.
    """

    kind: str
    name: str
    text: str
    path: str = ""
    label: str = ""
    at: datetime | None = None
    least: Role = "viewer"


def list_items(desk: Desk) -> list[Item]:
    """All that waits, the most urgent first."""
    now, folder = desk.clock(), ReadFolder(desk)
    with desk.database.read() as connection:
        items = [*_find_faults(desk, connection), *_list_mailings(desk, connection)]
        items += _list_alerts(desk, connection)
        items += _list_plans(desk, connection)
    items += [*_list_issues(desk, folder, now), *_list_firings(desk, folder, now)]
    order = ("problem", "careful", "", "done")
    return sorted(items, key=lambda each: order.index(each.kind))


def _find_faults(desk: Desk, connection: Connection) -> list[Item]:
    if why := find_unarmed(connection, desk.database.place):
        text = f"Nothing is sent: {why}. When no other one sends, `publisher arm` turns it on."
        return [Item("problem", "", text)]
    try:
        require_ready(desk.settings, desk.folder)
    except SettingsError as error:
        return [Item("careful", "", f"Nothing can be sent yet: {error}.")]
    return []


def _list_mailings(desk: Desk, connection: Connection) -> list[Item]:
    publication = desk.database.publication
    mailings = [
        get_mailing(connection, each) for each in list_unfinished_mailings(connection, publication)
    ]
    items = [_describe(connection, each) for each in mailings]
    for doubt in find_doubts(connection, publication):
        text = f"{doubt.doubts:,} deliveries may or may not have arrived, and are held"
        items.append(Item("careful", doubt.name, text, f"/mailings/{doubt.ref}", "Settle them"))
    return items


def _describe(connection: Connection, mailing: Mailing) -> Item:
    counts, path = count_deliveries(connection, mailing), f"/mailings/{mailing.ref}"
    if mailing.status == "paused":
        why = f": {mailing.reason}" if mailing.reason else ""
        text = f"is paused with {counts.open:,} still waiting{why}"
        return Item("problem", mailing.name, text, path, "Look at it")
    text = f"is being sent: {counts.sent:,} of {mailing.recipients:,}"
    return Item("done", mailing.name, text, path, "Watch it")


def _list_alerts(desk: Desk, connection: Connection) -> list[Item]:
    """But for those about mailings, which stand here by themselves."""
    return [
        Item(
            "problem",
            "",
            f"{each.text}{f': {each.about}' if each.about else ''}",
            each.path or "/schedules",
            "Why",
        )
        for each in find_alerts(desk, connection)
        if not each.path.startswith("/mailings/")
    ]


def _list_plans(desk: Desk, connection: Connection) -> list[Item]:
    return [
        Item(
            "",
            each.slug,
            "is about to be sent, and can be taken back",
            f"/issues/{each.slug}/send",
            "Look",
            each.due_at,
            "sender",
        )
        for each in list_waiting(connection, desk.database.publication)
    ]


def _list_issues(desk: Desk, folder: ReadFolder, now: datetime) -> list[Item]:
    """Drafts whose day it is, and what is ready and was not sent."""
    try:
        states = folder.read_states(now, now - _DUE)
    except PublisherError as error:
        return [Item("problem", "", f"The issues cannot be read: {error}.")]
    with desk.database.read() as connection:
        publication = desk.database.publication
        settled = find_mailed(connection, publication) | find_superseded(connection, publication)
    open_ones = [each for each in states if each.id not in settled and each.mail]
    near = [each for each in open_ones if each.date <= now + _SOON]
    near.sort(key=lambda each: (each.date, each.slug))
    items = [_describe_issue(each) for each in near[-_MOST:]]
    today = now.astimezone(desk.zone).date()
    if not any(each.date.astimezone(desk.zone).date() == today for each in states):
        text = "There is no issue of today yet"
        items.append(Item("", "", text, "/paste", "Paste a digest", least="editor"))
    return items


def _describe_issue(each: IssueState) -> Item:
    path = f"/issues/{each.slug}"
    if each.has_errors:
        return Item(
            "careful",
            each.slug,
            "has errors, which keep it from being sent",
            path,
            "Mend it",
            each.date,
        )
    if each.status == "draft":
        return Item("careful", each.slug, "is a draft", path, "Finish it", each.date)
    return Item("", each.slug, "is ready, and was not sent", path, "Look at it", each.date)


def _list_firings(desk: Desk, folder: ReadFolder, now: datetime) -> list[Item]:
    """What each schedule does next."""
    seen, _ = look_ahead(desk, folder, now, 1)
    items = []
    for each in seen:
        if each.occurrence is None:
            continue
        kind = "careful" if each.is_open else ""
        when = "is due" if each.is_open else "sends next"
        what = "nothing is ready yet"
        if isinstance(each.decision, Fire):
            what = f"{each.decision.candidate.slug}, as things stand"
            kind = ""
        elif isinstance(each.decision, FireWeek):
            issues = len(each.decision.candidates)
            what = f"{issues} {'issue' if issues == 1 else 'issues'}, as things stand"
            kind = ""
        text = f"{when}: {what}"
        items.append(
            Item(kind, each.schedule.name, text, "/schedules", "Look", each.occurrence.due)
        )
    return items
