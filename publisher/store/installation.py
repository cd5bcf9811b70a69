"""Which file this database is, so that a copy of it is known for one."""

from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from publisher.store import schema as s
from publisher.store.place import name_of_file

_HOME = "home"
# Instead of a file's name: this one was restored, and is not known to be the only one.
UNARMED = "unarmed"


def find_home(connection: Connection) -> str:
    """The file that this database was last known as; empty where that was never noted."""
    found = select(s.installation.c.value).where(s.installation.c.key == _HOME)
    return str(connection.execute(found).scalar() or "")


def claim_home(connection: Connection, path: Path) -> None:
    """Let a new database know its own file. The connection writes."""
    row = {"key": _HOME, "value": name_of_file(path)}
    connection.execute(insert(s.installation).values(row).on_conflict_do_nothing())


def set_home(connection: Connection, home: str) -> None:
    """Note another file, or UNARMED. The connection writes."""
    claim = insert(s.installation).values(key=_HOME, value=home)
    connection.execute(claim.on_conflict_do_update(index_elements=["key"], set_={"value": home}))
