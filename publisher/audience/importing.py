"""CSV -> subscribers: a stream of any size, in chunks that are each written as a whole.

A file that cannot be read to its end is refused before anything of it is written. An import that
was stopped is run again: who is there already is passed over.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice

import msgspec
from sqlalchemy import Connection

from publisher.audience.address import address_hash
from publisher.audience.columns import (
    Columns,
    Entry,
    Refusal,
    find_columns,
    read_entry,
)
from publisher.audience.records import Progress, Source, check_records, read_records
from publisher.audience.subscribing import WHY_SUPPRESSED, make_refs
from publisher.model.audience import Consent, ConsentAction, SubscriptionStatus, SuppressionReason
from publisher.store import subscribers, suppressions
from publisher.store.database import Database
from publisher.store.subscribers import Known, NewSubscriber
from publisher.store.suppressions import Suppression

# Asks one subscriber for a confirmation, in the transaction that adds them.
Ask = Callable[[Connection, int], None]

# A transaction of so many takes half a second, in which delivery waits; in smaller ones the
# indexes, whose keys come in no order, are written over and over.
_CHUNK = 20_000
# What is kept of the rejected ones, so that a file of nothing else does not fill the memory.
MOST_REJECTED = 10_000
_SHOWN = 100
_ACTIONS: dict[SubscriptionStatus, ConsentAction] = {
    "confirmed": "vouched",
    "unconfirmed": "asked",
    "unsubscribed": "unsubscribed",
}


class Rejected(msgspec.Struct, frozen=True):
    """A record that was not taken: the line where it begins, its address cell, and why."""

    line: int
    value: str
    reason: str


class Imported(msgspec.Struct, frozen=True):
    """What came of an import. `rejected` are the first MOST_REJECTED of `rejected_total`."""

    added: int
    updated: int
    skipped: int
    rejected: tuple[Rejected, ...]
    rejected_total: int


class Importing(msgspec.Struct, frozen=True, kw_only=True):
    """What an import needs: a key for addresses, the time, `chance(n)` for n random bytes.

    With `ask`, new subscribers are unconfirmed, and each is asked. One that is dry writes nothing:
    it tells what would come of it, and where a file is long it may count somebody twice. It ends
    between two chunks once `is_stopped`, and keeps what it has done.
    """

    database: Database
    secret: bytes
    at: datetime
    chance: Callable[[int], bytes]
    progress: Progress
    ask: Ask | None = None
    is_dry: bool = False
    is_stopped: Callable[[], bool] = lambda: False


def import_subscribers(importing: Importing, source: Source) -> Imported:
    """Import a file. Raises PublisherError, and has written nothing, where it cannot be read."""
    source, columns, header = find_columns(source)
    check_records(source, importing.progress)
    total = source.measure()
    tally = _Tally()
    with closing(read_entries(source, columns, header)) as entries:
        while not importing.is_stopped() and (chunk := list(islice(entries, _CHUNK))):
            _Chunk(importing, source.name, tally).take(chunk)
            importing.progress("Importing", source.file.tell(), total)
    rejected = tuple(tally.rejected)
    return Imported(tally.added, tally.updated, tally.skipped, rejected, tally.rejected_total)


def read_entries(
    source: Source, columns: Columns, header: int
) -> Generator[Entry | Refusal, None, None]:
    """Read a file's records below the header, in whose line it is, but for empty ones."""
    with closing(read_records(source)) as records:
        for record in records:
            if record.line > header and (entry := read_entry(columns, record)):
                yield entry


class _Tally:
    """The counts of an import, while it goes on."""

    def __init__(self) -> None:
        self.added = 0
        self.updated = 0
        self.skipped = 0
        self.rejected: list[Rejected] = []
        self.rejected_total = 0

    def reject(self, line: int, value: str, reason: str) -> None:
        self.rejected_total += 1
        if len(self.rejected) < MOST_REJECTED:
            self.rejected.append(Rejected(line, _shorten(value), reason))


