"""The tables of what is left of mailings whose deliveries were folded; `schema` has all tables."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text, UniqueConstraint

from publisher.store.columns import Id, Moment, table

# That a mailing's deliveries were folded into totals, or are being folded: `ended_at` is when that
# was over last. What it says of time is of those that are folded: when the first and the last of
# them were tried first, how many were tried at all, and how many more than once. `turned` is how
# long it took until the last reader's turn had come, in milliseconds.
mailing_fold = table(
    "mailing_fold",
    Column("mailing", Id, ForeignKey("mailing.id"), nullable=False, unique=True),
    Column("begun_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("first_at", Moment),
    Column("last_at", Moment),
    Column("tried", Integer, nullable=False, server_default="0"),
    Column("deferred", Integer, nullable=False, server_default="0"),
    Column("turned", BigInteger),
)

# How many of a mailing's deliveries that are no more had a status, of each revision and variant;
# and how often what of the ledger's came back about them (of revision and variant 0).
mailing_total = table(
    "mailing_total",
    Column("mailing", Id, ForeignKey("mailing.id"), nullable=False),
    Column("word", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("variant", Integer, nullable=False, server_default="0"),
    Column("number", Integer, nullable=False),
    UniqueConstraint("mailing", "word", "revision", "variant"),
)
