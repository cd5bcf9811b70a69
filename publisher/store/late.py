"""Outcomes that came late: of deliveries that somebody else has taken over meanwhile.

What was really seen is always on record, whoever brings it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from publisher.mailing.transitions import DELIVERY_TRANSITIONS
from publisher.store import schema as s
from publisher.store.batches import wake
from publisher.store.corrections import CORRECTABLE, follow_up
from publisher.store.deliveries import Settled, cancel_waiting
from publisher.store.mailings import get_mailing, reopen_mailing

_D = s.delivery.c


def settle_late(
    connection: Connection, publication: int, late: Sequence[Settled], now: datetime
) -> bool:
    """Write what came of deliveries that were taken over since, which settles their doubts.

    What was accepted is sent, also where it waits to be sent once more; what was surely not is sent
    again. Where another one is sending it just now, or has, the ledger has a line. Tells whether
    there are other deliveries to be made now. The connection writes.
    """
    events = [(each.taken, _settle(connection, publication, each, now)) for each in late]
    for mailing in {taken.mailing for taken, event in events if event == "disproven"}:
        # It may have been finished without, or cancelled.
        reopen_mailing(connection, publication, mailing, now)
        if get_mailing(connection, mailing).status == "cancelled":
            cancel_waiting(connection, publication, mailing, now)
        wake(connection, mailing)
    arrived = [
        (taken.mailing, taken.id)
        for taken, event in events
        if event == "proven" and taken.purpose in CORRECTABLE
    ]
    return bool(arrived) and follow_up(connection, publication, arrived, now)


def find_settled(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of these deliveries that nobody is sending any more; the connection writes."""
    chosen = select(_D.id).where(_D.id.in_(ids), _D.status != "sending").with_for_update()
    return set(connection.execute(chosen).scalars())


def _settle(connection: Connection, publication: int, each: Settled, now: datetime) -> str:
    taken, outcome = each.taken, each.outcome
    chosen = select(_D.status, _D.attempts, _D.doubts, _D.last_reply).where(_D.id == taken.id)
    row = connection.execute(chosen.with_for_update()).one()
    is_same = row.attempts == each.settlement.history.attempts and row.last_reply == each.reply
    if is_same and row.status != "sending":
        return ""  # it was written by a commit that nobody heard of
    event = _find_event(each, row.status, row.attempts, row.doubts)
    relay_id = outcome.relay_id or None if outcome else None
    said = {"reply": each.reply, "relay_id": relay_id, "stage": outcome.stage if outcome else None}
    line = {"publication": publication, "mailing": taken.mailing, "delivery": taken.id, "at": now}
    line |= {"event": event, "attempt": row.attempts, **said}
    connection.execute(insert(s.ledger).values(line))
    if event != "late":
        values: dict[str, Any] = {
            "status": DELIVERY_TRANSITIONS[event].after,
            "next_attempt_at": None,
        }
        values |= {"last_reply": each.reply, "relay_id": relay_id}
        connection.execute(update(s.delivery).where(_D.id == taken.id).values(values))
    return event


def _find_event(each: Settled, status: str, attempts: int, doubts: int) -> str:
    """What a late outcome does with a delivery that stands like this; `late` changes nothing.

    That it was not sent says nothing of another attempt, made since, that is in doubt as well.
    """
    kind = each.outcome.kind if each.outcome else "transient"
    if kind == "accepted" and doubts and status in DELIVERY_TRANSITIONS["proven"].before:
        return "proven"
    is_same = attempts == each.taken.history.attempts + 1
    is_refusal = is_same and kind in ("transient", "permanent")
    if is_refusal and status in DELIVERY_TRANSITIONS["disproven"].before:
        return "disproven"
    return "late"
