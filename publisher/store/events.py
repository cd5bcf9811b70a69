"""What webhooks are told: read from the records of what was done, and kept until it is told.

The ledger and the record of consents get a line in the transaction of each change. They are read
from where they were read last, in the transaction that keeps what is to be told: so that nothing
is forgotten, and sending and subscribing take no longer for it. All functions but those that only
ask need a connection that writes.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from publisher.model.events import Event
from publisher.store import schema as s

_W = s.webhook.c
_E = s.webhook_event.c
# Lines that are read at once: a transaction of some milliseconds.
_LINES = 20_000
# What was told, or given up, is kept so long for those who wonder about it.
_KEPT = timedelta(days=7)
_OF_MAILINGS = ("started", "paused", "resumed", "stopped", "finished", "reopened")
_OF_DELIVERIES = ("failed", "expired", "parked", "bounced", "complained")


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook, up to where the records were read for it, and how it fares.

    `issues` is a JSON list of the issues that it knows of.
    """

    id: int
    url: str
    ledger: int
    consent: int
    issues: str
    failures: int
    wait_until: datetime | None


class LedgerLine(NamedTuple):
    """What was done with a mailing of an issue, or came of a delivery."""

    id: int
    at: datetime
    event: str
    reply: str | None
    mailing: str
    purpose: str
    issue: str
    slug: str
    recipients: int
    delivery: int | None
    subscriber: int | None


class ConsentLine(NamedTuple):
    """What happened to a subscription."""

    id: int
    at: datetime
    action: str
    source: str
    subscriber: int


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is to be told. Of whom it is about: nothing where they were erased."""

    id: int
    ref: str
    kind: str
    at: datetime
    data: str
    attempts: int
    queued_at: datetime
    subscriber_ref: str | None
    email: str | None


class GivenUp(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a webhook was not told, and is not any more: `fault` was its last answer."""

    id: int
    url: str
    ref: str
    kind: str
    at: datetime
    data: str
    attempts: int
    fault: str
    settled_at: datetime


def follow(
    connection: Connection, publication: int, urls: Collection[str], issues: Collection[str]
) -> None:
    """Follow these webhooks and no others: new ones are told what happens from now on.

    `issues` are the ids of those that are published now.
    """
    others = (_W.publication == publication, _W.url.not_in(list(urls)))
    connection.execute(delete(s.webhook).where(*others))
    row = {
        "publication": publication,
        "ledger": _last(connection, s.ledger),
        "consent": _last(connection, s.consent),
        "issues": write_issues(issues),
    }
    for url in urls:
        made = insert(s.webhook).values(row | {"url": url}).on_conflict_do_nothing()
        connection.execute(made)


def write_issues(issues: Collection[str]) -> str:
    return msgspec.json.encode(sorted(issues)).decode()


def find_following(connection: Connection, publication: int, url: str) -> Following | None:
    """A webhook that is followed."""
    columns = [getattr(_W, name) for name in Following.__struct_fields__]
    chosen = select(*columns).where(_W.publication == publication, _W.url == url)
    row = connection.execute(chosen).one_or_none()
    return None if row is None else Following(**row._mapping)


def find_ledger_lines(
    connection: Connection, publication: int, after: int
) -> tuple[list[LedgerLine], int]:
    """The next lines of the ledger that tell of an event, and up to where they were read."""
    lines, m, d = s.ledger.c, s.mailing.c, s.delivery.c
    until = min(_last(connection, s.ledger), after + _LINES)
    if until <= after:
        return [], after
    chosen = (
        select(
            *(lines.id, lines.at, lines.event, lines.reply),
            *(m.ref, m.purpose, m.issue, m.slug, m.recipients, lines.delivery, d.subscriber),
        )
        .join(s.mailing, m.id == lines.mailing)
        .outerjoin(s.delivery, d.id == lines.delivery)
        # By a sum: the lines are found by their ids alone.
        .where(lines.publication + 0 == publication, lines.id > after, lines.id <= until)
        .where(lines.event.in_((*_OF_MAILINGS, *_OF_DELIVERIES)))
    )
    rows = connection.execute(chosen.order_by(lines.id))
    return [LedgerLine(*row) for row in rows], until


def find_consent_lines(
    connection: Connection, publication: int, after: int
) -> tuple[list[ConsentLine], int]:
    """The next lines of the record of consents, and up to where they were read."""
    c = s.consent.c
    until = min(_last(connection, s.consent), after + _LINES)
    if until <= after:
        return [], after
    chosen = select(c.id, c.at, c.action, c.source, c.subscriber).where(
        c.publication + 0 == publication, c.id > after, c.id <= until
    )
    rows = connection.execute(chosen.where(c.action != "asked").order_by(c.id))
    return [ConsentLine(*row) for row in rows], until


def _last(connection: Connection, table: Any) -> int:
    return int(connection.execute(select(func.max(table.c.id))).scalar() or 0)


