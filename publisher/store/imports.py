"""Imports that were run in the console: what came of each, and for a while what was not taken.

All functions but those that only ask need a connection that writes.
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import Connection, insert, select, update

from publisher.model.operators import Actor
from publisher.store import schema as s
from publisher.store.functions import has_part

ImportStatus = Literal["running", "done", "stopped", "failed"]

# The lines that were not taken have addresses in them: whoever runs an import looks at them within
# days, and comes back to the rest within the month.
REJECTED_KEPT = timedelta(days=30)
_T = s.imported.c
_NOTHING = "[]"


class Line(msgspec.Struct, frozen=True):
    """A line that was not taken: where it begins, its address, why, and in which file."""

    line: int
    value: str
    reason: str
    file: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """An import. Its counts are of what was done until it ended, however it did."""

    id: int
    name: str
    who: str
    status: ImportStatus
    fault: str
    started_at: datetime
    ended_at: datetime | None
    added: int
    updated: int
    skipped: int
    rejected_total: int


_COLUMNS = tuple(_T[name] for name in Run.__struct_fields__)


def begin(connection: Connection, publication: int, name: str, actor: Actor, now: datetime) -> int:
    """Note that an import begins; gives its id. Old ones forget what they did not take."""
    old = (_T.publication == publication, _T.started_at <= now - REJECTED_KEPT)
    connection.execute(
        update(s.imported).where(*old, _T.rejected != _NOTHING).values(rejected=_NOTHING)
    )
    row = {"publication": publication, "name": name, "who": actor.who, "client": actor.client}
    made = insert(s.imported).values(row | {"status": "running", "started_at": now})
    return int(connection.execute(made.returning(_T.id)).scalar_one())


def end(
    connection: Connection,
    run: int,
    status: ImportStatus,
    now: datetime,
    *,
    fault: str = "",
    counts: tuple[int, int, int, int] = (0, 0, 0, 0),
    rejected: list[Line] | None = None,
) -> None:
    """Note how an import ended. `counts` are added, updated, skipped and rejected ones."""
    names = ("added", "updated", "skipped", "rejected_total")
    values = dict(zip(names, counts, strict=True))
    lines = msgspec.json.encode(rejected or []).decode()
    connection.execute(
        update(s.imported)
        .where(_T.id == run)
        .values(status=status, ended_at=now, fault=fault, rejected=lines, **values)
    )


def end_left(connection: Connection, publication: int, now: datetime) -> None:
    """Note of imports that a process which is no more left behind that they are over."""
    left = update(s.imported).where(_T.publication == publication, _T.status == "running")
    fault = "the console ended in the middle of it"
    connection.execute(left.values(status="stopped", ended_at=now, fault=fault))


def list_runs(connection: Connection, publication: int, limit: int) -> list[Run]:
    """The newest imports."""
    chosen = select(*_COLUMNS).where(_T.publication == publication)
    rows = connection.execute(chosen.order_by(_T.id.desc()).limit(limit))
    return [Run(**row._mapping) for row in rows]


def find_run(connection: Connection, publication: int, run: int) -> Run | None:
    chosen = select(*_COLUMNS).where(_T.publication == publication, _T.id == run)
    row = connection.execute(chosen).one_or_none()
    return None if row is None else Run(**row._mapping)


def read_rejected(connection: Connection, publication: int, run: int) -> list[Line]:
    """The lines that an import did not take, as far as they are kept."""
    chosen = select(_T.rejected).where(_T.publication == publication, _T.id == run)
    return _decode(connection.execute(chosen).scalar() or _NOTHING)


def forget_address(connection: Connection, publication: int, email: str) -> None:
    """Take an address out of what imports did not take."""
    # In letters alone, as JSON has them: quotation marks in an address stand there otherwise.
    is_in = has_part(_T.rejected, email.rpartition("@")[2])
    chosen = select(_T.id, _T.rejected).where(_T.publication == publication, is_in)
    wanted = email.casefold()
    for run, text in connection.execute(chosen).all():
        kept = [each for each in _decode(text) if wanted not in each.value.casefold()]
        kept = [each for each in kept if wanted not in each.reason.casefold()]
        lines = msgspec.json.encode(kept).decode()
        connection.execute(update(s.imported).where(_T.id == run).values(rejected=lines))


def _decode(text: str) -> list[Line]:
    return msgspec.json.decode(text, type=list[Line])
