"""What mailings are sent with: the content that each froze, and what it was revised to since.

Revision 0 is what it began with, and stands in the mailing itself.
"""

from collections import Counter
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from publisher.model.delivery import Mailing
from publisher.store import schema as s
from publisher.store.mailings import count_deliveries, get_mailing, record_event
from publisher.store.totals import count_revisions
from publisher.store.variants import NewContent, Variants, revise_variants

_D, _M, _C = s.delivery.c, s.mailing.c, s.mailing_content.c


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """What a mailing's messages are made of."""

    ref: str
    content: bytes
    domain: str
    created_at: datetime


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A content that a mailing was sent with from a moment on, and to how many it was."""

    revision: int
    version: str
    digest: str
    at: datetime
    sent: int


def load_frozen(
    connection: Connection, mailing: int, revision: int = 0, variant: int = 0
) -> Frozen:
    """What a mailing's messages of a revision and a variant are made of."""
    chosen = select(_M.ref, _M.content, _M.domain, _M.created_at)
    if revision or variant:
        own = (_C.mailing == _M.id) & (_C.revision == revision) & (_C.variant == variant)
        chosen = select(_M.ref, _C.content, _M.domain, _M.created_at).join(s.mailing_content, own)
    return Frozen(**connection.execute(chosen.where(_M.id == mailing)).one()._mapping)


def revise_mailing(
    connection: Connection,
    publication: int,
    mailing: int,
    new: NewContent,
    now: datetime,
    variants: Variants | None = None,
) -> Mailing | None:
    """Let what a mailing has not sent yet be sent with another content, by an operator's deed.

    What is on its way, and what may have arrived, keeps what it was sent with. None where it is
    this content already. `variants` are what others than the whole are made of. The connection
    writes.
    """
    before = get_mailing(connection, mailing)
    if (before.version, before.digest) == (new.version, new.digest):
        return None
    row = {"publication": publication, "mailing": mailing, "revision": before.revision + 1}
    own = msgspec.structs.asdict(new)
    connection.execute(insert(s.mailing_content).values(row | own | {"at": now}))
    if variants is not None:
        revise_variants(connection, publication, mailing, before.revision + 1, variants, now)
    newer = update(s.mailing).where(_M.id == mailing).values(revision=before.revision + 1)
    connection.execute(newer)
    record_event(connection, publication, mailing, "revised", now, new.digest)
    return get_mailing(connection, mailing)


def list_revisions(connection: Connection, mailing: Mailing) -> list[Revision]:
    """All that a mailing was sent with, the first before the others."""
    sent = _count_sent(connection, mailing)
    first = select(_M.version, _M.digest, _M.created_at).where(_M.id == mailing.id)
    later = select(_C.version, _C.digest, _C.at).where(_C.mailing == mailing.id, _C.variant == 0)
    rows = [*connection.execute(first), *connection.execute(later.order_by(_C.revision))]
    return [
        Revision(revision=number, version=version, digest=digest, at=at, sent=sent[number])
        for number, (version, digest, at) in enumerate(rows)
    ]


def _count_sent(connection: Connection, mailing: Mailing) -> Counter[int]:
    """How many deliveries were sent, or may have been, with each revision."""
    if not mailing.revision:  # which all have, and nobody has to look at each
        counts = count_deliveries(connection, mailing)
        return Counter({0: counts.sent + counts.in_doubt})
    counted = select(_D.revision, func.count()).where(
        _D.mailing == mailing.id, _D.status.in_(("sent", "in_doubt"))
    )
    rows_of = connection.execute(counted.group_by(_D.revision))
    sent = Counter({row[0]: int(row[1]) for row in rows_of})
    sent.update(count_revisions(connection, mailing.id))
    return sent
