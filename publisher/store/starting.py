"""Mailings as they start: once for each issue and purpose, with a row for each reader."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, update
from sqlalchemy.dialects.postgresql import insert

from publisher.model.delivery import Mailing, Purpose
from publisher.store import schema as s
from publisher.store.approvals import find_lack
from publisher.store.batches import enqueue_batches
from publisher.store.canaries import enqueue_canary, is_not_enqueued, release
from publisher.store.errors import StateError
from publisher.store.mailings import (
    find_mailing,
    finish_if_done,
    get_mailing,
    record_event,
    reopen_mailing,
)
from publisher.store.variants import Variants, gets_issue, join, save_variants, select_readers

# What a new mailing has besides its row's columns.
_HOW_TO_START = ("canary", "seeds", "needs_approval", "by", "variants")
_COLUMNS = ("publication", "mailing", "subscriber", "variant")


class NewMailing(msgspec.Struct, frozen=True, kw_only=True):
    """A mailing that is to be: `content` is what it froze, `domain` that of its Message-IDs.

    `version` is that of the issue's text in it, empty where there is none. The first `canary`
    readers and the addresses `seeds` get it before the rest does. Where it `needs_approval`,
    somebody else than `by`, who sends it, has to have approved this digest. Without `variants` all
    get the same, whatever they chose. `highlights` are what a correction is about, by their ids,
    where that is not all of the issue.
    """

    ref: str
    issue: str
    slug: str
    purpose: Purpose
    digest: str
    content: bytes
    domain: str
    version: str = ""
    canary: int = 0
    seeds: tuple[str, ...] = ()
    needs_approval: bool = False
    by: str = ""
    variants: Variants | None = None
    highlights: tuple[str, ...] = ()


def start_issue_mailing(
    connection: Connection, publication: int, new: NewMailing, now: datetime
) -> Mailing:
    """Start an issue's mailing to all who are subscribed, or give the one that there is already.

    Every row exists when the transaction ends. The connection writes. Raises StateError where it
    lacks an approval.
    """
    mailing, is_new = insert_mailing(connection, publication, new, now)
    if is_new:
        require_approved(connection, publication, new)
        others = None
        if new.variants is not None:
            others = save_variants(connection, publication, mailing.id, new.variants, now)
        has_variants = others is not None
        count = _enqueue_all(
            connection, publication, mailing.id, new, now, has_variants=has_variants
        )
        connection.execute(
            update(s.mailing).where(s.mailing.c.id == mailing.id).values(recipients=count)
        )
        reason = f"{others:,} chose other topics" if others else ""
        record_event(connection, publication, mailing.id, "started", now, reason)
        if not count:
            finish_if_done(connection, publication, mailing.id, now)
        mailing = get_mailing(connection, mailing.id)
    return mailing


def find_lack_of(connection: Connection, publication: int, new: NewMailing) -> str:
    """Why an issue's mailing may not be started: the approval that it lacks; empty where it may."""
    if not new.needs_approval:
        return ""
    about = {"issue": new.issue, "slug": new.slug, "digest": new.digest, "by": new.by}
    return find_lack(connection, publication, **about)


def require_approved(connection: Connection, publication: int, new: NewMailing) -> None:
    """Raise StateError where an issue's mailing lacks an approval."""
    if lack := find_lack_of(connection, publication, new):
        raise StateError(f"{new.slug} is not sent: {lack}; `publisher approve {new.slug}` gives it")


def start_single_mailing(
    connection: Connection,
    publication: int,
    new: NewMailing,
    now: datetime,
    *,
    subscriber: int | None = None,
    address: str | None = None,
) -> Mailing:
    """Start a single message's mailing: to a subscriber, or to an address that is not theirs."""
    mailing, is_new = insert_mailing(connection, publication, new, now)
    if is_new:
        connection.execute(
            insert(s.delivery).values(
                publication=publication, mailing=mailing.id, subscriber=subscriber, address=address
            )
        )
        connection.execute(
            update(s.mailing).where(s.mailing.c.id == mailing.id).values(recipients=1)
        )
        mailing = msgspec.structs.replace(mailing, recipients=1)
    return mailing


def add_recipient(
    connection: Connection, publication: int, new: NewMailing, subscriber: int, now: datetime
) -> bool:
    """Add a subscriber to a mailing that many come to, one by one; it is started by the first.

    False where they were added before, or where the mailing was cancelled. The connection writes.
    """
    mailing, _ = insert_mailing(connection, publication, new, now)
    if mailing.status == "cancelled":
        return False
    row = {"publication": publication, "mailing": mailing.id, "subscriber": subscriber}
    added = connection.execute(insert(s.delivery).values(row).on_conflict_do_nothing())
    if not added.rowcount:
        return False
    m = s.mailing.c
    counted = update(s.mailing).where(m.id == mailing.id).values(recipients=m.recipients + 1)
    connection.execute(counted)
    if mailing.status == "finished":
        reopen_mailing(connection, publication, mailing.id, now)
    return True


def insert_mailing(
    connection: Connection, publication: int, new: NewMailing, now: datetime
) -> tuple[Mailing, bool]:
    """The mailing, and whether it is new. The database holds that there is one only."""
    own = msgspec.structs.asdict(new)
    values = {name: own[name] for name in own if name not in _HOW_TO_START} | {
        "highlights": join(new.highlights),
        "publication": publication,
        "status": "sending",
        "recipients": 0,
        "created_at": now,
    }
    made = connection.execute(insert(s.mailing).values(values).on_conflict_do_nothing())
    mailing = find_mailing(connection, publication, new.issue, new.purpose)
    assert mailing is not None  # noqa: S101 - it is there now, whoever made it
    return mailing, bool(made.rowcount)


def _enqueue_all(
    connection: Connection,
    publication: int,
    mailing: int,
    new: NewMailing,
    now: datetime,
    *,
    has_variants: bool,
) -> int:
    those = gets_issue(connection, publication, new.variants, now)
    chosen = select_readers(publication, mailing, those, has_variants=has_variants)
    return enqueue(connection, publication, mailing, new, chosen)


def enqueue(
    connection: Connection, publication: int, mailing: int, new: NewMailing, chosen: Select[Any]
) -> int:
    """Make a new mailing's rows, which are chosen with their variants; gives how many.

    The connection writes.
    """
    before = 0
    if new.canary or new.seeds:
        before = enqueue_canary(
            connection, publication, mailing, chosen, first=new.canary, seeds=new.seeds
        )
        chosen = chosen.where(is_not_enqueued(mailing))
    # In the order of ids, in which they will be taken.
    chosen = chosen.order_by(s.subscriber.c.id)
    count = connection.execute(insert(s.delivery).from_select(_COLUMNS, chosen)).rowcount
    if before and not count:
        release(connection, mailing)  # there is nobody to wait
    elif not before:
        enqueue_batches(connection, mailing)
    return before + count
