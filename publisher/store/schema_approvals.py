"""The table of approvals, as `schema` has it with the others."""

from sqlalchemy import Column, ForeignKey, Index, Text, UniqueConstraint

from publisher.store.columns import Id, Moment, table

# Who approved which content: it names a digest, so that any change of the content leaves it behind.
# `who` is as in the audit log.
approval = table(
    "approval",
    Column("issue", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("operator", Id, ForeignKey("operator.id"), nullable=False, index=True),
    Column("who", Text, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("publication", "issue", "digest", "operator"),
)
Index("approval_by_issue", approval.c.publication, approval.c.issue, approval.c.id)
