"""What a link in mail leads to, and what pressing its button does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection

from publisher.audience.address import parse_address
from publisher.audience.preferences import move
from publisher.audience.subscribing import confirm, unsubscribe
from publisher.message.links import Purpose, read_token
from publisher.model.audience import ConsentSource, Subscriber
from publisher.runtime.single import CONFIRM_WITHIN, PREFERENCES_WITHIN
from publisher.store import wishes
from publisher.store.evidence import Evidence, is_doubtful, prove
from publisher.store.preferences import find_links_end
from publisher.store.requests import Asked, find_asked
from publisher.store.subscribers import find_by_ref
from publisher.store.wishes import NewWish
from publisher.web.public.asking import Means
from publisher.web.public.notices import Kind

# Those whose page has one button; preferences have a page of their own.
ButtonPurpose = Literal["confirm", "unsubscribe", "address"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says: a subscriber by their `ref`, empty in a trial message, and a delivery."""

    purpose: Purpose
    ref: str
    delivery: int


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """A button pressed: when, and as the consent record says how and from where."""

    at: datetime
    source: ConsentSource
    client: str


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The page that a link leads to, in the language of its subscriber, and an address in it."""

    kind: Kind
    language: str = ""
    address: str = ""


def read_link(token: str, purpose: Purpose, keys: Sequence[bytes]) -> Link | None:
    """Read a token; None where it is none of ours, or for something else."""
    subject = read_token(token, purpose, keys)
    if subject is None:
        return None
    ref, _, delivery = subject.partition(".")
    return Link(purpose=purpose, ref=ref, delivery=int(delivery))


def look(connection: Connection, publication: int, link: Link, now: datetime) -> Seen:
    """The page that a link shows. Nothing is changed."""
    subscriber = find_by_ref(connection, publication, link.ref) if link.ref else None
    language = subscriber.language if subscriber else ""
    if link.purpose == "address":
        return _look_address(connection, publication, link, subscriber, now)
    if link.purpose == "confirm":
        kind = _look_confirm(connection, publication, link, subscriber, now)
        return Seen(kind=kind, language=language)
    if not link.ref:
        return Seen(kind="trial")
    is_left = subscriber is None or subscriber.status == "unsubscribed"
    return Seen(kind="not_subscribed" if is_left else "end", language=language)


def note_link(
    connection: Connection, publication: int, link: Link, now: datetime, *, is_used: bool
) -> None:
    """A link that stands in one message alone was opened or used: there is such a message.

    Of the delivery, where it was in doubt, that is proof; of its reader it changes nothing, and a
    program that only looks proves it as well. The connection writes.
    """
    if is_doubtful(connection, publication, link.delivery, link.ref):
        is_leaving = is_used and link.purpose == "unsubscribe"
        evidence: Evidence = "unsubscribe" if is_leaving else "visit"
        prove(connection, publication, link.delivery, evidence, now)


def press(
    connection: Connection, publication: int, link: Link, pressed: Press, means: Means | None
) -> Seen:
    """Do what a link's page offers, and give the page that says so. The connection writes."""
    seen = look(connection, publication, link, pressed.at)
    note_link(connection, publication, link, pressed.at, is_used=True)
    subscriber = find_by_ref(connection, publication, link.ref)
    if subscriber is None:
        return seen
    if seen.kind == "new_address":
        return _move(connection, publication, subscriber, seen, pressed, means)
    if seen.kind not in ("confirm", "end"):
        is_ended = seen.kind == "not_subscribed"
        return msgspec.structs.replace(seen, kind="ended") if is_ended else seen
    change = confirm if seen.kind == "confirm" else unsubscribe
    change(
        connection,
        publication,
        subscriber.id,
        at=pressed.at,
        source=pressed.source,
        origin=pressed.client,
    )
    if seen.kind == "confirm" and means and means.is_welcoming:
        wish = NewWish(kind="welcome", subscriber=subscriber.id, hash=b"", at=pressed.at)
        wishes.add(connection, publication, wish)
    return msgspec.structs.replace(seen, kind="confirmed" if seen.kind == "confirm" else "ended")


def find_fresh(
    connection: Connection,
    publication: int,
    subscriber: Subscriber,
    link: Link,
    now: datetime,
    purpose: Literal["preferences", "address"],
) -> Asked | None:
    """The message that a link to preferences, or of them, came by; None where it has ended."""
    asked = find_asked(connection, publication, subscriber.id, link.delivery, purpose)
    if asked is None or now - asked.at > PREFERENCES_WITHIN:
        return None
    end = find_links_end(connection, publication, subscriber.id)
    return asked if end is None or asked.at > end else None


def _look_confirm(
    connection: Connection,
    publication: int,
    link: Link,
    subscriber: Subscriber | None,
    now: datetime,
) -> Kind:
    if subscriber is None or subscriber.is_suppressed or subscriber.status == "unsubscribed":
        return "link_unusable"
    asked = find_asked(connection, publication, subscriber.id, link.delivery, "confirmation")
    if asked is None or now - asked.at > CONFIRM_WITHIN:
        return "link_unusable"
    return "confirmed" if subscriber.status == "confirmed" else "confirm"


def _look_address(
    connection: Connection,
    publication: int,
    link: Link,
    subscriber: Subscriber | None,
    now: datetime,
) -> Seen:
    unusable = Seen(kind="link_unusable", language=subscriber.language if subscriber else "")
    if subscriber is None or subscriber.status != "confirmed":
        return unusable
    asked = find_fresh(connection, publication, subscriber, link, now, "address")
    if asked and asked.address:  # it is gone where who has it was erased
        return msgspec.structs.replace(unusable, kind="new_address", address=asked.address)
    used = find_asked(connection, publication, subscriber.id, link.delivery, "address")
    if used and used.address == subscriber.email:  # the button was pressed twice
        return msgspec.structs.replace(unusable, kind="address_changed", address=subscriber.email)
    return unusable


def _move(
    connection: Connection,
    publication: int,
    subscriber: Subscriber,
    seen: Seen,
    pressed: Press,
    means: Means | None,
) -> Seen:
    """Give them the address, and tell the old one."""
    if means is None:
        return Seen(kind="unavailable", language=seen.language)
    address = parse_address(seen.address)
    is_moved = move(
        connection,
        publication,
        subscriber,
        address,
        secret=means.secret,
        at=pressed.at,
        origin=pressed.client,
    )
    if not is_moved:  # somebody else was first
        return Seen(kind="link_unusable", language=seen.language)
    if not subscriber.is_suppressed:
        means.singles.start(
            connection,
            publication,
            "moved",
            subscriber.id,
            pressed.at,
            language=subscriber.language,
            address=subscriber.email,
        )
    return msgspec.structs.replace(seen, kind="address_changed")