def put(
    connection: Connection,
    publication: int,
    following: Following,
    events: Sequence[Event],
    now: datetime,
) -> None:
    """Keep what is to be told, and up to where the records were read for it.

    `following` has the new places.
    """
    same = {"publication": publication, "webhook": following.id, "queued_at": now}
    rows = [
        same
        | {"ref": each.ref, "kind": each.kind, "at": each.at, "subscriber": each.subscriber}
        | {"data": msgspec.json.encode(each.data).decode()}
        for each in events
    ]
    if rows:
        connection.execute(insert(s.webhook_event).on_conflict_do_nothing(), rows)
    places = {name: getattr(following, name) for name in ("ledger", "consent", "issues")}
    connection.execute(update(s.webhook).where(_W.id == following.id).values(places))
    connection.execute(delete(s.webhook_event).where(_E.settled_at < now - _KEPT))


def find_outgoing(connection: Connection, webhook: int, now: datetime) -> Outgoing | None:
    """The first of what a webhook is to be told, but for what was put off by itself."""
    r = s.subscriber.c
    columns = (_E.id, _E.ref, _E.kind, _E.at, _E.data, _E.attempts, _E.queued_at)
    chosen = (
        select(*columns, r.ref.label("subscriber_ref"), r.email)
        .outerjoin(s.subscriber, r.id == _E.subscriber)
        .where(_E.webhook == webhook, _E.status == "queued")
        .where(_E.next_at.is_(None) | (_E.next_at <= now))
    )
    row = connection.execute(chosen.order_by(_E.id).limit(1)).one_or_none()
    return None if row is None else Outgoing(**row._mapping)


def note_told(connection: Connection, webhook: int, event: int, now: datetime) -> None:
    """Note that an event was told."""
    _settle(connection, event, "told", now, "")
    well = {"failures": 0, "wait_until": None}
    connection.execute(update(s.webhook).where(_W.id == webhook).values(well))


def put_off(connection: Connection, event: int, until: datetime | None, fault: str) -> None:
    """Note a try that failed; without a moment it stays the first in its queue."""
    values = {"attempts": _E.attempts + 1, "next_at": until, "fault": fault}
    connection.execute(update(s.webhook_event).where(_E.id == event).values(values))


def let_wait(connection: Connection, webhook: int, until: datetime) -> None:
    """Let all that a webhook is to be told wait."""
    values = {"failures": _W.failures + 1, "wait_until": until}
    connection.execute(update(s.webhook).where(_W.id == webhook).values(values))


def give_up(connection: Connection, event: int, now: datetime, fault: str) -> None:
    """Tell an event no more."""
    _settle(connection, event, "given_up", now, fault)


def give_up_all(
    connection: Connection, webhook: int, before: datetime, now: datetime, fault: str
) -> int:
    """Tell no more of what a webhook was to be told since before a moment; gives how many."""
    old = (_E.webhook == webhook, _E.status == "queued", _E.queued_at <= before)
    values = {"status": "given_up", "settled_at": now, "fault": fault}
    return connection.execute(update(s.webhook_event).where(*old).values(values)).rowcount


def list_given_up(
    connection: Connection, publication: int, *, before: int = 0, limit: int
) -> list[GivenUp]:
    """The newest events that were given up, before one by its id; of all where that is 0."""
    chosen = _given_up(publication)
    if before:
        chosen = chosen.where(_E.id < before)
    rows = connection.execute(chosen.order_by(_E.id.desc()).limit(limit))
    return [GivenUp(**row._mapping) for row in rows]


def find_given_up(connection: Connection, publication: int, event: int) -> GivenUp | None:
    """An event that was given up, by its row's id."""
    row = connection.execute(_given_up(publication).where(_E.id == event)).one_or_none()
    return None if row is None else GivenUp(**row._mapping)


def _given_up(publication: int) -> Select[Any]:
    own = [getattr(_E, name) for name in GivenUp.__struct_fields__ if name != "url"]
    chosen = select(*own, _W.url).join(s.webhook, _W.id == _E.webhook)
    return chosen.where(_W.publication == publication, _E.status == "given_up")


def queue_again(connection: Connection, publication: int, now: datetime, event: int = 0) -> int:
    """Let an event that was given up be told after all, or all such; gives how many.

    Their webhooks are tried at once, whatever they were to wait for.
    """
    is_it = [_E.publication == publication, _E.status == "given_up"]
    if event:
        is_it.append(_E.id == event)
    theirs = select(_E.webhook).where(*is_it)
    at_once = {"failures": 0, "wait_until": None}
    connection.execute(update(s.webhook).where(_W.id.in_(theirs)).values(at_once))
    anew = {"status": "queued", "attempts": 0, "queued_at": now, "next_at": None}
    chosen = update(s.webhook_event).where(*is_it).values(**anew, settled_at=None)
    return connection.execute(chosen).rowcount


def _settle(connection: Connection, event: int, status: str, now: datetime, fault: str) -> None:
    values = {"status": status, "settled_at": now, "fault": fault, "attempts": _E.attempts + 1}
    connection.execute(update(s.webhook_event).where(_E.id == event).values(values))


def count_events(connection: Connection, publication: int) -> dict[tuple[str, str], int]:
    """How many events are in each status, by their webhook's URL."""
    counted = (
        select(_W.url, _E.status, func.count())
        .join(s.webhook, _W.id == _E.webhook)
        .where(_W.publication == publication)
        .group_by(_W.url, _E.status)
    )
    return {(url, status): number for url, status, number in connection.execute(counted)}
