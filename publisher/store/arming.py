"""Whether a database may send: a backup that was restored, or a copy, may not until it is armed.

Two databases that both think themselves the real one would send everything twice.
"""

from datetime import datetime

from sqlalchemy import Connection, select

from publisher.store import schema as s
from publisher.store.errors import StateError, StoreError
from publisher.store.installation import (
    ARRIVING,
    MOVED,
    UNARMED,
    find_home,
    find_marks,
    set_home,
    set_marks,
)
from publisher.store.mailings import change_mailing
from publisher.store.occurrences import begin_anew
from publisher.store.place import Place, read_mark
from publisher.store.plans import refuse_waiting

# Why a mailing is paused that a restore paused, which `arm` lets go on.
RESTORED = "restored from a backup"
_UNARMED = {
    UNARMED: "was restored from a backup",
    ARRIVING: "is not here as a whole until `publisher migrate-database` has ended",
    MOVED: "was moved to another database",
}
_TOO_EARLY = "it was due before the database was armed"


def find_unarmed(connection: Connection, place: Place) -> str:
    """Why this database may not send; empty where it may."""
    # Before the database is: who begins to deliver meanwhile notes the new mark there first.
    mark = read_mark(place)
    home = find_home(connection)
    if home in _UNARMED:
        return f"{place.name} {_UNARMED[home]}"
    if home and home != place.find_home(connection):
        return f"{place.name} {place.copied}"
    if not place.is_marked:
        return ""
    marks = find_marks(connection)
    # Where it is another one already, somebody has the lock, and was armed.
    if mark not in (marks or [""]) and mark == read_mark(place):
        return f"{place.name} is not as it was when it was last delivered from"
    return ""


def require_armed(connection: Connection, place: Place) -> None:
    """Raise StoreError where this database may not send."""
    if why := find_unarmed(connection, place):
        raise StoreError(
            f"{why}, so it sends nothing: what another one has sent since is not known here."
            " When you are sure that no other one sends, run `publisher arm`."
        )


def disarm(connection: Connection, publication: int, now: datetime) -> None:
    """Let a database send nothing, with every mailing paused, until it is armed.

    The connection writes.
    """
    set_home(connection, UNARMED)
    for mailing in _mailings(connection, publication, "sending"):
        change_mailing(connection, publication, mailing, "paused", now, reason=RESTORED)


def arm(connection: Connection, publication: int, place: Place, now: datetime) -> list[int]:
    """Let a database send, and give the mailings that go on. The connection writes.

    What was due until now is not made up for by schedules, nor is what was planned started: another
    database may have sent it. Raises StateError for one that is not whole.
    """
    if find_home(connection) == ARRIVING:
        raise StateError(f"{place.name} {_UNARMED[ARRIVING]}: run that again")
    if find_unarmed(connection, place):
        begin_anew(connection, publication, _TOO_EARLY, now)
        refuse_waiting(connection, publication, _TOO_EARLY, now)
    set_home(connection, place.find_home(connection))
    # A server's database may have been delivered from elsewhere since the mark beside was made.
    set_marks(connection, read_mark(place) if place.is_marked else "")
    going_on = _mailings(connection, publication, "paused", RESTORED)
    for mailing in going_on:
        change_mailing(connection, publication, mailing, "resumed", now)
    return going_on


def _mailings(
    connection: Connection, publication: int, status: str, reason: str | None = None
) -> list[int]:
    chosen = select(s.mailing.c.id).where(
        s.mailing.c.publication == publication, s.mailing.c.status == status
    )
    if reason is not None:
        chosen = chosen.where(s.mailing.c.reason == reason)
    return list(connection.execute(chosen).scalars())
