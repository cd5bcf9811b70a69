"""The schema's version: older databases are migrated, newer ones refused."""

from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, Engine, inspect, text

from publisher.store import engine_postgresql as server
from publisher.store.errors import StoreError
from publisher.store.jobs import make_tables
from publisher.store.schema import metadata
from publisher.store.schema_batches import metadata as workers

# The newest migration, and all that led to it. Alembic, which takes half a second to import, is
# asked only when there is something to do.
HEAD = "0013"
KNOWN = (
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011"),
    *("0012", "0013"),
)

# Alembic keeps the database that it works on in a module: two threads would share one.
_MIGRATING = Lock()

_SCRIPTS = Path(__file__).parent / "migrations"


def bring_up_to_date(engine: Engine, path: Path, version: str = HEAD) -> None:
    """Make the tables, or migrate them, in one transaction: a second process waits and sees it.

    An older version is for a new database, which is to take in rows of that time. Raises StoreError
    for a database that is newer than this program, or not one of ours.
    """
    with engine.begin() as connection:
        if _require_known(connection, path) == version:
            return
    with engine.connect().execution_options(is_writing=True) as connection:
        # Where a table is made anew, others are not to follow the old one away. SQLite can be told
        # so outside a transaction only (https://www.sqlite.org/lang_altertable.html, section 7).
        driver = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
        try:
            with connection.begin():
                if _require_known(connection, path) != version:
                    with _MIGRATING:
                        _migrate(connection, version)
                    _require_whole(connection, path)
        finally:
            driver.execute("PRAGMA foreign_keys = ON")  # type: ignore[union-attr]


def bring_server_up_to_date(engine: Engine, name: str) -> None:
    """Make a server's tables, or migrate them, in one transaction: a second process waits.

    A new database begins at the newest version: older ones were of SQLite only.
    """
    with engine.connect() as connection:
        with connection.begin():
            if _require_known(connection, name) == HEAD:
                return
        connection = connection.execution_options(is_writing=True)
        with connection.begin():
            server.wait_to_migrate(connection)
            if (version := _require_known(connection, name)) == "":
                _require_usable(connection, name)
                metadata.create_all(connection)
                workers.create_all(connection)
                make_tables(connection)
                _stamp(connection)
            elif version != HEAD:
                with _MIGRATING:
                    _migrate(connection, HEAD)


def _require_usable(connection: Connection, name: str) -> None:
    """Raise StoreError where a database cannot hold every text, or is of too old a server."""
    if (fault := server.find_fault(connection)) != "":
        raise StoreError(f"{name} cannot be used: {fault}")


def _stamp(connection: Connection) -> None:
    """Note the newest version where no migration has led to it, as Alembic does."""
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
        " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def _require_whole(connection: Connection, path: Path) -> None:
    """Raise StoreError where a row names another one that is not there; nothing is changed then."""
    if row := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StoreError(
            f"{path} cannot be brought up to date: a row of its table {row[0]} names one of"
            f" {row[2]} that is not there; restore a backup"
        )


def _require_known(connection: Connection, name: Path | str) -> str:
    version = read_version(connection)
    if version == "" and inspect(connection).get_table_names():
        raise StoreError(f"{name} is a database of some other program; name another one")
    if version and version not in KNOWN:
        raise StoreError(
            f"{name} was made by a newer publisher (schema {version}, this one knows {HEAD});"
            " install that one, or a newer one"
        )
    return version


def read_version(connection: Connection) -> str:
    """The version of a database's schema; empty where it has none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _migrate(connection: Connection, version: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, version)
