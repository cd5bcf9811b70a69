"""What strangers asked for over HTTP: counted for a day, so that nobody is mailed over and over.

An address is counted by the keyed hash of its coarse key (`audience.address.limit_key`), which its
spellings share, and is counted whatever is known of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from publisher.model.delivery import Purpose
from publisher.store import schema as s

# Somebody used the form for an address; a confirmation was made for it; somebody asked for the link
# to its preferences, or named it in theirs as their new one.
RequestKind = Literal["subscribe", "confirmation", "preferences", "address"]

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


def count(
    connection: Connection,
    publication: int,
    kinds: Sequence[RequestKind],
    hash: bytes,
    now: datetime,
) -> int:
    """How often something was asked for, or sent, for an address within KEPT."""
    counted = select(func.count(_R.id)).where(
        _R.publication == publication,
        _R.kind.in_(kinds),  # the index begins with it
        _R.hash == hash,
        _R.at > now - KEPT,
    )
    return int(connection.execute(counted).scalar_one())


def list_kept(
    connection: Connection, publication: int, hashes: Sequence[bytes]
) -> list[tuple[str, datetime]]:
    """What is still remembered of requests for an address: the kind and the time of each."""
    found = select(_R.kind, _R.at).where(_R.publication == publication, _R.hash.in_(hashes))
    return [(kind, at) for kind, at in connection.execute(found.order_by(_R.id))]


class Asked(msgspec.Struct, frozen=True):
    """A message that a link came by: when it was made, and where it went if not to them."""

    at: datetime
    address: str | None


def find_asked(
    connection: Connection, publication: int, subscriber: int, delivery: int, purpose: Purpose
) -> Asked | None:
    """The single message of a purpose that a delivery about a subscriber was; None for others."""
    d, m = s.delivery.c, s.mailing.c
    found = (
        select(m.created_at, d.address)
        .join(s.delivery, d.mailing == m.id)
        .where(
            d.id == delivery,
            d.subscriber == subscriber,
            d.publication == publication,
            m.purpose == purpose,
        )
    )
    row = connection.execute(found).one_or_none()
    return None if row is None else Asked(*row)
