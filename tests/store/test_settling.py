"""An outcome has one line in the ledger, also where it is written again.

That is so after a commit that happened though nobody heard of it, when the connection to the server
was lost: the step is done once more with the same results.
"""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select

from publisher.mailing.settle import Policy, settle
from publisher.model.delivery import Outcome, Reply
from publisher.store import schema as s
from publisher.store.database import Database
from publisher.store.deliveries import Settled, Taken, settle_all, take
from publisher.store.late import settle_late
from publisher.store.mailings import get_mailing
from tests.benchmarks.many import enqueue_more

pytestmark = pytest.mark.postgresql
NOW = datetime(2025, 12, 15, 12, tzinfo=UTC)
ACCEPTED = Outcome(kind="accepted", stage="final_dot", reply=Reply(250, "2.0.0", "queued as 1"))
DEFERRED = Outcome(kind="transient", stage="rcpt", reply=Reply(451, "4.7.1", "come back"))
SLOW = Outcome(
    kind="transient", stage="rcpt", reply=Reply(451, "4.7.1", "slow down"), concern="domain_rate"
)
UNKNOWN = Outcome(kind="unknown", stage="final_dot", reply=Reply(0, "", "the connection was lost"))


@pytest.fixture
def delivery(database: Database) -> int:
    """The only delivery of a mailing."""
    with database.write() as connection:
        row = {"publication": database.publication, "ref": "r", "email": "ada@a.example"}
        row |= {"address_hash": b"a", "status": "confirmed", "created_at": NOW, "changed_at": NOW}
        connection.execute(insert(s.subscriber).values(row))
    enqueue_more(database, NOW)
    with database.read() as connection:
        return int(connection.execute(select(s.delivery.c.id)).scalar_one())


def take_it(database: Database, delivery: int) -> Taken:
    with database.write() as connection:
        (taken,), _ = take(connection, database.publication, [delivery], NOW, {})
    return taken


def settled_as(taken: Taken, outcome: Outcome) -> Settled:
    settlement = settle(outcome, taken.history, Policy(), NOW, 0.5)
    return Settled(taken=taken, settlement=settlement, outcome=outcome)


def write(database: Database, settled: Settled, *, is_late: bool = False) -> None:
    with database.write() as connection:
        (settle_late if is_late else settle_all)(connection, database.publication, [settled], NOW)


def read_events(database: Database) -> list[str]:
    """The events of the only delivery, one after the other."""
    found = select(s.ledger.c.event).where(s.ledger.c.delivery.is_not(None))
    with database.read() as connection:
        return list(connection.execute(found.order_by(s.ledger.c.id)).scalars())


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize(
    ("outcome", "event"),
    [(ACCEPTED, "accepted"), (DEFERRED, "deferred"), (SLOW, "deferred"), (UNKNOWN, "resent")],
)
def test_what_is_written_again_has_one_line(
    database: Database, delivery: int, outcome: Outcome, event: str, *, is_late: bool
) -> None:
    settled = settled_as(take_it(database, delivery), outcome)
    write(database, settled)
    write(database, settled, is_late=is_late)
    assert read_events(database) == [event]


def test_what_was_taken_once_more_in_the_step_that_nobody_heard_of(
    database: Database, delivery: int
) -> None:
    settled = settled_as(take_it(database, delivery), UNKNOWN)
    write(database, settled)
    again = take_it(database, delivery)
    write(database, settled)
    assert read_events(database) == ["resent"]
    assert take_it(database, delivery) == again


def test_what_comes_of_the_next_attempt_has_its_own_line(database: Database, delivery: int) -> None:
    for _ in range(2):
        write(database, settled_as(take_it(database, delivery), SLOW))
    for _ in range(2):
        write(database, settled_as(take_it(database, delivery), DEFERRED))
    assert read_events(database) == ["deferred"] * 4


def test_what_is_proven_is_proven_once(database: Database, delivery: int) -> None:
    taken = take_it(database, delivery)
    write(database, settled_as(taken, UNKNOWN))
    for _ in range(2):
        write(database, settled_as(taken, ACCEPTED), is_late=True)
    assert read_events(database) == ["resent", "proven"]
    with database.read() as connection:
        assert get_mailing(connection, taken.mailing).recipients == 1
