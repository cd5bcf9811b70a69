"""The tables of how many read the feeds; `schema` has all tables."""

from sqlalchemy import Column, Integer, LargeBinary, Text, UniqueConstraint

from publisher.store.columns import table as _table

# How many read the feeds. A day, as the publication has it, is open while its salt is here.
reading_day = _table(
    "reading_day",
    Column("day", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    UniqueConstraint("publication", "day"),
)

# Who fetched a feed on an open day, by a hash that is worth nothing without the day's salt.
reading_client = _table(
    "reading_client",
    Column("day", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("publication", "day", "feed", "hash"),
)

# How many they were on days that are over; without a feed's name, of any feed.
reading_count = _table(
    "reading_count",
    Column("day", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("clients", Integer, nullable=False),
    UniqueConstraint("publication", "day", "feed"),
)

# How many read a feed by an aggregator, as that said last.
reading_report = _table(
    "reading_report",
    Column("feed", Text, nullable=False),
    Column("aggregator", Text, nullable=False),
    Column("feed_id", Text, nullable=False),
    Column("subscribers", Integer, nullable=False),
    Column("is_known", Integer, nullable=False),
    Column("seen_on", Text, nullable=False),
    UniqueConstraint("publication", "feed", "aggregator", "feed_id"),
)
