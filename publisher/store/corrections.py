"""Corrections of what was sent: to exactly those whose message had another text of the issue.

A correction's mailing is known by `ID@VERSION`: the issue's id, and the beginning of the version
that it leads to. An issue is in its own mailing, and in those that welcome new readers with it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from publisher.model.choices import OWN_WORDS
from publisher.model.delivery import Mailing
from publisher.store import schema as s
from publisher.store.batches import enqueue_batches, wake_done
from publisher.store.driver import Statement, driver_of
from publisher.store.holding import of_issue
from publisher.store.mailings import (
    find_mailing,
    finish_if_done,
    get_mailing,
    record_event,
    reopen_mailing,
)
from publisher.store.reachable import may_be_mailed
from publisher.store.starting import NewMailing, insert_mailing
from publisher.store.variants import carries, concerns, split

_D, _M, _S, _C, _L = s.delivery.c, s.mailing.c, s.subscriber.c, s.mailing_content.c, s.ledger.c
_I = s.mailing_issue.c
_COLUMNS = ("publication", "mailing", "subscriber", "about")
# What a reader has, or may have.
ARRIVED = ("sent", "in_doubt")
# The mailings that an issue comes in.
CORRECTABLE = ("issue", "welcome", "weekly")
# As many hexadecimal digits of a version as links to it have.
_DIGITS = 12


def key_of(issue: str, version: str) -> str:
    """What a correction's mailing is known by; one of the same issue to the same version is one."""
    return f"{issue}@{version[:_DIGITS]}"


def count_holders(
    connection: Connection,
    publication: int,
    issue: str,
    version: str,
    now: datetime,
    highlights: Sequence[str] = (),
) -> int:
    """How many readers would be mailed a correction to a version now, about these highlights."""
    holders = _holders(publication, issue, version, now, highlights).subquery()
    return int(connection.execute(select(func.count()).select_from(holders)).scalar_one())


def start_correction_mailing(
    connection: Connection, publication: int, new: NewMailing, now: datetime
) -> Mailing | None:
    """Start a correction's mailing to all who have an earlier version, or give the one there is.

    None where nobody has one, or may yet get one that is on its way. The connection writes.
    """
    if before := find_mailing(connection, publication, new.issue, "correction"):
        return before
    issue = new.issue.rpartition("@")[0]
    concerned = (publication, issue, new.version, now, new.highlights)
    holders, on_its_way = _holders(*concerned), _mailed(*concerned).where(_may_arrive())
    if not any(connection.execute(each.limit(1)).first() for each in (holders, on_its_way)):
        return None
    mailing, _ = insert_mailing(connection, publication, new, now)
    rows = holders.subquery().c
    chosen = select(literal(publication), literal(mailing.id), rows.subscriber, rows.about)
    # In the order of ids, in which they will be taken.
    chosen = chosen.order_by(rows.subscriber)
    count = connection.execute(insert(s.delivery).from_select(_COLUMNS, chosen)).rowcount
    connection.execute(update(s.mailing).where(_M.id == mailing.id).values(recipients=count))
    enqueue_batches(connection, mailing.id)
    record_event(connection, publication, mailing.id, "started", now)
    finish_if_done(connection, publication, mailing.id, now)
    return get_mailing(connection, mailing.id)


def list_corrections(connection: Connection, publication: int, issue: str) -> list[Mailing]:
    """The mailings that correct an issue, the oldest first."""
    chosen = select(_M.id).where(
        _M.publication == publication,
        # Of nothing but hexadecimal digits behind the @, in the order of the index.
        *(_M.issue > f"{issue}@", _M.issue < f"{issue}@g", _M.purpose == "correction"),
    )
    ids = connection.execute(chosen.order_by(_M.id)).scalars()
    return [get_mailing(connection, id) for id in list(ids)]


# For each mailing of which something has just arrived: the corrections of its issue that there are.
_CORRECTIONS_OF = """
    SELECT m.id, c.id
    FROM mailing AS m
    JOIN mailing AS c ON c.publication = m.publication AND c.purpose = 'correction'
        AND c.issue > {issue} || '@' AND c.issue < {issue} || '@g' AND c.status <> 'cancelled'
    WHERE m.id {{among}} AND m.purpose IN ('issue', 'welcome')
    UNION ALL
    SELECT m.id, c.id
    FROM mailing AS m
    JOIN mailing_issue AS i ON i.mailing = m.id AND i.revision = 0
    JOIN mailing AS c ON c.publication = m.publication AND c.purpose = 'correction'
        AND c.issue > i.issue || '@' AND c.issue < i.issue || '@g' AND c.status <> 'cancelled'
    WHERE m.id {{among}} AND m.purpose = 'weekly'
"""
_CORRECTIONS = Statement(
    _CORRECTIONS_OF.format(issue="SUBSTR(m.issue, 1, INSTR(m.issue || ':', ':') - 1)"),
    _CORRECTIONS_OF.format(issue="SPLIT_PART(m.issue, ':', 1)"),
)


