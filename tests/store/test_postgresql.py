"""What a PostgreSQL server's database promises, and what is said when it cannot be used."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, update

from publisher.errors import PublisherError
from publisher.runtime.lock import replacing, try_lock, using
from publisher.store import schema as s
from publisher.store import subscribers
from publisher.store.arming import arm, find_unarmed
from publisher.store.database import Database, open_database
from publisher.store.deliveries import _TAKABLE
from publisher.store.errors import StoreError
from publisher.store.place import find_place
from publisher.store.schema_batches import metadata as workers
from publisher.store.settling import SETTLE
from tests import postgresql
from tests.runtime.running import wait_until
from tests.store.conftest import URI
from tests.store.test_subscribers import new_subscriber, vouched


@pytest.fixture
def url() -> Iterator[str]:
    with postgresql.database_url() as url:
        yield url


@pytest.fixture
def server(url: str, tmp_path: Path) -> Iterator[Database]:
    database = open_database(url, tmp_path, URI)
    yield database
    database.close()


def _add(database: Database, number: int) -> int:
    with database.write() as connection:
        return subscribers.add(connection, database.publication, new_subscriber(number), vouched())


def _count(database: Database) -> int:
    with database.read() as connection:
        return sum(subscribers.count_by_status(connection, database.publication).values())


def _is_ours(name: str | None, kind: str, parents: object) -> bool:
    return kind != "table" or not (name or "").startswith("procrastinate_")


def test_its_tables_are_those_of_the_schema(server: Database) -> None:
    with server.read() as connection:
        opts = {"compare_type": True, "include_name": _is_ours}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, [s.metadata, workers]) == []  # type: ignore[arg-type]


def test_texts_are_in_the_order_of_their_bytes(server: Database) -> None:
    """As SQLite has them; what is looked for between two of them would not be found otherwise."""
    with server.read() as connection:
        others = connection.exec_driver_sql(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'text'"
            " AND collation_name IS DISTINCT FROM 'C' AND table_name !~ '^procrastinate_'"
        ).all()
    assert others == []


def test_a_reader_has_one_view_and_waits_for_nobody(server: Database) -> None:
    with server.read() as reader:
        before = subscribers.count_by_status(reader, server.publication)
        _add(server, 1)
        assert subscribers.count_by_status(reader, server.publication) == before
    assert _count(server) == 1


def test_a_reader_cannot_write(server: Database) -> None:
    with pytest.raises(StoreError), server.read() as connection:
        connection.execute(update(s.publication).values(uri="x"))


def test_a_writer_is_alone_from_its_first_statement_on(server: Database) -> None:
    """What it reads is what the one before it left, or a change would be made of an old state."""

    def count_up() -> None:
        for _ in range(20):
            with server.write() as connection:
                found = connection.execute(select(s.publication.c.uri)).scalar_one()
                number = int(found.rpartition(":")[2]) + 1
                connection.execute(update(s.publication).values(uri=f"tag:x,2025:{number}"))

    with server.write() as connection:
        connection.execute(update(s.publication).values(uri="tag:x,2025:0"))
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with server.read() as connection:
        assert connection.execute(select(s.publication.c.uri)).scalar_one() == "tag:x,2025:80"


def test_those_that_deliver_write_together_but_never_beside_another(server: Database) -> None:
    order: list[str] = []

    def add() -> None:
        _add(server, 1)
        order.append("other")

    with server.hold() as first, server.hold() as second:
        with first.write(), second.write():
            other = threading.Thread(target=add)
            other.start()
            other.join(0.3)
            order.append("both")
        other.join()
    assert order == ["both", "other"]


def test_who_delivers_does_not_wait_for_long(server: Database) -> None:
    with server.hold() as held, server.write() as connection:
        connection.execute(select(1))
        with pytest.raises(StoreError, match="is busy"), held.write():
            pass
    with server.hold() as held, held.write() as connection:
        connection.execute(select(1))


def test_changes_of_others_are_noticed_and_no_own_ones(server: Database) -> None:
    with server.hold() as held:
        seen = held.version()
        with held.write() as connection:
            connection.execute(update(s.publication).values(uri=URI))
        assert held.version() == seen
        _add(server, 1)
        wait_until(lambda: held.version() != seen, "the notification")
        seen = held.version()
        with server.read() as connection:
            connection.execute(select(1))
        assert held.version() == seen


def test_a_connection_that_died_is_replaced(server: Database, url: str) -> None:
    _add(server, 1)
    with server.hold() as held, psycopg.connect(url, autocommit=True) as other:
        seen = held.version()
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with pytest.raises(StoreError), held.write() as connection:
            connection.execute(select(1))
        with held.write() as connection:
            connection.execute(select(1))
        assert held.version() != seen, "what happened meanwhile is not known"
        assert _count(server) == 1


def test_one_that_dies_as_a_transaction_begins_is_let_go_without_a_word(
    server: Database, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with server.engine.connect() as connection:
        raw = connection.connection.driver_connection
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (raw.info.backend_pid,))  # type: ignore[union-attr]
        with pytest.raises(psycopg.Error):
            connection.begin()
    assert [record.getMessage() for record in caplog.records] == []
    with server.read() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1


def test_one_delivers_and_notices_when_its_lock_is_lost(url: str, tmp_path: Path) -> None:
    here, there = find_place(url, tmp_path / "a"), find_place(url, tmp_path / "b")
    for place in (here, there):
        place.folder.mkdir()
    lock = try_lock(here)
    assert lock is not None
    assert lock.is_held()
    assert try_lock(there) is None
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    while lock.is_held():
        pass
    taken = try_lock(there)
    assert taken is not None
    taken.release()
    lock.release()


def test_nothing_is_replaced_while_anybody_uses_it(url: str, tmp_path: Path) -> None:
    place = find_place(url, tmp_path)
    stop_it = pytest.raises(PublisherError, match="stop it")
    with using(place), using(place), stop_it, replacing(place):
        pass
    with replacing(place), pytest.raises(PublisherError, match="being restored"), using(place):
        pass


def test_who_lost_its_lock_still_keeps_it_from_being_replaced(
    server: Database, url: str, tmp_path: Path
) -> None:
    with server.read() as connection:
        connection.execute(select(1))
        with pytest.raises(PublisherError, match="stop it"), replacing(find_place(url, tmp_path)):
            pass


def test_a_copy_by_the_server_sends_nothing_until_armed(
    server: Database, url: str, tmp_path: Path
) -> None:
    with server.read() as connection:
        assert find_unarmed(connection, server.place) == ""
    server.engine.dispose()
    name = f"{url.rpartition('/')[2].partition('?')[0]}_copy"
    source = name.removesuffix("_copy")
    with psycopg.connect(postgresql.find_server(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
    copy = open_database(postgresql.url_of(url, name), tmp_path, URI)
    try:
        with copy.write() as connection:
            assert "is a copy" in find_unarmed(connection, copy.place)
            arm(connection, copy.publication, copy.place, datetime.now(UTC))
            assert find_unarmed(connection, copy.place) == ""
    finally:
        copy.close()
        with psycopg.connect(postgresql.find_server(), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_what_was_put_over_it_from_a_dump_sends_nothing(server: Database) -> None:
    """A dump is restored over a database by tables that are made anew."""
    with server.write() as connection:
        connection.exec_driver_sql("CREATE TABLE again (LIKE installation INCLUDING ALL)")
        connection.exec_driver_sql("INSERT INTO again SELECT * FROM installation")
        connection.exec_driver_sql("DROP TABLE installation")
        connection.exec_driver_sql("ALTER TABLE again RENAME TO installation")
        assert "was restored" in find_unarmed(connection, server.place)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"database": "nowhere"}, "createdb"),
        ({"username": "nobody_of_ours"}, "createuser"),
        ({"query": {"host": "/nowhere"}}, "cannot be reached"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(
    url: str, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    from sqlalchemy.engine import make_url

    wrong = make_url(url).set(password="s3cret").set(**change)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match=said) as caught:
        open_database(wrong.render_as_string(hide_password=False), tmp_path, URI)
    assert "s3cret" not in str(caught.value)


def test_a_url_that_cannot_be_read_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read") as caught:
        open_database("postgresql://anna:s3cret@host:port/daily", tmp_path, URI)
    assert "s3cret" not in str(caught.value)


def test_a_database_of_another_encoding_or_program_is_refused(tmp_path: Path) -> None:
    with psycopg.connect(postgresql.find_server(), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS latin")
        admin.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
        try:
            with pytest.raises(StoreError, match="SQL_ASCII"):
                open_database(postgresql.url_of(postgresql.find_server(), "latin"), tmp_path, URI)
        finally:
            admin.execute("DROP DATABASE latin WITH (FORCE)")
    with postgresql.database_url(is_empty=True) as url:
        with psycopg.connect(url) as theirs:
            theirs.execute("CREATE TABLE theirs (id int)")
        with pytest.raises(StoreError, match="some other program"):
            open_database(url, tmp_path, URI)


def test_many_make_its_tables_at_once(tmp_path: Path) -> None:
    faults: list[BaseException] = []

    def make(url: str) -> None:
        try:
            open_database(url, tmp_path, URI).close()
        except BaseException as error:
            faults.append(error)

    with postgresql.database_url(is_empty=True) as url:
        threads = [threading.Thread(target=make, args=(url,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        database = open_database(url, tmp_path, URI)
        with database.read() as connection:
            assert len(connection.execute(select(s.publication)).all()) == 1
        database.close()
    assert faults == []


def test_a_text_of_a_stranger_s_may_have_a_nul_in_it(server: Database) -> None:
    with server.write() as connection:
        new = new_subscriber(1, "An\0na")
        id_ = subscribers.add(connection, server.publication, new, vouched())
        subscribers.add_all(connection, server.publication, [new_subscriber(2, "B\0")], vouched())
        found = subscribers.find_by_id(connection, server.publication, id_)
    assert found is not None
    assert found.name == "An\N{REPLACEMENT CHARACTER}na"


def test_a_server_that_only_reads_is_said(server: Database) -> None:
    with server.write() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    server.engine.dispose()
    with pytest.raises(StoreError, match="only reads"):
        _add(server, 1)


def test_a_few_deliveries_are_found_by_their_ids_however_little_it_knows_of_them(
    server: Database,
) -> None:
    ids = list(range(1, 9))
    outcomes = [["sent"] * 8, *[[0] * 8] * 3, *[[None] * 8] * 2, *[["250 ok"] * 8] * 2, ids]
    with server.hold() as held, held.write() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("SET LOCAL session_replication_role = replica")  # no mailing is wanted
        raw.execute(
            "INSERT INTO delivery (publication, mailing) SELECT 1, 1 FROM generate_series(1, 2000)"
        )
        for statement, values in ((_TAKABLE, [0, ids]), (SETTLE, outcomes)):
            plan = str(raw.execute(f"EXPLAIN {statement.postgresql}", values).fetchall())
            assert "on delivery_pkey" in plan or "using delivery_pkey" in plan
            assert "delivery_not_sent" not in plan
            assert "Seq Scan on delivery" not in plan
