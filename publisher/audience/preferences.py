"""What readers change about themselves: what they get, a pause, their address; and their data."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from publisher.audience.address import Address, address_hash, limit_key, parse_address
from publisher.model.audience import Consent, Subscriber
from publisher.model.choices import Choices
from publisher.model.publication import Publication
from publisher.store import preferences, requests, subscribers, suppressions
from publisher.store.variants import write_choices

# For how long the issues can be paused, by the words of the form. A month is 30 days, three are a
# quarter of a year.
PAUSES: dict[str, timedelta] = {
    "1_week": timedelta(weeks=1),
    "2_weeks": timedelta(weeks=2),
    "1_month": timedelta(days=30),
    "3_months": timedelta(days=91),
}


def pause(
    connection: Connection, publication: int, subscriber: Subscriber, how_long: str, at: datetime
) -> None:
    """Send no issue until a word of PAUSES has passed. The connection writes."""
    preferences.change(
        connection, publication, subscriber.id, at, paused_until=at + PAUSES[how_long]
    )


def resume(connection: Connection, publication: int, subscriber: Subscriber, at: datetime) -> None:
    """End a pause. What is being sent already passed over them. The connection writes."""
    preferences.change(connection, publication, subscriber.id, at, paused_until=None)


def choose(
    connection: Connection, publication: int, subscriber: Subscriber, choices: Choices, at: datetime
) -> None:
    """Let a subscriber get what they chose, from the next mailing on. The connection writes.

    Who wants each issue again still gets the week's message with those that they waited for.
    """
    values: dict[str, Any] = {**write_choices(choices)}
    if choices.frequency == "weekly":
        values["weekly_until"] = None
    elif subscriber.choices.frequency == "weekly":
        values["weekly_until"] = at
    preferences.change(connection, publication, subscriber.id, at, **values)


def can_move(
    connection: Connection,
    publication: int,
    subscriber: Subscriber,
    address: Address,
    secret: bytes,
) -> bool:
    """Tell whether an address may become a subscriber's: none of another one's record.

    Somebody may have typed it into the form who never confirmed it: that is no record, unless who
    has the address had left before.
    """
    hash = address_hash(address.key, secret)
    if suppressions.is_suppressed(connection, publication, hash):
        return False
    found = subscribers.find_by_hash(connection, publication, hash)
    if found is None or found.id == subscriber.id:
        return True
    has_left = subscribers.find_ends(connection, publication, [found.id])
    return found.status == "unconfirmed" and not has_left


def move(
    connection: Connection,
    publication: int,
    subscriber: Subscriber,
    address: Address,
    *,
    secret: bytes,
    at: datetime,
    origin: str,
) -> bool:
    """Give a subscriber another address, which its owner has confirmed; all else is kept.

    False where it may not be theirs. Links to preferences that went to the old address have ended.
    The connection writes.
    """
    if not can_move(connection, publication, subscriber, address, secret):
        return False
    hash = address_hash(address.key, secret)
    found = subscribers.find_by_hash(connection, publication, hash)
    if found is not None and found.id != subscriber.id:
        subscribers.drop_unconfirmed(connection, publication, found.id)
    preferences.keep_address(connection, publication, subscriber.id, subscriber.email)
    preferences.change(
        connection,
        publication,
        subscriber.id,
        at,
        email=address.email,
        address_hash=hash,
        soft_bounces=0,
        links_ended_at=at,
    )
    consent = Consent(at=at, action="confirmed", source="address", origin=origin)
    subscribers.record(connection, publication, subscriber.id, consent)
    return True


def export(
    connection: Connection,
    publication: int,
    about: Publication,
    subscriber: Subscriber,
    *,
    secret: bytes,
    now: datetime,
) -> dict[str, Any]:
    """Everything that is kept about a subscriber, as a JSON document; times are RFC 3339 in UTC."""
    profile = preferences.read_profile(connection, publication, subscriber.id)
    record = subscribers.read_consents(connection, publication, [subscriber.id])[subscriber.id]
    events = preferences.list_events(connection, publication, subscriber.id)
    address = parse_address(subscriber.email)
    hash = address_hash(address.key, secret)
    suppression = suppressions.find(connection, publication, hash)
    counted = [hash, address_hash(limit_key(address), secret)]
    return {
        "publication": {"id": about.id, "title": about.title, "url": about.url},
        "exported_at": _time(now),
        "profile": _plain(profile) | {"tags": subscriber.choices.tags},
        "suppressed": suppression and {"reason": suppression.reason, "at": _time(suppression.at)},
        "consent": [_plain(line) for line in record],
        "deliveries": [
            _plain(each) | {"events": [_plain(event) for event in events.get(each.id, [])]}
            for each in preferences.list_received(connection, publication, subscriber.id)
        ],
        "requests": [
            {"kind": kind, "at": _time(at)}
            for kind, at in requests.list_kept(connection, publication, counted)
        ],
    }


def _plain(it: msgspec.Struct) -> dict[str, Any]:
    """A struct's fields, but for a row's number, which is nobody's business."""
    values = msgspec.structs.asdict(it)
    values.pop("id", None)
    return {k: _time(v) if isinstance(v, datetime) else v for k, v in values.items()}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
