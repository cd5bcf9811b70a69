"""The tables, for SQLite and PostgreSQL: what the database itself holds to be true.

Times are whole milliseconds since 1970 in UTC. Each table of readers, mailings and schedules
names its publication. A change here needs a migration in `migrations/versions`; a test compares.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def from_milliseconds(number: int) -> datetime:
    return _EPOCH + number * _MILLISECOND


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept as milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_milliseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else from_milliseconds(value)


# SQLite counts rows by INTEGER alone; PostgreSQL would run out of those.
_Id = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def _table(name: str, *columns: Any) -> Table:
    """A table of a publication's, whose ids are never used again."""
    return Table(
        name,
        metadata,
        Column("id", _Id, primary_key=True),
        Column("publication", _Id, ForeignKey("publication.id"), nullable=False),
        *columns,
        sqlite_autoincrement=True,
    )


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


# What concerns the database as a whole: its keys, and whether it may send.
installation = Table(
    "installation",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

publication = Table(
    "publication",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("uri", Text, nullable=False, unique=True),
)

# `address_hash` is a keyed hash of the address, by which the same one is recognised in another
# spelling, and after it was erased.
subscriber = _table(
    "subscriber",
    Column("ref", Text, nullable=False, unique=True),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("address_hash", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    Column("soft_bounces", Integer, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("publication", "address_hash"),
    _one_of("status", "unconfirmed", "confirmed", "unsubscribed"),
)
Index("subscriber_by_status", subscriber.c.publication, subscriber.c.status, subscriber.c.id)

# A subscription's record: rows are only added, and go with the subscriber.
consent = _table(
    "consent",
    Column(
        "subscriber",
        _Id,
        ForeignKey("subscriber.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("at", Moment, nullable=False),
    Column("action", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("origin", Text, nullable=False, server_default=""),
    _one_of("action", "asked", "confirmed", "vouched", "unsubscribed"),
)

suppression = _table(
    "suppression",
    Column("address_hash", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("publication", "address_hash"),
    _one_of("reason", "bounce", "complaint", "erased", "operator"),
)

# What was asked for over HTTP in the last day, so that nobody can be mailed over and over.
request = _table(
    "request",
    Column("kind", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
)
Index("request_by_hash", request.c.publication, request.c.kind, request.c.hash, request.c.at)

# One for each publication, issue and purpose. A single message's `issue` is a word of its own.
mailing = _table(
    "mailing",
    Column("ref", Text, nullable=False, unique=True),
    Column("issue", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("digest", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("domain", Text, nullable=False),
    Column("recipients", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    UniqueConstraint("publication", "issue", "purpose"),
    _one_of("purpose", "issue", "confirmation", "notice", "alert", "test"),
    _one_of("status", "sending", "paused", "cancelled", "finished"),
)
Index(
    "mailing_active",
    mailing.c.status,
    sqlite_where=text("status IN ('sending', 'paused')"),
    postgresql_where=text("status IN ('sending', 'paused')"),
)

# One for each mailing and subscriber. `address` is for those that go to no subscriber. `attempts`
# counts what concerned the recipient; `first_attempt_at` is when giving up is counted from.
delivery = _table(
    "delivery",
    Column("mailing", _Id, ForeignKey("mailing.id"), nullable=False),
    Column("subscriber", _Id, ForeignKey("subscriber.id", ondelete="SET NULL"), index=True),
    Column("address", Text),
    Column("status", Text, nullable=False, server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("doubts", Integer, nullable=False, server_default="0"),
    Column("breaks", Integer, nullable=False, server_default="0"),
    Column("first_attempt_at", Moment),
    Column("next_attempt_at", Moment),
    Column("last_reply", Text),
    Column("relay_id", Text),
    UniqueConstraint("mailing", "subscriber"),
    _one_of(
        "status",
        *("queued", "sending", "deferred", "sent", "failed", "in_doubt", "suppressed", "cancelled"),
    ),
)
# All but what was sent, which is most of it, and is counted as what remains.
_NOT_SENT = text("status <> 'sent'")
Index(
    "delivery_not_sent",
    delivery.c.mailing,
    delivery.c.status,
    delivery.c.next_attempt_at,
    delivery.c.id,
    sqlite_where=_NOT_SENT,
    postgresql_where=_NOT_SENT,
)

# The record of what was done with deliveries: a line for each change of their status but the intent
# itself, for what came back later, and for what operators did to mailings. Rows are only added.
ledger = _table(
    "ledger",
    Column("mailing", _Id, ForeignKey("mailing.id"), nullable=False),
    Column("delivery", _Id),
    Column("at", Moment, nullable=False),
    Column("event", Text, nullable=False),
    Column("attempt", Integer),
    Column("stage", Text),
    Column("reply", Text),
    Column("relay_id", Text),
)
Index("ledger_of_delivery", ledger.c.delivery)
_HAS_RELAY_ID = text("relay_id IS NOT NULL")
Index(
    "ledger_by_relay_id",
    ledger.c.relay_id,
    sqlite_where=_HAS_RELAY_ID,
    postgresql_where=_HAS_RELAY_ID,
)

# Complaints and unsubscribe mails that were read, by a hash of what tells each from others.
report = _table(
    "report",
    Column("hash", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("publication", "hash"),
)

# When a schedule was first seen: before that nothing was missed.
schedule = _table(
    "schedule",
    Column("name", Text, nullable=False),
    Column("cron", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("first_seen_at", Moment, nullable=False),
    UniqueConstraint("publication", "name"),
)

# One for each schedule and due time on the wall clock, as `2025-12-15T06:30`.
occurrence = _table(
    "occurrence",
    Column("schedule", Text, nullable=False),
    Column("wall", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("status", Text, nullable=False),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("issue", Text),
    Column("slug", Text),
    Column("mailing", _Id, ForeignKey("mailing.id")),
    Column("ran_at", Moment),
    UniqueConstraint("publication", "schedule", "wall"),
    _one_of("status", "open", "fired", "missed", "superseded"),
)

# Issues that a schedule passed over for a newer one: only an operator sends them.
superseded = _table(
    "superseded",
    Column("issue", Text, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("publication", "issue"),
)

# What an operator was told, so that it is told once.
alert = _table(
    "alert",
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("cleared_at", Moment),
    UniqueConstraint("publication", "kind", "about"),
)
