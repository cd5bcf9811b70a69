"""Who may be mailed."""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, or_

from publisher.store import schema as s


def may_be_mailed(publication: int, now: datetime) -> tuple[Any, ...]:
    """The conditions that a subscriber may be sent an issue now."""
    is_suppressed = exists().where(
        s.suppression.c.publication == s.subscriber.c.publication,
        s.suppression.c.address_hash == s.subscriber.c.address_hash,
    )
    return (
        s.subscriber.c.publication == publication,
        s.subscriber.c.status == "confirmed",
        or_(s.subscriber.c.paused_until.is_(None), s.subscriber.c.paused_until <= now),
        ~is_suppressed,
    )
