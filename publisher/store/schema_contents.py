"""The table of contents that mailings have besides their first; `schema` has all tables."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Text, UniqueConstraint

from publisher.store.columns import Id, Moment, one_of, table

# What a mailing's deliveries are sent with, where it is not what the mailing began with: that one,
# revision 0 and variant 0, is `mailing.content`. `version` is that of the text in it. A
# variant above 0 has `highlights` alone, their ids with blanks between, in a form; or all, where it
# names none. One that a revision has no row of has nothing left in it.
mailing_content = table(
    "mailing_content",
    Column("mailing", Id, ForeignKey("mailing.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("variant", Integer, nullable=False, server_default="0"),
    Column("form", Text, nullable=False, server_default="full"),
    Column("highlights", Text, nullable=False, server_default=""),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("mailing", "revision", "variant"),
    one_of("form", "full", "headlines"),
)
