"""Asking somebody to confirm a subscription: a message of its own, ahead of any mailing."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from publisher.audience.address import address_hash, limit_key, parse_address
from publisher.model.audience import Subscriber
from publisher.model.delivery import Mailing
from publisher.runtime.single import Singles
from publisher.runtime.start import require_ready
from publisher.settings import Settings
from publisher.store import requests
from publisher.store.database import Database
from publisher.store.keys import require_key
from publisher.store.requests import RequestKind
from publisher.store.subscribers import find_by_id

# Either of them is a reason not to write to an address again on the same day.
_ASKED: tuple[RequestKind, ...] = ("subscribe", "confirmation")


def make_asking(
    folder: Path, settings: Settings, database: Database
) -> Callable[[Connection, int], None]:
    """What sends a subscriber, by id, a confirmation in the transaction that adds them.

    It leaves with the next `run` or `send`. Nobody is asked twice within 24 hours. Raises
    PublisherError where no message can be made, before anything is done.
    """
    require_ready(settings, folder)
    singles = Singles(folder, settings)
    singles.freeze("confirmation")
    publication, now = database.publication, datetime.now(UTC)

    def ask(connection: Connection, id: int) -> None:
        found = find_by_id(connection, publication, id)
        if found and not was_asked(connection, publication, found.email, now):
            start_confirmation(connection, publication, singles, found, now)

    return ask


def start_confirmation(
    connection: Connection,
    publication: int,
    singles: Singles,
    subscriber: Subscriber,
    now: datetime,
) -> Mailing:
    """Start the mailing of a confirmation, in the transaction in which it was asked for.

    The connection writes.
    """
    hash = _limit_hash(connection, subscriber.email)
    requests.record(connection, publication, "confirmation", hash, now)
    return singles.start(
        connection,
        publication,
        "confirmation",
        subscriber.id,
        now,
        language=subscriber.language,
    )


def was_asked(connection: Connection, publication: int, email: str, now: datetime) -> bool:
    """Tell whether an address was asked to confirm within 24 hours, in whatever spelling.

    The connection writes.
    """
    return is_known(connection, publication, _limit_hash(connection, email), now)


def is_known(connection: Connection, publication: int, hash: bytes, now: datetime) -> bool:
    """Tell whether the form was used for an address within 24 hours, or it was written to."""
    return requests.count(connection, publication, _ASKED, hash, now) > 0


def _limit_hash(connection: Connection, email: str) -> bytes:
    secret = require_key(connection, "address-key", secrets.token_bytes)
    return address_hash(limit_key(parse_address(email)), secret)
