"""The schema's version: older databases are migrated, newer ones refused."""

from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, Engine, inspect, text

from publisher.store.errors import StoreError

# The newest migration, and all that led to it. Alembic, which takes half a second to import, is
# asked only when there is something to do.
HEAD = "0013"
KNOWN = (
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011"),
    "0013",
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


def _require_whole(connection: Connection, path: Path) -> None:
    """Raise StoreError where a row names another one that is not there; nothing is changed then."""
    if row := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StoreError(
            f"{path} cannot be brought up to date: a row of its table {row[0]} names one of"
            f" {row[2]} that is not there; restore a backup"
        )


def _require_known(connection: Connection, path: Path) -> str:
    version = read_version(connection)
    if version == "" and inspect(connection).get_table_names():
        raise StoreError(f"{path} is a database of some other program; name another file")
    if version and version not in KNOWN:
        raise StoreError(
            f"{path} was made by a newer publisher (schema {version}, this one knows {HEAD});"
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