def follow_up(
    connection: Connection, publication: int, arrived: Sequence[tuple[int, int]], now: datetime
) -> bool:
    """Correct for those what has arrived with an earlier version after its correction was started.

    `arrived` are mailings and deliveries of them that were sent or are in doubt. It had been on its
    way, or had been in doubt. Tells whether there is anything. The connection writes.
    """
    driver = driver_of(connection)
    mailings = driver.ids({mailing for mailing, _ in arrived})
    found = driver.run(_CORRECTIONS, mailings, mailings)
    added = 0
    for mailing, correction in found:
        ids = [delivery for of, delivery in arrived if of == mailing]
        added += _add_late(connection, publication, correction, ids, now)
    return added > 0


def _add_late(
    connection: Connection, publication: int, correction: int, ids: list[int], now: datetime
) -> int:
    its = get_mailing(connection, correction)
    issue = its.issue.rpartition("@")[0]
    newer, later = s.mailing_content.alias(), s.mailing_issue.alias()
    # A later text is none of its business; a mailing is revised whenever its issue is corrected.
    is_earlier = or_(
        and_(_M.purpose == "welcome", _M.id < correction),
        exists().where(
            newer.c.mailing == _M.id,
            newer.c.revision > _D.revision,
            newer.c.version == its.version,
        ),
        exists().where(
            *(later.c.mailing == _M.id, later.c.revision > _D.revision, later.c.issue == issue),
            later.c.version == its.version,
        ),
    )
    about = select(_M.highlights).where(_M.id == correction)
    highlights = split(connection.execute(about).scalar_one())
    late = _holders(publication, issue, its.version, now, highlights)
    late = late.where(_D.id.in_(ids), is_earlier)
    rows = late.subquery().c
    known = s.delivery.alias()
    chosen = select(literal(publication), literal(correction), rows.subscriber, rows.about).where(
        ~exists().where(known.c.mailing == correction, known.c.subscriber == rows.subscriber)
    )
    count = connection.execute(insert(s.delivery).from_select(_COLUMNS, chosen)).rowcount
    if count:
        more = update(s.mailing).where(_M.id == correction)
        connection.execute(more.values(recipients=_M.recipients + count))
        reopen_mailing(connection, publication, correction, now)
        # They may be of a batch that is done with, or of none yet.
        wake_done(connection, correction)
        enqueue_batches(connection, correction)
    return count


def _holders(
    publication: int, issue: str, version: str, now: datetime, highlights: Sequence[str]
) -> Select[Any]:
    """Each reader who was sent another version, and may be mailed, with the delivery of it."""
    chosen = _mailed(publication, issue, version, now, highlights)
    return chosen.where(_D.status.in_(ARRIVED))


def _mailed(
    publication: int, issue: str, version: str, now: datetime, highlights: Sequence[str]
) -> Select[Any]:
    """The readers who may be mailed now, with their deliveries of other versions of an issue.

    Of those who chose some of it only whose have one of the highlights in them.
    """
    revised = select(_C.version).where(
        *(_C.mailing == _D.mailing, _C.revision == _D.revision, _C.variant == 0)
    )
    its = func.coalesce(revised.correlate(s.delivery).scalar_subquery(), _M.version)
    is_other = and_(of_issue(issue), its != version, concerns(highlights))
    return (
        select(_D.subscriber, func.min(_D.id).label("about"))
        .join_from(s.mailing, s.delivery, _D.mailing == _M.id)
        .join(s.subscriber, _S.id == _D.subscriber)
        .where(
            *(_M.publication == publication, *may_be_mailed(publication, now)),
            or_(is_other, _is_other_in_week(publication, issue, version, highlights)),
        )
        .group_by(_D.subscriber)
    )


def _is_other_in_week(
    publication: int, issue: str, version: str, highlights: Sequence[str]
) -> ColumnElement[bool]:
    """The condition that a week's message has one of the highlights in another version."""
    ids = [each for each in highlights if each != OWN_WORDS]
    if not ids:
        return false()
    other = exists().where(
        *(_I.publication == publication, _I.issue == issue, _I.version != version),
        *(_I.mailing == _D.mailing, _I.revision == _D.revision),
    )
    return and_(_M.purpose == "weekly", other, carries(ids))


def _may_arrive() -> Any:
    """What is on its way with what it was taken with, or is sent once more with just that."""
    was_in_doubt = exists().where(_L.delivery == _D.id, _L.event.in_(("resent", "doubted")))
    is_waiting = _D.status.in_(("queued", "deferred", "failed"))
    return or_(_D.status == "sending", and_(is_waiting, was_in_doubt))
