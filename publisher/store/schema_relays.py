"""The tables of relays, as `schema` has them with the others."""

from sqlalchemy import Column, Integer, Text, UniqueConstraint

from publisher.store.columns import Moment, table

# How each relay stood when that changed last: failures in a row, what was said, and until when it
# is left alone. Who delivers writes it, for others to see. A relay that has no name in the settings
# is the only one, and has none here.
relay = table(
    "relay",
    Column("name", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("fault", Text, nullable=False),
    Column("until", Moment),
    Column("is_refused", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("publication", "name"),
)

# What went over each relay on each day of the publication's own time, as `2025-12-15`. `taken` is
# what was claimed of an allowance and not given back, before it is sent, so that several processes
# share one; `sent` is what the relay took, doubts included.
relay_day = table(
    "relay_day",
    Column("relay", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("taken", Integer, nullable=False, server_default="0"),
    Column("sent", Integer, nullable=False, server_default="0"),
    UniqueConstraint("publication", "relay", "day"),
)
