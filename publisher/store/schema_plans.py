"""The table of planned sends, as `schema` has it with the others."""

from sqlalchemy import Column, ForeignKey, Index, Text, text

from publisher.store.columns import Id, Moment, one_of, table

# Sends that an operator approved, of this content and no other, each with its end. `who` and
# `client` are as in the audit log.
planned_send = table(
    "planned_send",
    Column("issue", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("planned_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("closed_by", Text, nullable=False, server_default=""),
    Column("closed_at", Moment),
    Column("mailing", Id, ForeignKey("mailing.id")),
    one_of("status", "waiting", "started", "taken_back", "refused", "overtaken"),
)
_PLAN = planned_send.c
Index("planned_send_by_issue", _PLAN.publication, _PLAN.issue, _PLAN.id)
_WAITING = text("status = 'waiting'")
Index(
    "planned_send_waiting",
    _PLAN.publication,
    _PLAN.issue,
    unique=True,
    sqlite_where=_WAITING,
    postgresql_where=_WAITING,
)
