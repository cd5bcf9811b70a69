"""Deliveries: taken with a durable intent, and settled with what came of it.

Each change here is one of `mailing.transitions`, and all but the intent itself leave a line in the
ledger in the same transaction. All functions but the `find_` ones need a connection that writes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, literal, select, update

from publisher.mailing.settle import History, Settlement
from publisher.mailing.transitions import DELIVERY_TRANSITIONS
from publisher.model.delivery import Outcome, Purpose
from publisher.store import schema as s
from publisher.store.batches import wake
from publisher.store.candidates import NOT_SENT, Range, literal_status
from publisher.store.columns import from_milliseconds, to_milliseconds
from publisher.store.corrections import ARRIVED, CORRECTABLE, follow_up
from publisher.store.driver import Driver, Statement, driver_of
from publisher.store.holding import came_otherwise
from publisher.store.settling import RECORD, SETTLE

_D = s.delivery.c
_S = s.subscriber.c
# How many values one statement names; SQLite's own limit is much higher.
_AT_ONCE = 500


class Original(msgspec.Struct, frozen=True):
    """The delivery that a correction's is about, and what its Message-ID is made of."""

    id: int
    ref: str
    domain: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery whose intent is on disk: to whom, with what, and what it has been through.

    `subscriber_ref` is empty for those that go to no subscriber, `about` None for those that are
    about no other one. `revision` and `variant` are those of the content that it is sent with, and
    `relay` is the name of the one that it goes over.
    """

    id: int
    mailing: int
    purpose: Purpose
    email: str
    name: str
    subscriber_ref: str
    history: History
    revision: int = 0
    variant: int = 0
    relay: str = ""
    about: Original | None = None


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """A taken delivery and what becomes of it."""

    taken: Taken
    settlement: Settlement
    outcome: Outcome | None = None
    note: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing of it waits."""
        return DELIVERY_TRANSITIONS[self.settlement.event].after not in ("queued", "deferred")

    @property
    def reply(self) -> str:
        return str(self.outcome.reply) if self.outcome else self.note


def take(
    connection: Connection,
    publication: int,
    ids: Sequence[int],
    now: datetime,
    over: Mapping[int, str],
) -> tuple[list[Taken], list[Taken]]:
    """Put the intent to send on record: those that are to be sent, and those that are not any more.

    `over` are the names of the relays that they go over, by ids; those without a name are left out.
    Consent is asked here, in the transaction of the intent, and whether a correction left anything
    of a variant. A delivery that something else became of meanwhile, or whose mailing is not being
    sent any more, is in neither.
    """
    driver = driver_of(connection)
    rows = driver.run(_TAKABLE, to_milliseconds(now), driver.ids(ids))
    abouts = [row[-2] for row in rows if row[-2] is not None]
    originals = _find_originals(driver, abouts) if abouts else {}
    wanted = [
        _taken(row, originals.get(row[-2]), over.get(row[0], "")) for row in rows if row[-1] == 1
    ]
    unwanted = [_taken(row) for row in rows if row[-1] != 1]
    for how in {(each.revision, each.relay) for each in wanted}:  # of revisions seldom two
        same = driver.ids(each.id for each in wanted if (each.revision, each.relay) == how)
        driver.change(_TAKE, how[0], how[1] or None, same)
    if unwanted:
        for event, fate in (("suppressed", 0), ("emptied", 2)):
            ids_of = [row[0] for row in rows if row[-1] == fate]
            _move(connection, publication, event, _D.id.in_(ids_of), now)
    order = {id: place for place, id in enumerate(ids)}
    return sorted(wanted, key=lambda each: order[each.id]), unwanted


