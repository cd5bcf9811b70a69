"""Subscribers -> CSV (RFC 4180, UTF-8, CRLF), as a stream, a page of them at a time."""

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec

from publisher.audience.cells import guard_cell
from publisher.model.audience import Consent, Subscriber, SubscriptionStatus
from publisher.model.choices import Choices
from publisher.store import subscribers, suppressions
from publisher.store.database import Database

# A page is read at once; between two of them nothing keeps the write-ahead log from being emptied.
_PAGE = 1_000
HEADER = (
    *("email", "name", "status", "suppressed", "subscribed_at", "consent"),
    *("language", "paused_until", "content", "tags", "frequency"),
)


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A subscriber with what is known of their consent.

    `suppressed` is the suppression's reason, else empty; `subscribed_at` when they or an operator
    last confirmed, RFC 3339 in UTC, else empty, and so `paused_until`. `consent` is the whole
    record, a line each.
    """

    email: str
    name: str
    status: SubscriptionStatus
    suppressed: str
    subscribed_at: str
    language: str
    paused_until: str
    choices: Choices
    consent: tuple[Consent, ...]


def read_all(
    database: Database, status: SubscriptionStatus | None = None, search: str = ""
) -> Iterator[Subscriber]:
    """All subscribers, in the order in which they were added, a page at a time."""
    after = 0
    while True:
        with database.read() as connection:
            page = subscribers.list_page(
                connection,
                database.publication,
                after=after,
                limit=_PAGE,
                status=status,
                search=search,
            )
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].id


def export_subscribers(database: Database) -> Iterator[Exported]:
    """All subscribers with their records, a page at a time."""
    after, is_last = 0, False
    while not is_last:
        with database.read() as connection:
            publication = database.publication
            page = subscribers.list_page(connection, publication, after=after, limit=_PAGE)
            records = subscribers.read_consents(connection, publication, [one.id for one in page])
            reasons = suppressions.find_reasons(
                connection, publication, [one.id for one in page if one.is_suppressed]
            )
        for one in page:
            yield _exported(one, records[one.id], reasons.get(one.id, ""))
        is_last = len(page) < _PAGE
        after = page[-1].id if page else after


def write_csv(exported: Iterator[Exported]) -> Iterator[bytes]:
    """The file's bytes, in pieces."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(HEADER)
    for number, one in enumerate(exported, 1):
        consent = "; ".join(_sum_up(line) for line in one.consent)
        chosen = (one.choices.content, ", ".join(one.choices.tags), one.choices.frequency)
        cells = (*_plain(one), consent, one.language, one.paused_until, *chosen)
        writer.writerow([guard_cell(cell) for cell in cells])
        if number % _PAGE == 0:
            yield _take(buffer)
    yield _take(buffer)


def write_rejected(rejected: Iterable[tuple[int, str, str, str]]) -> bytes:
    """What an import did not take, as CSV: line, value, reason and file of each."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(("line", "value", "reason", "file"))
    for line, value, reason, file in rejected:
        writer.writerow((line, guard_cell(value), guard_cell(reason), guard_cell(file)))
    return _take(buffer)


def write_private(target: Path, pieces: Iterable[bytes]) -> int:
    """Write a file that its owner alone may read, aside, and rename it; gives its size."""
    aside = target.with_name(f".{target.name}.new")
    aside.unlink(missing_ok=True)
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return size


def to_json(one: Exported) -> dict[str, Any]:
    """A subscriber as `export --json` prints one."""
    return {
        "email": one.email,
        "name": one.name,
        "status": one.status,
        "suppressed": bool(one.suppressed),
        "reason": one.suppressed or None,
        "subscribed_at": one.subscribed_at or None,
        "language": one.language or None,
        "paused_until": one.paused_until or None,
        **msgspec.to_builtins(one.choices),
        "consent": [{**msgspec.structs.asdict(line), "at": _time(line.at)} for line in one.consent],
    }


def _exported(one: Subscriber, record: Sequence[Consent], reason: str) -> Exported:
    agreed = [line.at for line in record if line.action in ("confirmed", "vouched")]
    return Exported(
        email=one.email,
        name=one.name,
        status=one.status,
        suppressed=reason,
        subscribed_at=_time(agreed[-1]) if agreed else "",
        language=one.language,
        paused_until=_time(one.paused_until) if one.paused_until else "",
        choices=one.choices,
        consent=tuple(record),
    )


def _plain(one: Exported) -> tuple[str, ...]:
    return (one.email, one.name, one.status, one.suppressed, one.subscribed_at)


def _sum_up(line: Consent) -> str:
    """A line of a record: `2026-01-02T03:04:05Z vouched import readers.csv`."""
    return " ".join(
        part for part in (_time(line.at), line.action, line.source, line.origin) if part
    )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _take(buffer: StringIO) -> bytes:
    data = buffer.getvalue().encode("utf-8", "replace")
    buffer.seek(0)
    buffer.truncate()
    return data
