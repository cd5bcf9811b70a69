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
from publisher.model.delivery import DeliveryStatus, Mailing, Purpose
from publisher.store import schema as s
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
# So many deliveries are shown at once.
_SHOWN = 500
# The rate is that of the last lines of the ledger, no older than this.
_RATE_LINES = 2_000
_RATE_TIME = timedelta(seconds=30)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery on record. `email` and `reader` are empty where the reader was erased.

    `reader` is the subscriber's ref; deliveries to other addresses than a subscriber's have none.
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

    Of `subscriber` and `address` either is enough; `part` is in lower case.
    """

    status: DeliveryStatus | None = None
    subscriber: int | None = None
    address: str = ""
    part: str = ""


def list_deliveries(
    connection: Connection, mailing: int, sought: Sought, *, after: str = "", limit: int
) -> tuple[list[Recorded], str]:
    """A page of a mailing's deliveries, and where the next begins: empty where there is none.

    Those to subscribers come first, as they subscribed, then those to nobody who is one any more.
    `after` is what an earlier page gave; anything else is as good as empty.
    """
    match = _CURSOR.fullmatch(after)
    kind, number = (match[1], int(match[2])) if match else ("r", 0)
    chosen = _recorded().where(_D.mailing == mailing, *_conditions(sought))
    found: list[Any] = []
    place = _place(sought)
    if kind == "r":
        readers = chosen.where(place > number).order_by(place)
        found = list(connection.execute(readers.limit(limit + 1)))
        number = 0
    if len(found) <= limit:
        nameless = chosen.where(place.is_(None), _D.id > number).order_by(_D.id)
        found += list(connection.execute(nameless.limit(limit + 1 - len(found))))
    page = found[:limit]
    return [_read(row) for row in page], _cursor(page[-1]) if len(found) > limit else ""


def _place(sought: Sought) -> ColumnElement[Any]:
    """By what they are in order: an index's, or of those in one status, by a sum, of none.

    Those are few but for what was sent, and have an index of their own, which is to be used.
    """
    return _D.subscriber if sought.status in (None, "sent") else _D.subscriber + 0


def _cursor(row: Any) -> str:
    return f"n{row.id}" if row.subscriber is None else f"r{row.subscriber}"


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if sought.status is not None:
        # Literals, or the partial index of what was not sent is not used.
        conditions.append(_D.status == literal(sought.status, literal_execute=True))
        if sought.status != "sent":
            conditions.append(_D.status != literal("sent", literal_execute=True))
    if sought.subscriber is not None or sought.address:
        conditions.append(or_(_D.subscriber == sought.subscriber, _D.address == sought.address))
    if sought.part:
        conditions.append(func.lower(_EMAIL).contains(sought.part, autoescape=True))
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


def _read(row: Any) -> Recorded:
    values = _read_what(row)
    del values["subscriber"]
    return Recorded(**values)


def _read_what(row: Any) -> dict[str, Any]:
    """A row's values, with what was sent, or is to be, in one."""
    values = dict(row._mapping)
    form, highlights = values.pop("form"), split(values.pop("highlights"))
    return values | {"what": Definition(form=form, highlights=highlights)}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as an operator sees it. `email` is empty where the reader was erased."""

    id: int
    email: str
    status: DeliveryStatus
    attempts: int
    last_reply: str
    next_attempt_at: datetime | None
    relay: str | None
    what: Definition


def find_shown(
    connection: Connection,
    mailing: Mailing,
    status: DeliveryStatus | None = None,
    *,
    after: int = 0,
    limit: int = _SHOWN,
    search: str = "",
) -> list[Shown]:
    """A page of a mailing's deliveries with ids above `after`, in the order of their ids.

    `search` is looked for in addresses, in any case where it is ASCII.
    """
    chosen = (
        select(
            *(_D.id, _D.status, _D.attempts, _D.next_attempt_at, _D.relay),
            func.coalesce(_D.address, _S.email, "").label("email"),
            func.coalesce(_D.last_reply, "").label("last_reply"),
            *_WHAT,
        )
        .select_from(s.delivery.outerjoin(s.subscriber, _S.id == _D.subscriber))
        .outerjoin(s.mailing_content, _ITS_CONTENT)
        .where(_D.mailing == mailing.id, _D.id > after)
        .order_by(_D.id)
        .limit(limit)
    )
    if status is not None:
        chosen = chosen.where(_D.status == status)
    if search:
        address = func.coalesce(_D.address, _S.email, "")
        chosen = chosen.where(address.icontains(search, autoescape=True))
    return [Shown(**_read_what(row)) for row in connection.execute(chosen)]
