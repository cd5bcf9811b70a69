"""Which mailing is meant, and how one and its deliveries are shown to programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from publisher.audience.address import AddressError, address_hash, parse_address
from publisher.errors import PublisherError
from publisher.message.ids import message_id
from publisher.model.delivery import Counts, Mailing
from publisher.site.issue_files import find_issue, require_issue, slug_of
from publisher.site.reading import read_named
from publisher.store.contents import Revision, list_revisions
from publisher.store.corrections import list_corrections
from publisher.store.database import Database
from publisher.store.histories import Recorded
from publisher.store.keys import find_key
from publisher.store.mailings import (
    count_deliveries,
    find_mailing,
    find_mailing_by_slug,
    get_domain,
)
from publisher.store.subscribers import find_by_hash


def find_meant(folder: Path, database: Database, name: str) -> Mailing | None:
    """The mailing of the issue NAME, by the id in its file; by its NAME then, where that is gone.

    NAME@VERSION is a correction of it, by the beginning of the version that it leads to. Raises
    PublisherError where there is no such issue at all.
    """
    name, is_correction, version = name.partition("@")
    mailing = _find_issues(folder, database, name)
    if not is_correction or mailing is None:
        return mailing
    with database.read() as connection:
        found = [
            each
            for each in list_corrections(connection, database.publication, mailing.issue)
            if each.name.rpartition("@")[2].startswith(version)
        ]
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        raise PublisherError(f"{slug_of(name)} has several corrections: say one of {names}")
    return found[0] if found else None


def _find_issues(folder: Path, database: Database, name: str) -> Mailing | None:
    slug = slug_of(name)
    with database.read() as connection:
        if find_issue(folder, slug) is None:
            mailing = find_mailing_by_slug(connection, database.publication, slug)
            if mailing is None:
                require_issue(folder, name)  # says which there are
            return mailing
        issue = read_named(folder, require_issue(folder, name), ZoneInfo("UTC")).issue
        id = issue.id if issue is not None else ""
        return find_mailing_of_issue(connection, database.publication, slug, id)


def find_mailing_of_issue(
    connection: Connection, publication: int, slug: str, issue: str
) -> Mailing | None:
    """The mailing of an issue by its id; by its NAME, where its file has none."""
    if not issue:
        return find_mailing_by_slug(connection, publication, slug)
    return find_mailing(connection, publication, issue)


def require_meant(folder: Path, database: Database, name: str) -> Mailing:
    """The mailing of the issue NAME; PublisherError where there is none."""
    mailing = find_meant(folder, database, name)
    if mailing is None:
        raise PublisherError(f"{slug_of(name)} was never sent: there is no mailing of it")
    return mailing


def describe(database: Database, mailing: Mailing | None, slug: str) -> dict[str, Any]:
    """A mailing as programs read it; of an issue without one everything is null or 0."""
    if mailing is None:
        return document(slug, None, Counts())
    with database.read() as connection:
        return document(slug, mailing, count_deliveries(connection, mailing))


def document(slug: str, mailing: Mailing | None, counts: Counts) -> dict[str, Any]:
    found: dict[str, Any] = {
        "issue": slug.partition("@")[0],
        "mailing": mailing.ref if mailing else None,
        "status": mailing.status if mailing else None,
        "digest": mailing.digest if mailing else None,
        "counts": counts,
    }
    if mailing and mailing.purpose == "correction":
        found["correction"] = mailing.name
    if mailing and mailing.folded_at:  # these are totals, and there are no deliveries to list
        found["folded"] = mailing.folded_at.isoformat(timespec="seconds")
    return found


class Past(msgspec.Struct, frozen=True):
    """What a mailing was sent with, and the mailings that correct it."""

    revisions: Sequence[Revision]
    corrections: Sequence[Mailing]


def read_past(database: Database, mailing: Mailing) -> Past:
    with database.read() as connection:
        revisions = list_revisions(connection, mailing)
        corrections = list_corrections(connection, database.publication, mailing.issue)
    return Past(revisions, corrections)


def describe_past(database: Database, mailing: Mailing) -> dict[str, Any]:
    """A mailing with its past as programs read it."""
    past = read_past(database, mailing)
    return describe(database, mailing, mailing.slug) | {
        "revisions": [_describe_revision(each) for each in past.revisions],
        "corrections": [describe(database, each, each.slug) for each in past.corrections],
    }


def _describe_revision(each: Revision) -> dict[str, Any]:
    return {
        "revision": each.revision,
        "version": each.version or None,
        "digest": each.digest,
        "at": each.at.isoformat(timespec="seconds"),
        "sent": each.sent,
    }


def find_reader(connection: Connection, publication: int, email: str) -> int:
    """The subscriber with an address, by id. Raises PublisherError where there is none."""
    try:
        key = parse_address(email).key
    except AddressError as error:
        raise PublisherError(f"{email[:100]!r} is no address: {error}") from None
    secret = find_key(connection, "address-key")
    hashed = address_hash(key, secret) if secret else b""
    subscriber = find_by_hash(connection, publication, hashed)
    if subscriber is None:
        raise PublisherError(f"there is no subscriber {email}")
    return subscriber.id


class Naming(msgspec.Struct, frozen=True):
    """What a mailing's Message-IDs are made of; without a key nothing was sent yet."""

    ref: str
    domain: str
    key: bytes | None


def read_naming(connection: Connection, mailing: Mailing) -> Naming:
    key = find_key(connection, "message-key")
    return Naming(mailing.ref, get_domain(connection, mailing.id), key)


def describe_delivery(row: Recorded, naming: Naming) -> dict[str, Any]:
    """A delivery as programs read it."""
    due, key = row.next_attempt_at, naming.key
    return {
        "email": row.email,
        "status": row.status,
        "attempts": row.attempts,
        "message_id": message_id(naming.ref, row.id, key, naming.domain) if key else None,
        "last_reply": row.last_reply or None,
        "next_attempt_at": due.isoformat(timespec="seconds") if due else None,
        "relay": row.relay,
        "content": row.what.form,
        "highlights": list(row.what.highlights) or None,
    }
