"""What happens in a publication that other programs may be told of."""

from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

EventKind = (
    Literal["issue.published"]
    | Literal["mailing.started", "mailing.paused", "mailing.resumed", "mailing.cancelled"]
    | Literal["mailing.finished", "mailing.reopened"]
    | Literal["delivery.failed", "delivery.bounced", "delivery.complained"]
    | Literal["subscriber.confirmed", "subscriber.unsubscribed"]
)

EVENT_KINDS: tuple[EventKind, ...] = tuple(
    kind for part in get_args(EventKind) for kind in get_args(part)
)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. `ref` names it: the same however often it is told, and to whom.

    `data` says what it is about, and has nobody's address; `subscriber` is the row of whom it is
    about, where it is about somebody.
    """

    ref: str
    kind: EventKind
    at: datetime
    data: dict[str, Any]
    subscriber: int | None = None