# The two statements of an intent and the two of an outcome (in settling.py) run for every message.
# They are given to the driver itself: SQLAlchemy takes longer for them than SQLite does.
_TAKEN = """
    SELECT d.id, d.mailing, m.purpose, d.attempts, d.doubts, d.breaks, d.first_attempt_at,
        COALESCE(d.address, s.email, '') AS email, COALESCE(s.name, '') AS name,
        COALESCE(s.ref, '') AS subscriber_ref, {revision} AS revision, d.variant, d.relay, d.about,
        {wanted} AS fate
    FROM delivery AS d
    JOIN mailing AS m ON m.id = d.mailing
    LEFT JOIN subscriber AS s ON s.id = d.subscriber
"""
# What may have arrived under its Message-ID is not sent as something else under the same one.
_REVISION = """
    CASE
        WHEN d.revision = m.revision OR EXISTS (SELECT 1 FROM ledger AS l WHERE l.delivery = d.id
            AND l.event IN ('resent', 'doubted')) THEN d.revision
        ELSE m.revision
    END
"""
# Who may still be sent to: for an issue those who are subscribed now and have not paused, for a
# confirmation those who were not asked in vain, for others anybody known; an operator's own
# address always, and an address that a reader named, which is gone where who has it was erased.
# 2 is what has nothing left in it.
_WANTED = f"""
    CASE
        WHEN d.variant <> 0 AND NOT EXISTS (SELECT 1 FROM mailing_content AS c
            WHERE c.mailing = d.mailing AND c.variant = d.variant AND c.revision = {_REVISION})
            THEN 2
        WHEN d.address IS NOT NULL THEN 1
        WHEN s.id IS NULL OR m.purpose IN ('address', 'notice') THEN 0
        WHEN EXISTS (SELECT 1 FROM suppression AS x WHERE x.publication = s.publication
            AND x.address_hash = s.address_hash) THEN 0
        WHEN m.purpose IN ('issue', 'weekly', 'correction', 'welcome') THEN
            CASE WHEN s.status = 'confirmed' AND COALESCE(s.paused_until, 0) <= ? THEN 1 ELSE 0 END
        WHEN m.purpose = 'confirmation' AND s.status <> 'unconfirmed' THEN 0
        ELSE 1
    END
"""  # noqa: S608 - of our own words alone
_TAKABLE_ROWS = f"""{_TAKEN.format(wanted=_WANTED, revision=_REVISION)}
    WHERE d.id {{among}} AND d.status IN ('queued', 'deferred') AND m.status = 'sending'
"""
# A server that knows nothing yet of a mailing's rows would read all of them for a few, by another
# index than that of ids: as written here, none of those would do. What another one is just taking
# is theirs.
_BY_ID = _TAKABLE_ROWS.replace("d.status IN", "d.status || '' IN").replace(
    "m.id = d.mailing", "m.id = d.mailing + 0"
)
_TAKABLE = Statement(_TAKABLE_ROWS, f"{_BY_ID} FOR UPDATE OF d SKIP LOCKED")
_TAKE = Statement("""
    UPDATE delivery SET status = 'sending', next_attempt_at = NULL, revision = ?, relay = ?
    WHERE id {among}
""")
_SENDING = f"""{_TAKEN.format(wanted="1", revision="d.revision")}
    WHERE d.status = 'sending' AND d.status <> 'sent'
"""
_OF_ALL = f"""{_SENDING}
    AND d.mailing IN (SELECT id FROM mailing WHERE publication = ?)
"""  # noqa: S608 - of our own words alone
_IN_NO_BATCH = """
    NOT EXISTS (SELECT 1 FROM batch AS b WHERE b.mailing = d.mailing
        AND d.id BETWEEN b.first AND b.last)
"""
_LEFT = Statement(_OF_ALL, f"{_OF_ALL} AND {_IN_NO_BATCH}")
_LEFT_IN = Statement(f"{_SENDING} AND d.mailing = ? AND d.id BETWEEN ? AND ?")
_LEFT_OF = Statement(f"{_SENDING} AND d.id {{among}}")
_ORIGINALS = Statement("""
    SELECT o.id, m.ref, m.domain FROM delivery AS o JOIN mailing AS m ON m.id = o.mailing
    WHERE o.id {among}
""")


def _find_originals(driver: Driver, ids: Iterable[int]) -> dict[int, Original]:
    return {row[0]: Original(*row) for row in driver.run(_ORIGINALS, driver.ids(ids))}


def _taken(row: Sequence[Any], about: Original | None = None, relay: str | None = None) -> Taken:
    """A row of _TAKEN's columns, in their order, and the delivery that it is about.

    Without a `relay` it is the one that it was taken for last.
    """
    id, mailing, purpose, attempts, doubts, breaks, first, email, name, ref, *content, _, _ = row
    return Taken(
        id=id,
        mailing=mailing,
        purpose=purpose,
        email=email,
        name=name,
        subscriber_ref=ref,
        history=History(
            attempts=attempts,
            doubts=doubts,
            breaks=breaks,
            first_attempt_at=None if first is None else from_milliseconds(first),
        ),
        revision=content[0],
        variant=content[1],
        relay=(content[2] or "") if relay is None else relay,
        about=about,
    )


def find_sending(
    connection: Connection, publication: int, scope: Range | Collection[int] | None = None
) -> list[Taken]:
    """The deliveries with an intent and no outcome: a dead process left them behind.

    Those of a batch, those among some by their ids, or all that are in no batch.
    """
    driver = driver_of(connection)
    if scope is None:
        return [_taken(row) for row in driver.run(_LEFT, publication)]
    if not isinstance(scope, Range):
        return [_taken(row) for row in driver.run(_LEFT_OF, driver.ids(scope))] if scope else []
    return [_taken(row) for row in driver.run(_LEFT_IN, scope.mailing, scope.first, scope.last)]


