"""Subscribers and suppressions as the database keeps them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from publisher.model.audience import Consent, ConsentAction
from publisher.store import erasing, subscribers, suppressions
from publisher.store.database import Database
from publisher.store.place_file import FilePlace
from publisher.store.subscribers import NewSubscriber

# A line that the database refuses, in a transaction in which a status was changed already.
_CHECK = "CHECK (action <> 'unsubscribed')"
BREAK = {
    "sqlite": "CREATE TRIGGER broken BEFORE INSERT ON consent WHEN new.action = 'unsubscribed'"
    " BEGIN SELECT RAISE(ABORT, 'broken'); END",
    "postgresql": f"ALTER TABLE consent ADD CONSTRAINT broken {_CHECK}",
}
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def new_subscriber(number: int, name: str = "") -> NewSubscriber:
    return NewSubscriber(
        ref=f"ref{number:013}",
        email=f"r{number}@daily.example",
        name=name,
        address_hash=number.to_bytes(16, "big"),
    )


def vouched(action: ConsentAction = "vouched", days: int = 0) -> Consent:
    return Consent(at=NOON + timedelta(days=days), action=action, source="operator", origin="")


def test_adding_and_finding(database: Database) -> None:
    publication = database.publication
    with database.write() as connection:
        added = subscribers.add(connection, publication, new_subscriber(1, "Anna"), vouched())
    with database.read() as connection:
        found = subscribers.find_by_id(connection, publication, added)
        assert found
        assert (found.email, found.name, found.status) == ("r1@daily.example", "Anna", "confirmed")
        assert subscribers.find_by_ref(connection, publication, new_subscriber(1).ref) == found
        assert (
            subscribers.find_by_hash(connection, publication, new_subscriber(1).address_hash)
            == found
        )
        assert subscribers.find_by_id(connection, publication + 1, added) is None
        assert subscribers.find_by_ref(connection, publication, "other") is None
        assert subscribers.read_consents(connection, publication, [added]) == {added: [vouched()]}


def test_the_same_address_twice_is_refused_by_the_database(database: Database) -> None:
    with database.write() as connection:
        subscribers.add(connection, database.publication, new_subscriber(1), vouched())
    with pytest.raises(IntegrityError), database.write() as connection:
        subscribers.add(connection, database.publication, new_subscriber(1), vouched())


def test_many_at_once_keep_their_order(database: Database) -> None:
    publication = database.publication
    with database.write() as connection:
        first = subscribers.add(connection, publication, new_subscriber(0), vouched())
        new = [new_subscriber(number) for number in range(9, 0, -1)]
        before = subscribers.add_all(connection, publication, new, vouched("asked"))
        assert before == first
        ids = subscribers.list_after(connection, publication, before, 100)
        page = subscribers.list_page(connection, publication, after=before)
        records = subscribers.read_consents(connection, publication, ids)
        assert subscribers.add_all(connection, publication, [], vouched()) == ids[-1]
    assert [one.id for one in page] == ids
    assert [one.email for one in page] == [one.email for one in new]
    assert {one.status for one in page} == {"unconfirmed"}
    assert all(record == [vouched("asked")] for record in records.values())


def test_pages_statuses_and_searches(database: Database) -> None:
    publication = database.publication
    with database.write() as connection:
        new = [new_subscriber(number, f"Näme 100% {number}") for number in range(10)]
        subscribers.add_all(connection, publication, new, vouched())
        ids = subscribers.list_after(connection, publication, 0, 100)
        subscribers.change_all(connection, publication, ids[:3], vouched("unsubscribed"))
        suppressions.suppress(connection, publication, new[5].address_hash, "bounce", NOON)

        def names(**wanted: object) -> list[str]:
            found = subscribers.list_page(connection, publication, **wanted)  # type: ignore[arg-type]
            return [one.email.partition("@")[0] for one in found]

        assert names(limit=4) == ["r0", "r1", "r2", "r3"]
        assert names(limit=4, after=ids[7]) == ["r8", "r9"]
        assert names(status="unsubscribed") == ["r0", "r1", "r2"]
        assert names(search="R7@DAILY") == ["r7"]
        assert names(search="Näme 100% 4") == ["r4"]
        assert names(search="100_") == [], "it is no pattern"
        counts = subscribers.count_by_status(connection, publication)
        assert counts == {"unconfirmed": 0, "confirmed": 7, "unsubscribed": 3}
        page = subscribers.list_page(connection, publication)
        assert [one.is_suppressed for one in page] == [number == 5 for number in range(10)]
        reasons = suppressions.find_reasons(connection, publication, ids)
        assert reasons == {ids[5]: "bounce"}


def test_a_change_is_recorded_and_only_once(database: Database) -> None:
    publication = database.publication
    with database.write() as connection:
        id_ = subscribers.add(connection, publication, new_subscriber(1), vouched("asked"))
        confirmed, left = vouched("confirmed", 1), vouched("unsubscribed", 2)
        assert subscribers.change_status(connection, publication, id_, confirmed)
        assert not subscribers.change_status(connection, publication, id_, confirmed)
        assert subscribers.unsubscribe(connection, publication, id_, left)
        assert not subscribers.unsubscribe(connection, publication, id_, left)
        assert not subscribers.unsubscribe(connection, publication, id_ + 1, left)
        records = subscribers.read_consents(connection, publication, [id_])
        ends = subscribers.find_ends(connection, publication, [id_])
        (known,) = subscribers.find_known(
            connection,
            publication,
            [new_subscriber(1).address_hash, new_subscriber(2).address_hash],
        ).values()
    assert records == {id_: [vouched("asked"), confirmed, left]}
    assert ends == {id_: left.at}
    assert (known.id, known.status, known.changed_at) == (id_, "unsubscribed", left.at)


def test_a_status_and_its_line_change_together(database: Database) -> None:
    publication = database.publication
    with database.write() as connection:
        id_ = subscribers.add(connection, publication, new_subscriber(1), vouched())
        connection.execute(text(BREAK[connection.dialect.name]))
    with pytest.raises(IntegrityError), database.write() as connection:
        subscribers.unsubscribe(connection, publication, id_, vouched("unsubscribed", 1))
    with database.read() as connection:
        assert subscribers.read_consents(connection, publication, [id_]) == {id_: [vouched()]}


def test_names_and_touches(database: Database) -> None:
    publication = database.publication
    with database.write() as connection:
        id_ = subscribers.add(connection, publication, new_subscriber(1), vouched())
        subscribers.rename(connection, publication, id_, "Anna", NOON)
        subscribers.rename_all(connection, publication, [], NOON)
        subscribers.rename_all(connection, publication, [(id_, "Anna B")], NOON)
        subscribers.touch(connection, publication, id_, NOON + timedelta(days=3))
        (known,) = subscribers.find_known(
            connection, publication, [new_subscriber(1).address_hash]
        ).values()
    assert (known.name, known.changed_at) == ("Anna B", NOON + timedelta(days=3))


def test_an_id_is_never_used_again(database: Database) -> None:
    publication = database.publication
    with database.write() as connection:
        first = subscribers.add(connection, publication, new_subscriber(1), vouched())
        erasing.erase(connection, publication, first, NOON)
        second = subscribers.add(connection, publication, new_subscriber(2), vouched())
    assert second > first


@pytest.mark.sqlite
def test_a_log_that_others_read_is_not_emptied_in_silence(database: Database) -> None:
    publication = database.publication
    assert isinstance(database.place, FilePlace)
    log = database.place.path.with_name("publisher.db-wal")
    with database.read() as reader:
        subscribers.count_by_status(reader, publication)
        with database.write() as connection:
            subscribers.add(connection, publication, new_subscriber(1), vouched())
        assert not erasing.empty_log(database, 0)
        assert log.stat().st_size > 0
    assert erasing.empty_log(database)
    assert log.stat().st_size == 0


@pytest.mark.sqlite
def test_the_records_of_some_are_found_without_those_of_all(database: Database) -> None:
    """A page of an export or an import takes milliseconds, however many readers there are."""
    publication, some, said = database.publication, range(1, 1_000), list[str]()
    with database.read() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_trace_callback(said.append)
        subscribers.read_consents(connection, publication, some)
        subscribers.find_ends(connection, publication, some)
        raw.set_trace_callback(None)
        asked = [each for each in said if each.startswith("SELECT")]
        assert len(asked) == 2
        for each in asked:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each}")
            assert "consent_subscriber (subscriber=?)" in " | ".join(row[3] for row in rows)
