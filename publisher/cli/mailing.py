"""What the commands about mailings have in common: which one is meant, and how it is shown."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from publisher.errors import PublisherError
from publisher.model.delivery import Counts, Mailing
from publisher.site.issue_files import find_issue, require_issue, slug_of
from publisher.site.reading import read_named
from publisher.store.database import Database
from publisher.store.mailings import count_deliveries, find_mailing, find_mailing_by_slug

# What follows the number of deliveries in each status, where there are any.
_WORDS = {
    "sent": "sent",
    "queued": "queued",
    "sending": "being sent",
    "deferred": "deferred",
    "failed": "failed",
    "in_doubt": "in doubt",
    "suppressed": "not sent, as their readers left first",
    "cancelled": "cancelled",
}


def find_meant(folder: Path, database: Database, name: str) -> Mailing | None:
    """The mailing of the issue NAME, by the id in its file; by its NAME then, where that is gone.

    Raises PublisherError where there is no such issue at all.
    """
    slug = slug_of(name)
    with database.read() as connection:
        if find_issue(folder, slug) is None:
            mailing = find_mailing_by_slug(connection, database.publication, slug)
            if mailing is None:
                require_issue(folder, name)  # says which there are
            return mailing
        issue = read_named(folder, require_issue(folder, name), ZoneInfo("UTC")).issue
        if issue is None or not issue.id:
            return find_mailing_by_slug(connection, database.publication, slug)
        return find_mailing(connection, database.publication, issue.id)


def require_meant(folder: Path, database: Database, name: str) -> Mailing:
    """The mailing of the issue NAME; PublisherError where there is none."""
    mailing = find_meant(folder, database, name)
    if mailing is None:
        raise PublisherError(f"{slug_of(name)} was never sent: there is no mailing of it")
    return mailing


def describe(database: Database, mailing: Mailing | None, slug: str) -> dict[str, Any]:
    """A mailing as programs read it; of an issue without one everything is null or 0."""
    if mailing is None:
        return _document(slug, None, Counts())
    with database.read() as connection:
        return _document(slug, mailing, count_deliveries(connection, mailing))


def _document(slug: str, mailing: Mailing | None, counts: Counts) -> dict[str, Any]:
    return {
        "issue": slug,
        "mailing": mailing.ref if mailing else None,
        "status": mailing.status if mailing else None,
        "digest": mailing.digest if mailing else None,
        "counts": counts,
    }


def say_counts(counts: Counts) -> str:
    """The counts that are not zero: `998 sent, 2 deferred`."""
    shown = [
        f"{number:,} {words}"
        for status, words in _WORDS.items()
        if (number := getattr(counts, status))
    ]
    return ", ".join(shown) or "nobody to send to"


def say_mailing(mailing: Mailing, counts: Counts) -> str:
    """One line about a mailing."""
    why = f" ({mailing.reason})" if mailing.reason else ""
    return f"{mailing.slug}: {mailing.status}{why}; {say_counts(counts)}"
