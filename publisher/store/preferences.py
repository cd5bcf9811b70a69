"""What readers set for themselves, and all that is known of one of them."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from publisher.model.delivery import DeliveryStatus, Purpose
from publisher.store import schema as s

_S, _D, _M, _L = s.subscriber.c, s.delivery.c, s.mailing.c, s.ledger.c


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A subscriber's own row, but for what is random in it."""

    email: str
    name: str
    status: str
    language: str
    paused_until: datetime | None
    content: str
    tags: str
    frequency: str
    weekly_until: datetime | None
    soft_bounces: int
    created_at: datetime
    changed_at: datetime


class Event(msgspec.Struct, frozen=True):
    """A line of the ledger about a delivery."""

    at: datetime
    event: str
    reply: str | None


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery to a reader, with its lines in the ledger; `address` if it was not their own."""

    id: int
    purpose: Purpose
    issue: str
    started_at: datetime
    status: DeliveryStatus
    attempts: int
    address: str | None
    last_reply: str | None


def change(
    connection: Connection, publication: int, subscriber: int, at: datetime, **values: Any
) -> None:
    """Set columns of a subscriber. The connection writes."""
    concerned = (_S.publication == publication, _S.id == subscriber)
    connection.execute(update(s.subscriber).where(*concerned).values(changed_at=at, **values))


def read_profile(connection: Connection, publication: int, subscriber: int) -> Profile:
    columns = [_S[name] for name in Profile.__struct_fields__]
    chosen = select(*columns).where(_S.publication == publication, _S.id == subscriber)
    return Profile(**connection.execute(chosen).one()._mapping)


def find_links_end(connection: Connection, publication: int, subscriber: int) -> datetime | None:
    """Until when the links to a subscriber's preferences were made that have ended."""
    chosen = select(_S.links_ended_at).where(_S.publication == publication, _S.id == subscriber)
    return connection.execute(chosen).scalar()


def keep_address(connection: Connection, publication: int, subscriber: int, email: str) -> None:
    """Write into what was sent to a subscriber where it went, before that is another address.

    A failure that is reported later then says nothing of the new one. The connection writes.
    """
    sent = update(s.delivery).where(
        _D.publication == publication,
        _D.subscriber == subscriber,
        _D.status == "sent",
        _D.address.is_(None),
    )
    connection.execute(sent.values(address=email))


def list_received(connection: Connection, publication: int, subscriber: int) -> list[Received]:
    """All deliveries to a subscriber, in their order."""
    chosen = (
        select(
            *(_D.id, _M.purpose, _M.slug.label("issue"), _M.created_at.label("started_at")),
            *(_D.status, _D.attempts, _D.address, _D.last_reply),
        )
        .join(s.mailing, _M.id == _D.mailing)
        .where(_D.publication == publication, _D.subscriber == subscriber)
        .order_by(_D.id)
    )
    return [Received(**row._mapping) for row in connection.execute(chosen)]


def list_events(
    connection: Connection, publication: int, subscriber: int
) -> dict[int, list[Event]]:
    """The ledger's lines about a subscriber's deliveries, by the delivery's id."""
    chosen = (
        select(_L.delivery, _L.at, _L.event, _L.reply)
        .join(s.delivery, _D.id == _L.delivery)
        .where(_D.publication == publication, _D.subscriber == subscriber)
        .order_by(_L.id)
    )
    found: dict[int, list[Event]] = {}
    for delivery, *line in connection.execute(chosen):
        found.setdefault(delivery, []).append(Event(*line))
    return found
