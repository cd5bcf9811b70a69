"""The tables of a mailing's variants, as `schema` has them with the others."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Text, UniqueConstraint

from publisher.store.columns import Id, one_of, table

# Which variant the readers of a mailing get, by their choices when it started; `content` and
# `tags` are as in the subscriber. `held` has a bit for each issue of a week's mailing that a reader
# has by another one, the first for the first of mailing_issue.
mailing_choice = table(
    "mailing_choice",
    Column("mailing", Id, ForeignKey("mailing.id"), nullable=False),
    Column("content", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("held", BigInteger, nullable=False, server_default="0"),
    Column("variant", Integer, nullable=False),
    UniqueConstraint("mailing", "content", "tags", "held"),
    one_of("content", "full", "headlines"),
)

# The issues that a week's mailing consists of, in their order; `version` is that of the text which
# a revision of it has.
mailing_issue = table(
    "mailing_issue",
    Column("mailing", Id, ForeignKey("mailing.id"), nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("issue", Text, nullable=False),
    Column("version", Text, nullable=False),
    UniqueConstraint("mailing", "revision", "issue"),
)
Index("mailing_issue_by_issue", mailing_issue.c.publication, mailing_issue.c.issue)
