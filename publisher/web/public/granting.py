"""What becomes of each wish: decided in one transaction, by what is known of the address."""

import secrets
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection

from publisher.audience.address import address_hash, limit_key, parse_address
from publisher.audience.preferences import can_move
from publisher.audience.subscribing import make_refs, subscribe
from publisher.model.audience import Subscriber
from publisher.runtime.confirming import is_known, start_confirmation
from publisher.runtime.single import Singles
from publisher.store import requests
from publisher.store.subscribers import find_by_hash, find_by_id
from publisher.store.wishes import Wish

# A link that was lost can be asked for again; a mailbox is not filled with them.
LINKS_A_DAY = 2
# Somebody may make a slip, and another one; who tries many addresses is looking for something.
MOVES_A_DAY = 3


class Granting(msgspec.Struct, frozen=True, kw_only=True):
    """One wish's transaction, which writes, and what it takes."""

    connection: Connection
    publication: int
    singles: Singles
    secret: bytes
    now: datetime


def grant_subscription(it: Granting, wish: Wish) -> bool:
    """Start a confirmation where one is due. In one transaction: nobody else asks between."""
    if is_known(it.connection, it.publication, wish.hash, it.now):
        return False
    requests.record(it.connection, it.publication, "subscribe", wish.hash, it.now)
    result = subscribe(
        it.connection,
        it.publication,
        parse_address(wish.email),
        wish.name,
        secret=it.secret,
        ref=make_refs(secrets.token_bytes, 1)[0],
        at=it.now,
        source="form",
        origin=wish.client,
        action="asked",
        language=wish.language,
        is_returning=True,
    )
    subscriber = result.subscriber
    if result.outcome == "suppressed" or subscriber is None:
        return False
    if subscriber.status != "unconfirmed":
        return False
    start_confirmation(it.connection, it.publication, it.singles, subscriber, it.now)
    return True


def grant_link(it: Granting, wish: Wish) -> bool:
    """Mail the link to their preferences to somebody who is known, whatever their status.

    Who never confirmed may never have asked for anything: they get one message a day.
    """
    before = _count(it, "preferences", wish.hash)
    if before >= LINKS_A_DAY:
        return False
    requests.record(it.connection, it.publication, "preferences", wish.hash, it.now)
    hash = address_hash(parse_address(wish.email).key, it.secret)
    found = find_by_hash(it.connection, it.publication, hash)
    if found is None or found.is_suppressed:
        return False
    is_asked = before > 0 or is_known(it.connection, it.publication, wish.hash, it.now)
    if found.status == "unconfirmed" and is_asked:
        return False
    _start(it, "preferences", found)
    return True


def grant_move(it: Granting, wish: Wish) -> bool:
    """Ask at another address whether it is a subscriber's, where it may become theirs."""
    found = wish.subscriber and find_by_id(it.connection, it.publication, wish.subscriber)
    if not found or found.status != "confirmed":
        return False
    own = address_hash(limit_key(parse_address(found.email)), it.secret)
    is_limited = _count(it, "address", own) >= MOVES_A_DAY or _count(it, "address", wish.hash)
    for hash in {own, wish.hash}:
        requests.record(it.connection, it.publication, "address", hash, it.now)
    address = parse_address(wish.email)
    may = can_move(it.connection, it.publication, found, address, it.secret)
    if is_limited or not may or address.email == found.email:
        return False
    _start(it, "address", found, address.email)
    return True


def _count(it: Granting, kind: requests.RequestKind, hash: bytes) -> int:
    return requests.count(it.connection, it.publication, (kind,), hash, it.now)


def _start(
    it: Granting,
    kind: Literal["preferences", "address"],
    found: Subscriber,
    address: str | None = None,
) -> None:
    it.singles.start(
        it.connection,
        it.publication,
        kind,
        found.id,
        it.now,
        language=found.language,
        address=address,
    )
