"""What was done with deliveries, as an operator looks it up: pages of them, and each one's ledger.

A page is found by where the last one ended, in the order of an index, so that the thousandth is
there as soon as the first.
"""

import re
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, literal, or_, select

from publisher.model.choices import Definition
from publisher.model.delivery import DeliveryStatus, Purpose
from publisher.store import schema as s
from publisher.store.functions import has_part
from publisher.store.variants import split

_D, _S, _M, _L = s.delivery.c, s.subscriber.c, s.mailing.c, s.ledger.c
_CURSOR = re.compile(r"([rn])([0-9]{1,18})")
_EMAIL = func.coalesce(_D.address, _S.email, "")
# What of the issue a delivery has; the whole has no row of its own.
_C = s.mailing_content.c
_ITS_CONTENT = and_(
    _D.variant > 0, _C.mailing == _D.mailing, _C.variant == _D.variant, _C.revision == _D.revision
)
_WHAT = (
    func.coalesce(_C.form, "full").label("form"),
    func.coalesce(_C.highlights, "").label("highlights"),
)
# The rate is that of the last lines of the ledger, no older than this.
_RATE_LINES = 2_000
_RATE_TIME = timedelta(seconds=30)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery on record. `email` and `reader` are empty where the reader was erased.

    `reader` is the subscriber's ref; deliveries to other addresses than a subscriber's have none.
    `place` is where a list of deliveries goes on behind this one.
    """

    id: int
    mailing: int
    mailing_ref: str
    slug: str
    purpose: Purpose
    email: str
    reader: str
    status: DeliveryStatus
    attempts: int
    last_reply: str
    next_attempt_at: datetime | None
    relay: str | None
    started_at: datetime
    what: Definition
    place: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the ledger."""

    at: datetime
    event: str
    attempt: int | None
    stage: str | None
    reply: str | None
    relay_id: str | None
    relay: str | None


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries of a mailing: in a status, of a reader, with an address, or a part of one.

    Of `subscriber` and `address` either is enough; `part` is in any case where it is ASCII.
    """

    status: DeliveryStatus | None = None
    subscriber: int | None = None
    address: str = ""
    part: str = ""


def list_deliveries(
    connection: Connection, mailing: int, sought: Sought, *, after: str = "", limit: int
) -> tuple[list[Recorded], str]:
    """A page of a mailing's deliveries, and where the next begins: empty where there is none.

    Those to subscribers come first, as they subscribed, then those to nobody who is one any more;
    those in one status come as they were made. `after` is the place of the last one of an earlier
    page, or what that gave; anything else is as good as empty.
    """
    match = _CURSOR.fullmatch(after)
    kind, number = (match[1], int(match[2])) if match else ("r", 0)
    chosen = _recorded().where(_D.mailing == mailing, *_conditions(sought))
    found: list[Any] = []
    if sought.status in (None, "sent"):
        if kind == "r":
            readers = chosen.where(_D.subscriber > number).order_by(_D.subscriber)
            found = list(connection.execute(readers.limit(limit + 1)))
            number = 0
        chosen = chosen.where(_D.subscriber.is_(None))
    if len(found) <= limit:
        others = chosen.where(_D.id > number).order_by(_D.id)
        found += list(connection.execute(others.limit(limit + 1 - len(found))))
    page = [_read(row, sought) for row in found[:limit]]
    return page, page[-1].place if len(found) > limit else ""


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if sought.status is not None:
        # Literals, or the partial index of what was not sent is not used.
        conditions.append(_D.status == literal(sought.status, literal_execute=True))
        if sought.status != "sent":
            conditions.append(_D.status != literal("sent", literal_execute=True))
        if sought.status not in ("sent", "deferred"):
            conditions.append(_D.next_attempt_at.is_(None))  # and the index is in order
    if sought.subscriber is not None or sought.address:
        conditions.append(or_(_D.subscriber == sought.subscriber, _D.address == sought.address))
    if sought.part:
        conditions.append(has_part(_EMAIL, sought.part))
    return conditions


def find_delivery(connection: Connection, publication: int, delivery: int) -> Recorded | None:
    """A delivery by its number."""
    chosen = _recorded().where(_D.publication == publication, _D.id == delivery)
    row = connection.execute(chosen).first()
    return _read(row) if row else None


def list_lines(connection: Connection, delivery: int) -> list[Line]:
    """A delivery's ledger, the oldest line first."""
    columns = [_L[name] for name in Line.__struct_fields__]
    chosen = select(*columns).where(_L.delivery == delivery).order_by(_L.id)
    return [Line(**row._mapping) for row in connection.execute(chosen)]


