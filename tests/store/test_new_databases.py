"""The databases that tests begin with are those that the migrations make."""

from sqlalchemy import Connection, create_engine

from publisher.store.version import HEAD
from tests.new_databases import MIGRATE, make_quickly


def _content(connection: Connection) -> list[tuple[object, ...]]:
    """What there is, by name; the constraints of a table come in no certain order."""
    made = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2")
    version = connection.exec_driver_sql("SELECT * FROM alembic_version").one()
    parts = [(*names, sorted((sql or "").replace(",", "").splitlines())) for *names, sql in made]
    return [*parts, tuple(version)]


def test_a_database_of_a_test_is_as_the_migrations_make_it() -> None:
    found = []
    for make in (MIGRATE, make_quickly):
        with create_engine("sqlite://").begin() as connection:
            make(connection, HEAD)
            found.append(_content(connection))
    assert len(found[0]) > 50
    assert found[1] == found[0]
