"""The table of contents that mailings have besides their first; `schema` has all tables."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Text, UniqueConstraint

from publisher.store.columns import Id, Moment, table

# What a mailing's deliveries are sent with, where it is not what the mailing began with: that one,
# revision 0 and variant 0, is `mailing.content`. `version` is that of the text in it.
mailing_content = table(
    "mailing_content",
    Column("mailing", Id, ForeignKey("mailing.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("variant", Integer, nullable=False, server_default="0"),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("mailing", "revision", "variant"),
)