def settle_all(
    connection: Connection, publication: int, settled: Sequence[Settled], now: datetime
) -> bool:
    """Write what became of taken deliveries, each with its line in the ledger.

    Tells whether there are other deliveries to be made now: corrections of what has arrived.
    """
    if not settled:
        return False
    at = to_milliseconds(now)
    driver, replies = driver_of(connection), [each.reply for each in settled]
    rows = [_settle_row(each, reply) for each, reply in zip(settled, replies, strict=True)]
    lines = [
        _ledger_row(publication, each, at, reply)
        for each, reply in zip(settled, replies, strict=True)
    ]
    driver.change_rows(RECORD, lines)
    driver.change_rows(SETTLE, rows)
    arrived = [
        (each.taken.mailing, each.taken.id)
        for each, row in zip(settled, rows, strict=True)
        if row[0] in ARRIVED and each.taken.purpose in CORRECTABLE
    ]
    return bool(arrived) and follow_up(connection, publication, arrived, now)


def _settle_row(each: Settled, reply: str) -> tuple[Any, ...]:
    history, outcome = each.settlement.history, each.outcome
    return (
        DELIVERY_TRANSITIONS[each.settlement.event].after,
        *(history.attempts, history.doubts, history.breaks),
        *(_milliseconds(history.first_attempt_at), _milliseconds(each.settlement.next_attempt_at)),
        *(reply, outcome.relay_id or None if outcome else None),
        each.taken.id,
    )


def _ledger_row(publication: int, each: Settled, at: int, reply: str) -> tuple[Any, ...]:
    outcome = each.outcome
    return (
        *(publication, each.taken.mailing, each.taken.id, at, each.settlement.event),
        each.settlement.history.attempts,
        outcome.stage if outcome else None,
        *(reply, outcome.relay_id or None if outcome else None, each.taken.relay or None),
    )


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else to_milliseconds(moment)


def cancel_waiting(connection: Connection, publication: int, mailing: int, now: datetime) -> int:
    """Cancel what a mailing still has waiting."""
    return _move(connection, publication, "cancelled", _of_mailing(mailing, "cancelled"), now)


def retry_failed(
    connection: Connection,
    publication: int,
    mailing: int,
    now: datetime,
    *,
    delivery: int | None = None,
) -> int:
    """Queue a mailing's failed deliveries again, all or one, as if they had never been tried.

    But for those whose readers have had the issue by another mailing meanwhile.
    """
    fresh = {"attempts": 0, "breaks": 0, "first_attempt_at": None}
    chosen = _of_mailing(mailing, "retried") & ~came_otherwise(connection, publication, mailing)
    if delivery is not None:
        chosen = chosen & (_D.id == delivery)
    return _queue_again(connection, publication, mailing, "retried", chosen, now, **fresh)


def resolve_doubts(
    connection: Connection,
    publication: int,
    mailing: int,
    now: datetime,
    *,
    is_sent: bool,
    subscriber: int | None = None,
    delivery: int | None = None,
) -> int:
    """Settle deliveries in doubt: as sent, or to be sent once more.

    All of the mailing's, or one subscriber's, or one.
    """
    event = "marked" if is_sent else "requeued"
    chosen = _of_mailing(mailing, event)
    if subscriber is not None:
        chosen = chosen & (_D.subscriber == subscriber)
    if delivery is not None:
        chosen = chosen & (_D.id == delivery)
    if is_sent:
        return _move(connection, publication, event, chosen, now)
    fresh = {"doubts": 0, "first_attempt_at": None}
    return _queue_again(connection, publication, mailing, event, chosen, now, **fresh)


def _queue_again(
    connection: Connection,
    publication: int,
    mailing: int,
    event: str,
    chosen: Any,
    now: datetime,
    **fresh: Any,
) -> int:
    count = _move(connection, publication, event, chosen, now, **fresh)
    wake(connection, mailing)
    return count


def _of_mailing(mailing: int, event: str) -> Any:
    before = [literal_status(status) for status in DELIVERY_TRANSITIONS[event].before]
    return (_D.mailing == mailing) & _D.status.in_(before) & NOT_SENT


def _move(
    connection: Connection,
    publication: int,
    event: str,
    chosen: Any,
    now: datetime,
    **values: Any,
) -> int:
    """Let one event happen to the chosen deliveries: first their ledger's lines, then the rows."""
    columns = ("publication", "mailing", "delivery", "at", "event", "attempt")
    when = literal(now, s.ledger.c.at.type)
    lines = select(literal(publication), _D.mailing, _D.id, when, literal(event), _D.attempts)
    chosen_lines = lines.where(chosen).with_for_update(of=s.delivery)
    connection.execute(insert(s.ledger).from_select(columns, chosen_lines))
    after = DELIVERY_TRANSITIONS[event].after
    moved = update(s.delivery).where(chosen).values(status=after, next_attempt_at=None, **values)
    return connection.execute(moved).rowcount