class _Chunk:
    """Some records, taken in one transaction in their order."""

    def __init__(self, importing: Importing, origin: str, tally: _Tally) -> None:
        self.importing = importing
        # As the database keeps it, so that what this import changed can be told.
        at = importing.at
        self.at = at.replace(microsecond=at.microsecond // 1_000 * 1_000)
        self.origin = origin
        self.tally = tally
        self.known: dict[bytes, Known] = {}
        self.suppressed: dict[bytes, Suppression] = {}
        self.ends: dict[int, datetime] = {}
        self.new: dict[SubscriptionStatus, list[NewSubscriber]] = {}
        self.changed: dict[SubscriptionStatus, list[int]] = {}
        self.renamed: list[tuple[int, str]] = []
        self.suppressions: dict[bytes, SuppressionReason] = {}
        self.refs: Iterator[str] = iter(())

    def take(self, entries: list[Entry | Refusal]) -> None:
        secret = self.importing.secret
        self.refs = iter(make_refs(self.importing.chance, len(entries)))
        hashed = [
            (entry, b"" if isinstance(entry, Refusal) else address_hash(entry.address.key, secret))
            for entry in entries
        ]
        database, is_dry = self.importing.database, self.importing.is_dry
        with database.read() if is_dry else database.write() as connection:
            self._look_up(connection, list({hash for _, hash in hashed if hash}))
            for entry, hash in hashed:
                if isinstance(entry, Refusal):
                    self.tally.reject(entry.line, entry.value, entry.reason)
                else:
                    self._decide(entry, hash)
            if not is_dry:
                self._write(connection)

    def _look_up(self, connection: Connection, hashes: list[bytes]) -> None:
        publication = self.importing.database.publication
        self.known = subscribers.find_known(connection, publication, hashes)
        if suppressions.has_any(connection, publication):
            self.suppressed = suppressions.find_all(connection, publication, hashes)
        ended = [known.id for known in self.known.values() if known.status != "confirmed"]
        if ended:
            self.ends = subscribers.find_ends(connection, publication, ended)

    def _decide(self, entry: Entry, hash: bytes) -> None:
        known, standing = self.known.get(hash), entry.standing
        is_barred = hash in self.suppressed or hash in self.suppressions
        if known and known.changed_at == self.at:
            self.tally.skipped += 1  # for the second time in this file
        elif standing.suppression and not is_barred:
            self._suppress(entry, hash, known)
        elif standing.status is None:
            self._pass_over(entry, hash)
        elif is_barred and not standing.suppression and standing.status != "unsubscribed":
            self._reject_suppressed(entry, hash)
        elif known is None:
            self._add(entry, hash)
        else:
            self._change(entry, hash, known)

    def _suppress(self, entry: Entry, hash: bytes, known: Known | None) -> None:
        if entry.standing.suppression:
            self.suppressions[hash] = entry.standing.suppression
        if entry.standing.status is None:
            self._pass_over(entry, hash)
        elif known:
            self._change(entry, hash, known)
        else:
            self._add(entry, hash)

    def _pass_over(self, entry: Entry, hash: bytes) -> None:
        if entry.standing.reason:
            self.tally.reject(entry.line, entry.address.email, entry.standing.reason)
        else:
            self.tally.skipped += 1

    def _reject_suppressed(self, entry: Entry, hash: bytes) -> None:
        email = entry.address.email
        if (found := self.suppressed.get(hash)) is None:
            self.tally.skipped += 1  # by an earlier line of this file
            return
        reason = (
            f"suppressed since {found.at:%Y-%m-%d} ({WHY_SUPPRESSED[found.reason]});"
            f" only `publisher subscribers add {email} --again` lifts that"
        )
        self.tally.reject(entry.line, email, reason)

    def _add(self, entry: Entry, hash: bytes) -> None:
        status = self._status(entry)
        ref = next(self.refs)
        email = entry.address.email
        new = NewSubscriber(
            ref=ref,
            email=email,
            name=entry.name,
            address_hash=hash,
            language=entry.language,
            paused_until=entry.paused_until,
        )
        self.new.setdefault(status, []).append(new)
        self.known[hash] = Known(0, entry.name, status, self.at)
        self.tally.added += 1

    def _change(self, entry: Entry, hash: bytes, known: Known) -> None:
        status = self._status(entry)
        has_left = known.status == "unsubscribed" or known.id in self.ends
        if has_left and status != "unsubscribed":
            self._reject_unsubscribed(entry, known)
            return
        is_other = status != known.status and status != "unconfirmed"
        has_name = entry.name not in ("", known.name)
        if is_other:
            self.changed.setdefault(status, []).append(known.id)
        if has_name:
            self.renamed.append((known.id, entry.name))
        if is_other or has_name:
            self.known[hash] = msgspec.structs.replace(known, changed_at=self.at)
            self.tally.updated += 1
        else:
            self.tally.skipped += 1

    def _reject_unsubscribed(self, entry: Entry, known: Known) -> None:
        since = self.ends.get(known.id, known.changed_at)
        email = entry.address.email
        reason = (
            f"unsubscribed on {since:%Y-%m-%d}; only `publisher subscribers add {email} --again`"
            " subscribes them again"
        )
        self.tally.reject(entry.line, email, reason)

    def _status(self, entry: Entry) -> SubscriptionStatus:
        status = entry.standing.status or "unsubscribed"
        return "unconfirmed" if status == "confirmed" and self.importing.ask else status

    def _write(self, connection: Connection) -> None:
        publication = self.importing.database.publication
        for hash, reason in self.suppressions.items():
            suppressions.suppress(connection, publication, hash, reason, self.at)
        for status, ids in self.changed.items():
            subscribers.change_all(connection, publication, ids, self._consent(status))
        subscribers.rename_all(connection, publication, self.renamed, self.at)
        for status, new in self.new.items():
            before = subscribers.add_all(connection, publication, new, self._consent(status))
            if status == "unconfirmed" and self.importing.ask:
                for added in subscribers.list_after(connection, publication, before, len(new)):
                    self.importing.ask(connection, added)

    def _consent(self, status: SubscriptionStatus) -> Consent:
        return Consent(at=self.at, action=_ACTIONS[status], source="import", origin=self.origin)


def _shorten(value: str) -> str:
    """A cell as it can be shown: without what would not print, and not long."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in value[: _SHOWN + 1])
    return f"{shown[:_SHOWN]}…" if len(value) > _SHOWN else shown
