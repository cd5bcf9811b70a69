"""What a link in mail leads to, and what pressing its button does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection

from publisher.audience.subscribing import confirm, unsubscribe
from publisher.message.links import read_token
from publisher.model.audience import ConsentSource, Subscriber
from publisher.runtime.confirming import CONFIRM_WITHIN
from publisher.store.requests import find_confirmation
from publisher.store.subscribers import find_by_ref
from publisher.web.public.notices import Kind

LinkPurpose = Literal["confirm", "unsubscribe"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says: a subscriber by their `ref`, empty in a trial message, and a delivery."""

    purpose: LinkPurpose
    ref: str
    delivery: int


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """A button pressed: when, and as the consent record says how and from where."""

    at: datetime
    source: ConsentSource
    client: str


def read_link(token: str, purpose: LinkPurpose, keys: Sequence[bytes]) -> Link | None:
    """Read a token; None where it is none of ours, or for something else."""
    subject = read_token(token, purpose, keys)
    if subject is None:
        return None
    ref, _, delivery = subject.partition(".")
    return Link(purpose=purpose, ref=ref, delivery=int(delivery))


def look(connection: Connection, publication: int, link: Link, now: datetime) -> Kind:
    """The page that a link shows. Nothing is changed."""
    subscriber = find_by_ref(connection, publication, link.ref) if link.ref else None
    if link.purpose == "confirm":
        return _look_confirm(connection, publication, link, subscriber, now)
    if not link.ref:
        return "trial"
    if subscriber is None or subscriber.status == "unsubscribed":
        return "not_subscribed"
    return "end"


def press(connection: Connection, publication: int, link: Link, pressed: Press) -> Kind:
    """Do what a link's page offers, and give the page that says so. The connection writes."""
    kind = look(connection, publication, link, pressed.at)
    subscriber = find_by_ref(connection, publication, link.ref)
    if subscriber is None or kind not in ("confirm", "end"):
        return "ended" if subscriber and kind == "not_subscribed" else kind
    change = confirm if kind == "confirm" else unsubscribe
    change(
        connection,
        publication,
        subscriber.id,
        at=pressed.at,
        source=pressed.source,
        origin=pressed.client,
    )
    return "confirmed" if kind == "confirm" else "ended"


def _look_confirm(
    connection: Connection,
    publication: int,
    link: Link,
    subscriber: Subscriber | None,
    now: datetime,
) -> Kind:
    if subscriber is None or subscriber.is_suppressed or subscriber.status == "unsubscribed":
        return "link_unusable"
    asked = find_confirmation(connection, publication, subscriber.id, link.delivery)
    if asked is None or now - asked > CONFIRM_WITHIN:
        return "link_unusable"
    return "confirmed" if subscriber.status == "confirmed" else "confirm"
