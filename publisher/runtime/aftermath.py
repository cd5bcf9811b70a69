"""What is seen to when deliveries are settled: what a dead process left, and what is finished."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from publisher.mailing.settle import Policy, Settlement, settle, settle_doubt
from publisher.model.delivery import TO_MANY
from publisher.runtime.board import Begun
from publisher.runtime.exchange import Notice
from publisher.smtp.attribution import attribute
from publisher.store.deliveries import Settled, Taken, cancel_waiting, settle_all
from publisher.store.mailings import finish_if_done, get_mailing


def settle_left(
    connection: Connection,
    publication: int,
    left: Sequence[Taken],
    begun: Begun | None,
    policy: Policy,
    known: Collection[int],
    now: datetime,
) -> None:
    """Settle what a dead process left with an intent and no outcome. The connection writes.

    Only `begun` ones can have reached their final dot, or any of them where that is None. The
    mailings are looked after, as below.
    """
    settled = [_settle_left(taken, begun, policy, now) for taken in left]
    settle_all(connection, publication, settled, now)
    look_after(connection, publication, settled, known, now)


def _settle_left(taken: Taken, begun: Begun | None, policy: Policy, now: datetime) -> Settled:
    """What the relay said counts, where the process that heard it could not write it down."""
    if begun is not None and taken.id not in begun:
        settlement = Settlement(event="released", history=taken.history)
        note = "the process ended before anything was sent"
        return Settled(taken=taken, settlement=settlement, note=note)
    if begun is not None and (reply := begun[taken.id]) is not None:
        outcome = attribute("final_dot", reply)
        settlement = settle(outcome, taken.history, policy, now, 0.0)
        return Settled(taken=taken, settlement=settlement, outcome=outcome)
    settlement = settle_doubt(taken.history, policy, now)
    note = "the process ended before a reply was read"
    return Settled(taken=taken, settlement=settlement, note=note)


def look_after(
    connection: Connection,
    publication: int,
    settled: Sequence[Settled],
    known: Collection[int],
    now: datetime,
) -> None:
    """Look at the mailings that may not be as they were when their deliveries were taken.

    What came back to a cancelled one is cancelled too; a single message is finished, and so is a
    mailing of which nothing is left and that none of the `known` lanes would finish.
    """
    taken = [each.taken for each in settled]
    came_back = {each.taken.mailing for each in settled if not each.is_final}
    for mailing in {each.mailing for each in taken} - set(known) | came_back:
        status = get_mailing(connection, mailing).status
        if status == "cancelled":
            cancel_waiting(connection, publication, mailing, now)
        elif status != "finished":
            finish_if_done(connection, publication, mailing, now)
    for mailing in {each.mailing for each in taken if each.purpose not in TO_MANY}:
        finish_if_done(connection, publication, mailing, now)


def finish_all(
    connection: Connection, publication: int, mailings: Iterable[int], now: datetime
) -> list[Notice]:
    """Finish the mailings of which nothing is left."""
    done = [id for id in mailings if finish_if_done(connection, publication, id, now)]
    return [Notice("finished", get_mailing(connection, id)) for id in done]
