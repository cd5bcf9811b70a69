"""Which file or server's database this is, and of what time, so that a copy is known for one.

A copy in another place has another home. A file that is put over the database has the same one, and
is of an earlier time: whenever somebody begins to deliver, a new mark is made, here and beside it.
"""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from publisher.store import schema as s
from publisher.store.place import Place, read_mark

_HOME = "home"
_MARKS = "marks"
# Instead of a home: this one was restored, and is not known to be the only one.
UNARMED = "unarmed"
# One that is being moved here, and one that was moved away.
ARRIVING, MOVED = "arriving", "moved"


def find_home(connection: Connection) -> str:
    """Where this database was last known to be; empty where that was never noted."""
    found = select(s.installation.c.value).where(s.installation.c.key == _HOME)
    return str(connection.execute(found).scalar() or "")


def claim_home(connection: Connection, place: Place) -> None:
    """Let a new database know where it is. The connection writes."""
    row = {"key": _HOME, "value": place.find_home(connection)}
    claim = insert(s.installation).values(row).on_conflict_do_nothing()
    if connection.execute(claim).rowcount:
        set_marks(connection, read_mark(place))  # of a database that was here before


def find_marks(connection: Connection) -> list[str]:
    """The mark that is written beside the database, or is about to be, and the one before it."""
    found = select(s.installation.c.value).where(s.installation.c.key == _MARKS)
    return str(connection.execute(found).scalar() or "").split()


def set_marks(connection: Connection, *marks: str) -> None:
    """Note which mark may be beside the database from now on. The connection writes."""
    value = " ".join(filter(None, marks))
    claim = insert(s.installation).values(key=_MARKS, value=value)
    connection.execute(claim.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


def set_home(connection: Connection, home: str) -> None:
    """Note another home, or UNARMED. The connection writes."""
    claim = insert(s.installation).values(key=_HOME, value=home)
    connection.execute(claim.on_conflict_do_update(index_elements=["key"], set_={"value": home}))
