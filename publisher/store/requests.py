"""What strangers asked for over HTTP: counted for a day, so that nobody is mailed over and over.

An address is counted by the keyed hash of its coarse key (`audience.address.limit_key`), which its
spellings share, and is counted whatever is known of it.
"""

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from publisher.store import schema as s

# Somebody used the form for an address; a confirmation was made for it.
RequestKind = Literal["subscribe", "confirmation"]

KEPT = timedelta(hours=24)
_R = s.request.c


def record(
    connection: Connection, publication: int, kind: RequestKind, hash: bytes, now: datetime
) -> None:
    """Count a request. The connection writes."""
    line = insert(s.request).values(publication=publication, kind=kind, hash=hash, at=now)
    connection.execute(line)


def forget_old(connection: Connection, publication: int, now: datetime) -> None:
    """Forget what is older than KEPT. The connection writes."""
    old = delete(s.request).where(_R.publication == publication, _R.at <= now - KEPT)
    connection.execute(old)


def has_any(connection: Connection, publication: int, hash: bytes, now: datetime) -> bool:
    """Tell whether anything was asked for, or sent, for an address within KEPT."""
    kinds: tuple[RequestKind, ...] = ("subscribe", "confirmation")
    found = select(_R.id).where(
        _R.publication == publication,
        _R.kind.in_(kinds),  # the index begins with it
        _R.hash == hash,
        _R.at > now - KEPT,
    )
    return connection.execute(found.limit(1)).first() is not None


def find_confirmation(
    connection: Connection, publication: int, subscriber: int, delivery: int
) -> datetime | None:
    """When the confirmation was made that went to a subscriber by a delivery; None for others."""
    d, m = s.delivery.c, s.mailing.c
    found = (
        select(m.created_at)
        .join(s.delivery, d.mailing == m.id)
        .where(
            d.id == delivery,
            d.subscriber == subscriber,
            d.publication == publication,
            m.purpose == "confirmation",
        )
    )
    return connection.execute(found).scalar()
