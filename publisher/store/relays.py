"""Relays on record: how each stands, and what went over it on each day.

Whatever an allowance has left is claimed here before it is used, in the transaction of the
intents, so that any number of processes share it. What a dead process claimed and did not use is
lost for its day, until `forget_claims` is called by one that knows that nobody else delivers.
Functions that change something need a connection that writes.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert  # in the words of SQLite too

from publisher.mailing.rest import Rest
from publisher.store import schema as s

_R, _D = s.relay.c, s.relay_day.c


class Standing(msgspec.Struct, frozen=True):
    """How a relay stood when that changed last."""

    rest: Rest
    at: datetime


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What went over a relay on a day, which is the n-th on which anything did."""

    day: int = 1
    taken: int = 0
    sent: int = 0


def note_standing(
    connection: Connection, publication: int, relay: str, rest: Rest, now: datetime
) -> None:
    """Note how a relay stands now."""
    values = {
        "failures": rest.failures,
        "fault": rest.fault,
        "until": rest.until,
        "is_refused": int(rest.is_refused),
        "at": now,
    }
    key = {"publication": publication, "name": relay}
    noted = insert(s.relay).values(key | values)
    connection.execute(noted.on_conflict_do_update(index_elements=list(key), set_=values))


def find_standings(connection: Connection, publication: int) -> Mapping[str, Standing]:
    """How each relay stands that was ever used, by its name."""
    columns = (_R.name, _R.failures, _R.until, _R.fault, _R.is_refused, _R.at)
    rows = connection.execute(select(*columns).where(_R.publication == publication))
    return {
        row.name: Standing(Rest(row.failures, row.until, row.fault, bool(row.is_refused)), row.at)
        for row in rows
    }


def find_use(connection: Connection, publication: int, relay: str, day: date) -> Use:
    """What went over a relay on a day, and its number among those on which anything was sent."""
    of_relay = (_D.publication == publication, _D.relay == relay)
    before = select(func.count()).where(*of_relay, _D.day < day.isoformat(), _D.sent > 0)
    today = select(_D.taken, _D.sent).where(*of_relay, _D.day == day.isoformat())
    row = connection.execute(today).first()
    number = int(connection.execute(before).scalar_one()) + 1
    return Use(day=number, taken=row.taken if row else 0, sent=row.sent if row else 0)


def list_days(connection: Connection, publication: int) -> list[tuple[str, date]]:
    """The relays' days of sending: a relay's name, and the day."""
    chosen = select(_D.relay, _D.day).where(_D.publication == publication, _D.sent > 0)
    rows = connection.execute(chosen.order_by(_D.relay, _D.day))
    return [(relay, date.fromisoformat(day)) for relay, day in rows]


def claim(
    connection: Connection, publication: int, relay: str, day: date, wanted: int, allowed: int
) -> int:
    """Claim so many of what is allowed on a day, or what is left of it; give how many."""
    key = {"publication": publication, "relay": relay, "day": day.isoformat()}
    connection.execute(insert(s.relay_day).values(key).on_conflict_do_nothing())
    # The row is this transaction's from here on.
    is_it = _of_day(publication, relay, day)
    connection.execute(update(s.relay_day).where(*is_it).values(taken=_D.taken + wanted))
    taken = int(connection.execute(select(_D.taken).where(*is_it)).scalar_one())
    over = min(max(taken - allowed, 0), wanted)
    if over:
        count_messages(connection, publication, relay, day, taken=-over)
    return wanted - over


def count_messages(
    connection: Connection,
    publication: int,
    relay: str,
    day: date,
    *,
    sent: int = 0,
    taken: int = 0,
) -> None:
    """Count what a relay took, and what is claimed, or given back where `taken` is below 0."""
    key = {"publication": publication, "relay": relay, "day": day.isoformat()}
    counted = insert(s.relay_day).values(key | {"sent": sent, "taken": max(taken, 0)})
    values = {"sent": _D.sent + sent, "taken": _D.taken + taken}
    connection.execute(counted.on_conflict_do_update(index_elements=list(key), set_=values))


def hold_days(connection: Connection, publication: int, relays: Iterable[str], day: date) -> None:
    """Let nobody else count what goes over these relays, until the transaction ends."""
    held = select(_D.relay).where(
        *(_D.publication == publication, _D.relay.in_([*relays]), _D.day == day.isoformat())
    )
    connection.execute(held.order_by(_D.relay).with_for_update())


def forget_claims(connection: Connection, publication: int) -> None:
    """Give back what was claimed and not used, where nobody delivers."""
    unused = update(s.relay_day).where(_D.publication == publication, _D.taken > _D.sent)
    connection.execute(unused.values(taken=_D.sent))


def _of_day(publication: int, relay: str, day: date) -> tuple[Any, ...]:
    return _D.publication == publication, _D.relay == relay, _D.day == day.isoformat()
