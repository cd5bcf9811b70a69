"""What operators do with a mailing and its deliveries, from wherever they do it.

Each needs a connection that writes, so that what notes the deed is in the same transaction, gives
what came of it, and raises PublisherError where it cannot be.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.inbound.relay_log import read_taken
from publisher.message.ids import message_id
from publisher.model.delivery import Mailing, MailingStatus
from publisher.runtime.mailings import read_naming
from publisher.store.deliveries import cancel_waiting, resolve_doubts, retry_failed
from publisher.store.evidence import list_doubtful, prove
from publisher.store.mailings import change_mailing, get_mailing, reopen_mailing

# How a doubt is settled: sent once more, or taken for sent.
Answer = Literal["resend", "sent"]


class Steered(msgspec.Struct, frozen=True):
    """The mailing afterwards, and how many deliveries, or mailings, were changed."""

    mailing: Mailing
    changed: int


def pause(
    connection: Connection, publication: int, mailing: Mailing, now: datetime, *, by: str
) -> Steered:
    """Let a mailing wait; what is being sent at this moment ends. `by` is the reason shown."""
    return _change(connection, publication, mailing, "paused", "paused", now, by)


def resume(connection: Connection, publication: int, mailing: Mailing, now: datetime) -> Steered:
    """Let a paused mailing go on."""
    return _change(connection, publication, mailing, "resumed", "sending", now)


def cancel(
    connection: Connection, publication: int, mailing: Mailing, now: datetime, *, by: str
) -> Steered:
    """End a mailing before all were sent to, for good."""
    after = _change(connection, publication, mailing, "stopped", "cancelled", now, by)
    if after.changed:
        cancel_waiting(connection, publication, mailing.id, now)
    return after


def _change(
    connection: Connection,
    publication: int,
    mailing: Mailing,
    event: str,
    wanted: MailingStatus,
    now: datetime,
    reason: str = "",
) -> Steered:
    """Move the mailing as `event` does; nothing happens where it is there already."""
    is_done = change_mailing(connection, publication, mailing.id, event, now, reason=reason)
    after = get_mailing(connection, mailing.id)
    if not is_done and after.status != wanted:
        raise PublisherError(f"the mailing of {mailing.slug} is {after.status}")
    return Steered(after, int(is_done))


def retry(
    connection: Connection,
    publication: int,
    mailing: Mailing,
    now: datetime,
    *,
    delivery: int | None = None,
) -> Steered:
    """Queue failed deliveries again, all of the mailing's or one."""

    def change() -> int:
        return retry_failed(connection, publication, mailing.id, now, delivery=delivery)

    return _queue_again(connection, publication, mailing, now, change)


def resolve(
    connection: Connection,
    publication: int,
    mailing: Mailing,
    now: datetime,
    answer: Answer,
    *,
    subscriber: int | None = None,
    delivery: int | None = None,
) -> Steered:
    """Settle deliveries in doubt: all of the mailing's, one subscriber's, or one."""

    def change() -> int:
        return resolve_doubts(
            connection,
            publication,
            mailing.id,
            now,
            is_sent=answer == "sent",
            subscriber=subscriber,
            delivery=delivery,
        )

    if answer == "sent":
        changed = change()
        return Steered(get_mailing(connection, mailing.id), changed)
    return _queue_again(connection, publication, mailing, now, change)


def prove_by_log(
    connection: Connection,
    publication: int,
    mailing: Mailing,
    now: datetime,
    lines: Iterable[str],
) -> Steered:
    """Settle as sent what was in doubt and has its Message-ID among what a relay's log has taken.

    What the log does not have is left as it is: no log is known to be whole.
    """
    naming = read_naming(connection, mailing)
    ids: dict[str, int] = {}
    if naming.key is not None:
        for number in list_doubtful(connection, mailing.id):
            ids[message_id(naming.ref, number, naming.key, naming.domain)] = number
    found = {ids[each] for each in read_taken(lines) if each in ids} if ids else set()
    for number in sorted(found):
        prove(connection, publication, number, "log", now)
    return Steered(get_mailing(connection, mailing.id), len(found))


def _queue_again(
    connection: Connection,
    publication: int,
    mailing: Mailing,
    now: datetime,
    change: Callable[[], int],
) -> Steered:
    """Queue deliveries, and open the mailing again where it was finished."""
    if get_mailing(connection, mailing.id).status == "cancelled":
        raise PublisherError(f"the mailing of {mailing.slug} was cancelled, which is final")
    if changed := change():
        reopen_mailing(connection, publication, mailing.id, now)
    return Steered(get_mailing(connection, mailing.id), changed)
