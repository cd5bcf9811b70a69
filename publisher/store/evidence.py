"""Doubts that settle themselves: what only a delivery's own message, having arrived, can cause."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Select, insert, literal, select, update

from publisher.mailing.transitions import DELIVERY_TRANSITIONS
from publisher.store import schema as s
from publisher.store.mailings import finish_if_done

# What proves it: what came back about the message, a link that stands in this one alone, and what
# the relay says of it, in its log or by an event.
Evidence = Literal["bounce", "complaint", "unsubscribe", "visit", "log", "event"]

_WORDS: dict[Evidence, str] = {
    "bounce": "proven by a report about this very message",
    "complaint": "proven by a complaint about this very message",
    "unsubscribe": "proven by the reader, who left by its link",
    "visit": "proven by a link in it, which was opened",
    "log": "proven by the relay's log, which has its Message-ID",
    "event": "proven by an event of the relay's, which has its Message-ID",
}
_D = s.delivery.c


def is_doubtful(connection: Connection, publication: int, delivery: int, reader: str) -> bool:
    """Tell whether evidence about a delivery to a subscriber, by their ref, changes anything."""
    theirs = select(s.subscriber.c.id).where(s.subscriber.c.ref == reader)
    doubtful = _doubtful(publication, delivery).where(_D.subscriber.in_(theirs))
    return connection.execute(doubtful).first() is not None


def list_doubtful(connection: Connection, mailing: int) -> list[int]:
    """The deliveries of a mailing about which evidence changes anything."""
    before = [literal(each, literal_execute=True) for each in DELIVERY_TRANSITIONS["proven"].before]
    chosen = select(_D.id).where(
        _D.mailing == mailing,
        _D.status.in_(before),
        _D.status != literal("sent", literal_execute=True),  # as the partial index has it
        _D.doubts > 0,
    )
    return list(connection.execute(chosen).scalars())


def prove(
    connection: Connection, publication: int, delivery: int, evidence: Evidence, now: datetime
) -> bool:
    """Turn a delivery that was in doubt into a sent one, with the proof in its ledger.

    Also one that is queued or deferred since: it is not sent again. False where it was in no doubt.
    The connection writes.
    """
    row = connection.execute(_doubtful(publication, delivery)).first()
    if row is None:
        return False
    said = _WORDS[evidence]
    line = {"publication": publication, "mailing": row.mailing, "delivery": delivery, "at": now}
    line |= {"event": "proven", "attempt": row.attempts, "reply": said}
    connection.execute(insert(s.ledger).values(line))
    proven = {"status": DELIVERY_TRANSITIONS["proven"].after, "next_attempt_at": None}
    changed = update(s.delivery).where(_D.id == delivery)
    connection.execute(changed.values(**proven, last_reply=said))
    finish_if_done(connection, publication, row.mailing, now)
    return True


def _doubtful(publication: int, delivery: int) -> Select[Any]:
    before = DELIVERY_TRANSITIONS["proven"].before
    return select(_D.mailing, _D.attempts).where(
        _D.id == delivery, _D.publication == publication, _D.status.in_(before), _D.doubts > 0
    )
