"""The tables of those who read, as `schema` has them with the others."""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)

from publisher.store.columns import Id, Moment, one_of, table

# `address_hash` is a keyed hash of the address, by which the same one is recognised in another
# spelling, and after it was erased. `language` is empty where it is the publication's; who has
# paused gets no issue until then. Links to preferences made until `links_ended_at` have ended.
# `tags` are the slugs of chosen ones, sorted, with blanks between; none is everything.
# Who wanted one message a week until `weekly_until` still gets what they had to wait for.
subscriber = table(
    "subscriber",
    Column("ref", Text, nullable=False, unique=True),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("address_hash", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    Column("soft_bounces", Integer, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("language", Text, nullable=False, server_default=""),
    Column("paused_until", Moment),
    Column("links_ended_at", Moment),
    Column("content", Text, nullable=False, server_default="full"),
    Column("tags", Text, nullable=False, server_default=""),
    Column("frequency", Text, nullable=False, server_default="daily"),
    Column("weekly_until", Moment),
    UniqueConstraint("publication", "address_hash"),
    one_of("status", "unconfirmed", "confirmed", "unsubscribed"),
    one_of("content", "full", "headlines"),
    one_of("frequency", "daily", "weekly"),
)
Index("subscriber_by_status", subscriber.c.publication, subscriber.c.status, subscriber.c.id)
# Those who chose anything, which may be few.
CHOSE = text("(content <> 'full' OR tags <> '' OR frequency <> 'daily')")
Index(
    "subscriber_who_chose",
    *(subscriber.c.publication, subscriber.c.content, subscriber.c.tags),
    sqlite_where=CHOSE,
    postgresql_where=CHOSE,
)

_HAS_PAUSED = text("paused_until IS NOT NULL")
Index(
    "subscriber_who_paused",
    *(subscriber.c.publication, subscriber.c.id),
    sqlite_where=_HAS_PAUSED,
    postgresql_where=_HAS_PAUSED,
)

# A subscription's record: rows are only added, and go with the subscriber.
consent = table(
    "consent",
    Column(
        "subscriber",
        Id,
        ForeignKey("subscriber.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("at", Moment, nullable=False),
    Column("action", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("origin", Text, nullable=False, server_default=""),
    one_of("action", "asked", "confirmed", "vouched", "unsubscribed"),
)
Index("consent_by_time", consent.c.publication, consent.c.at)

suppression = table(
    "suppression",
    Column("address_hash", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("publication", "address_hash"),
    one_of("reason", "bounce", "complaint", "erased", "operator"),
)
