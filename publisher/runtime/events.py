"""What happened, from the records of it: lines of the ledger, consents, what was first published.

An event's name is made of the line that it comes from: the same for each webhook, and the same
however often it is told. No event has an address in it, nor a server's own words, which quote them.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from publisher.inbound.verdict import find_code
from publisher.model.events import Event, EventKind
from publisher.render.urls import Urls
from publisher.settings import Settings
from publisher.site.after_build import is_after_build_owed
from publisher.site.register import PATH, Record, read_register
from publisher.store.database import Database
from publisher.store.events import (
    ConsentLine,
    LedgerLine,
    find_consent_lines,
    find_following,
    find_ledger_lines,
    put,
    write_issues,
)

_OF_MAILINGS: dict[str, EventKind] = {
    "started": "mailing.started",
    "paused": "mailing.paused",
    "resumed": "mailing.resumed",
    "stopped": "mailing.cancelled",
    "finished": "mailing.finished",
    "reopened": "mailing.reopened",
}
_OF_DELIVERIES: dict[str, EventKind] = {
    "failed": "delivery.failed",
    "expired": "delivery.failed",
    "parked": "delivery.failed",
    "bounced": "delivery.bounced",
    "complained": "delivery.complained",
}
_OF_CONSENTS: dict[str, EventKind] = {
    "confirmed": "subscriber.confirmed",
    "vouched": "subscriber.confirmed",
    "unsubscribed": "subscriber.unsubscribed",
}


def read_ledger_line(line: LedgerLine) -> Event | None:
    """The event that a line of the ledger tells of; None of mailings that are no issue's."""
    issue = line.issue.partition("@")[0]  # a correction's has a version behind it
    about: dict[str, Any] = {"mailing": line.mailing, "issue": issue, "slug": line.slug}
    if line.delivery is None:
        if line.purpose != "issue" or line.event not in _OF_MAILINGS:
            return None
        about["recipients"] = line.recipients
        return _make("ledger", line, _OF_MAILINGS[line.event], about)
    if line.event not in _OF_DELIVERIES:
        return None
    about |= {"delivery": line.delivery, "purpose": line.purpose, "reason": line.event}
    about["code"] = find_code(line.reply or "")
    return _make("ledger", line, _OF_DELIVERIES[line.event], about, line.subscriber)


def read_consent_line(line: ConsentLine) -> Event:
    """The event that a line of the record of consents tells of."""
    return _make(
        "consent", line, _OF_CONSENTS[line.action], {"source": line.source}, line.subscriber
    )


def read_record(record: Record, urls: Urls, at: datetime) -> Event:
    """The event of an issue's first publication, which was at that moment."""
    return Event(
        ref=_name("issue", record.id, record.published),
        kind="issue.published",
        at=at,
        data={"issue": record.id, "slug": record.slug, "url": urls.issue(record.slug)},
    )


def _make(
    source: str,
    line: LedgerLine | ConsentLine,
    kind: EventKind,
    data: dict[str, Any],
    subscriber: int | None = None,
) -> Event:
    name = _name(source, str(line.id), line.at)
    return Event(ref=name, kind=kind, at=line.at, data=data, subscriber=subscriber)


def _name(source: str, id: str, at: datetime) -> str:
    """A line's number is used anew where a backup was restored; its moment hardly is as well."""
    return f"evt_{sha256(f'{source} {id} {at.isoformat()}'.encode()).hexdigest()[:24]}"


class Published:
    """The issues that are published, read anew where the register has changed.

    `changed_at` is when that was: a record tells an issue's own date alone.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._seen: tuple[int, int, int] | None = None
        self._records: dict[str, Record] = {}
        self.changed_at = datetime.now(UTC)

    def find(self) -> dict[str, Record]:
        """Those that are out, by their ids; the same as before while the site is not really."""
        if is_after_build_owed(self._settings, self._folder):
            return self._records
        try:
            info = (self._folder / PATH).stat()
        except OSError:
            return {}
        signature = (info.st_mtime_ns, info.st_size, info.st_ino)
        if signature != self._seen:
            self._records = find_issues(self._folder)
            self.changed_at = datetime.fromtimestamp(info.st_mtime, UTC)
            self._seen = signature
        return self._records


def find_issues(folder: Path) -> dict[str, Record]:
    """The issues that the register has, by their ids, but for those that were withdrawn."""
    records = read_register(folder)[0].records.values()
    issues = sorted(records, key=lambda each: (each.published, each.id))
    return {each.id: each for each in issues if each.kind == "issue" and not each.withdrawn}


class Collecting:
    """Brings what happened since it was read last into one webhook's queue."""

    def __init__(
        self,
        database: Database,
        published: Published,
        urls: Urls,
        kinds: Collection[str],
        clock: Callable[[], datetime],
    ) -> None:
        self.database = database
        self.published = published
        self.urls = urls
        self.kinds = kinds
        self.clock = clock

    def collect(self, url: str) -> bool:
        """Read the next part of the records; True where there may be more of them."""
        with self.database.read() as connection:
            following = find_following(connection, self.database.publication, url)
            if following is None:
                return False
            of_ledger, ledger = find_ledger_lines(
                connection, self.database.publication, following.ledger
            )
            of_consents, consent = find_consent_lines(
                connection, self.database.publication, following.consent
            )
        records = self.published.find()
        known = set(msgspec.json.decode(following.issues, type=list[str]))
        new = [record for id, record in records.items() if id not in known]
        issues = write_issues(known | records.keys()) if new else following.issues
        after = msgspec.structs.replace(following, ledger=ledger, consent=consent, issues=issues)
        if after == following:
            return False
        found = self._read(of_ledger, of_consents, new)
        wanted = sorted((each for each in found if each.kind in self.kinds), key=lambda e: e.at)
        with self.database.write() as connection:
            put(connection, self.database.publication, after, wanted, self.clock())
        return True

    def _read(
        self, of_ledger: list[LedgerLine], of_consents: list[ConsentLine], records: list[Record]
    ) -> Iterator[Event]:
        for line in of_ledger:
            if event := read_ledger_line(line):
                yield event
        yield from map(read_consent_line, of_consents)
        for record in records:
            yield read_record(record, self.urls, self.published.changed_at)
