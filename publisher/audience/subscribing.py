"""Subscribing, confirming and leaving: what each does to a person who may be known already."""

from base64 import b32encode
from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection

from publisher.audience.address import Address, address_hash, limit_key
from publisher.errors import PublisherError
from publisher.model.audience import Consent, ConsentSource, Subscriber, SuppressionReason
from publisher.store import erasing, preferences, subscribers, suppressions
from publisher.store.erasing import Erased
from publisher.store.subscribers import NewSubscriber
from publisher.store.suppressions import Suppression

# 80 bits: nobody guesses one, and no two are the same.
_REF_BYTES = 10
_REF_CHARACTERS = 16
# Why nothing is sent to an address, in words.
WHY_SUPPRESSED: dict[SuppressionReason, str] = {
    "bounce": "mail to it bounced",
    "complaint": "they complained of spam",
    "erased": "it was erased",
    "operator": "an operator decided so",
}


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. The subscriber is None only where the address is suppressed and unknown.

    `unsubscribed` and `suppressed` say why nothing was changed, and `since` when that began.
    """

    outcome: Literal["added", "updated", "unchanged", "unsubscribed", "suppressed"]
    subscriber: Subscriber | None
    since: datetime | None = None
    suppression: Suppression | None = None


def make_refs(chance: Callable[[int], bytes], number: int) -> list[str]:
    """Subscribers' names in links, from `chance(n)`, n random bytes.

    They are sorted, since an index grows much faster by keys that come in order.
    """
    letters = b32encode(chance(_REF_BYTES * number)).decode().lower()
    starts = range(0, len(letters), _REF_CHARACTERS)
    return sorted(letters[start : start + _REF_CHARACTERS] for start in starts)


def subscribe(
    connection: Connection,
    publication: int,
    address: Address,
    name: str,
    *,
    secret: bytes,
    ref: str,
    at: datetime,
    source: ConsentSource,
    origin: str = "",
    action: Literal["asked", "vouched"],
    language: str = "",
    is_returning: bool = False,
    is_lifting: bool = False,
) -> Subscribed:
    """Subscribe an address: an operator vouches for it, or somebody asks and is to confirm.

    Who unsubscribed comes back only if `is_returning`, as by their own wish on the form; who is
    suppressed only if `is_lifting`. Who asks changes nothing about one that is confirmed, since
    anybody can type an address. The connection writes.
    """
    hash = address_hash(address.key, secret)
    consent = Consent(at=at, action=action, source=source, origin=origin)
    found = subscribers.find_by_hash(connection, publication, hash)
    refusal = _refuse(connection, publication, hash, found, is_returning, is_lifting)
    if refusal:
        return refusal
    suppressions.lift(connection, publication, hash)
    if found is None:
        new = NewSubscriber(
            ref=ref, email=address.email, name=name, address_hash=hash, language=language
        )
        added = subscribers.add(connection, publication, new, consent)
        return _result(connection, publication, added, "added")
    has_changed = _change(connection, publication, found, name, language, consent)
    return _result(connection, publication, found.id, "updated" if has_changed else "unchanged")


def explain_refusal(result: Subscribed, address: Address) -> str:
    """Why somebody was not subscribed, for an operator; empty where they were."""
    since = f"{result.since:%Y-%m-%d}" if result.since else ""
    if result.outcome == "unsubscribed":
        return f"{address.email} unsubscribed on {since}"
    if result.suppression:
        why = WHY_SUPPRESSED[result.suppression.reason]
        return f"nothing is sent to {address.email} since {since}: {why}"
    return ""


def confirm(
    connection: Connection,
    publication: int,
    subscriber: int,
    *,
    at: datetime,
    source: ConsentSource,
    origin: str = "",
) -> bool:
    """Confirm what was asked for. False where there is nothing to confirm: who has unsubscribed
    since asks again. The connection writes.
    """
    found = subscribers.find_by_id(connection, publication, subscriber)
    if found is None or found.status != "unconfirmed":
        return False
    consent = Consent(at=at, action="confirmed", source=source, origin=origin)
    return subscribers.change_status(connection, publication, subscriber, consent)


def unsubscribe(
    connection: Connection,
    publication: int,
    subscriber: int,
    *,
    at: datetime,
    source: ConsentSource,
    origin: str = "",
) -> bool:
    """End a subscription and keep its record. False where it had ended. The connection writes."""
    consent = Consent(at=at, action="unsubscribed", source=source, origin=origin)
    return subscribers.change_status(connection, publication, subscriber, consent)


def find(
    connection: Connection, publication: int, address: Address, secret: bytes
) -> Subscriber | None:
    """The subscriber with an address, in whatever spelling."""
    return subscribers.find_by_hash(connection, publication, address_hash(address.key, secret))


def require(
    connection: Connection, publication: int, address: Address, secret: bytes
) -> Subscriber:
    """The subscriber with an address. Raises PublisherError where there is none."""
    if subscriber := find(connection, publication, address, secret):
        return subscriber
    hash = address_hash(address.key, secret)
    suppression = suppressions.find(connection, publication, hash)
    if suppression and suppression.reason == "erased":
        raise PublisherError(f"{address.email} was erased on {suppression.at:%Y-%m-%d}")
    raise PublisherError(f"there is no subscriber {address.email}")


def erase(
    connection: Connection, publication: int, address: Address, *, secret: bytes, at: datetime
) -> Erased | None:
    """Erase the subscriber with an address; None where there is none. The connection writes.

    The caller calls store.erasing.scrub afterwards: the files still have the address in them.
    """
    found = find(connection, publication, address, secret)
    if found is None:
        return None
    requests = [address_hash(limit_key(address), secret)]
    return erasing.erase(connection, publication, found.id, at, requests=requests)


def _refuse(
    connection: Connection,
    publication: int,
    hash: bytes,
    found: Subscriber | None,
    is_returning: bool,
    is_lifting: bool,
) -> Subscribed | None:
    suppression = suppressions.find(connection, publication, hash)
    if suppression and not is_lifting:
        return Subscribed(
            outcome="suppressed", subscriber=found, since=suppression.at, suppression=suppression
        )
    if found and found.status != "confirmed" and not is_returning:
        end = subscribers.find_ends(connection, publication, [found.id]).get(found.id)
        if end:
            return Subscribed(outcome="unsubscribed", subscriber=found, since=end)
    return None


def _change(
    connection: Connection,
    publication: int,
    found: Subscriber,
    name: str,
    language: str,
    consent: Consent,
) -> bool:
    is_vouched = consent.action == "vouched"
    if found.status == "confirmed" and not is_vouched:
        return False
    if not is_vouched and language != found.language:
        preferences.change(connection, publication, found.id, consent.at, language=language)
    has_name = bool(name) and name != found.name
    if has_name:
        subscribers.rename(connection, publication, found.id, name, consent.at)
    return (
        subscribers.change_status(connection, publication, found.id, consent)
        or has_name
        or found.is_suppressed
    )


def _result(
    connection: Connection,
    publication: int,
    subscriber: int,
    outcome: Literal["added", "updated", "unchanged"],
) -> Subscribed:
    found = subscribers.find_by_id(connection, publication, subscriber)
    return Subscribed(outcome=outcome, subscriber=found)