def list_deeds_of_mailing(connection: Connection, mailing: int, limit: int) -> list[Line]:
    """The newest of the ledger's lines about a mailing as a whole, the newest first."""
    columns = [_L[name] for name in Line.__struct_fields__]
    # By the index of deliveries, in which these are together.
    chosen = select(*columns).where(_L.delivery.is_(None), _L.mailing == mailing)
    rows = connection.execute(chosen.order_by(_L.id.desc()).limit(limit))
    return [Line(**row._mapping) for row in rows]


def list_deliveries_of_reader(
    connection: Connection, publication: int, subscriber: int, *, before: int = 0, limit: int
) -> list[Recorded]:
    """The newest deliveries to or about a subscriber before one, by its number; or of all."""
    chosen = _recorded().where(_D.publication == publication, _D.subscriber == subscriber)
    if before:
        chosen = chosen.where(_D.id < before)
    rows = connection.execute(chosen.order_by(_D.id.desc()).limit(limit))
    return [_read(row) for row in rows]


def measure_rate(connection: Connection, mailing: int, now: datetime) -> float:
    """How many deliveries of a mailing came to an outcome each second, just now."""
    last = select(func.max(_L.id)).scalar_subquery()
    chosen = select(func.count(), func.min(_L.at)).where(
        _L.id > last - _RATE_LINES,
        _L.at > now - _RATE_TIME,
        _L.mailing == mailing,
        _L.event.in_(("accepted", "failed", "expired", "doubted", "suppressed")),
    )
    count, first = connection.execute(chosen).one()
    seconds = (now - first).total_seconds() if first is not None else 0.0
    return float(count) / max(seconds, 1.0)


def is_stirred(connection: Connection, mailing: int, now: datetime) -> bool:
    """Tell whether a mailing began, or anything was done with it or a delivery of it, just now."""
    last = select(func.max(_L.id)).scalar_subquery()
    is_new = exists().where(_M.id == mailing, _M.created_at > now - _RATE_TIME)
    is_used = exists().where(
        _L.id > last - _RATE_LINES, _L.at > now - _RATE_TIME, _L.mailing == mailing
    )
    return bool(connection.execute(select(or_(is_new, is_used))).scalar_one())


def _recorded() -> Select[Any]:
    columns = (
        *(_D.id, _D.mailing, _M.ref.label("mailing_ref"), _M.slug, _M.purpose, _D.subscriber),
        *(_EMAIL.label("email"), func.coalesce(_S.ref, "").label("reader")),
        *(_D.status, _D.attempts, func.coalesce(_D.last_reply, "").label("last_reply")),
        *(_D.next_attempt_at, _D.relay, _M.created_at.label("started_at"), *_WHAT),
    )
    joined = s.delivery.join(s.mailing, _M.id == _D.mailing)
    joined = joined.outerjoin(s.subscriber, _S.id == _D.subscriber)
    return select(*columns).select_from(joined.outerjoin(s.mailing_content, _ITS_CONTENT))


def _read(row: Any, sought: Sought | None = None) -> Recorded:
    """A row, with what was sent, or is to be, in one."""
    values = dict(row._mapping)
    subscriber = values.pop("subscriber")
    form, highlights = values.pop("form"), split(values.pop("highlights"))
    is_by_reader = subscriber is not None and (sought is None or sought.status in (None, "sent"))
    place = f"r{subscriber}" if is_by_reader else f"n{row.id}"
    return Recorded(**values, what=Definition(form=form, highlights=highlights), place=place)
