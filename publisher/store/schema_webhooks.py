"""The tables of whom events are told; `schema` has all tables."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Text, UniqueConstraint, text

from publisher.store.columns import Id, Moment, one_of, table

# A webhook that is told what happens: `ledger` and `consent` say up to where the records were read
# for it, `issues` is a JSON list of the published ones that it knows of. After a failure that is
# not one event's own, all wait.
webhook = table(
    "webhook",
    Column("url", Text, nullable=False),
    Column("ledger", Id, nullable=False),
    Column("consent", Id, nullable=False),
    Column("issues", Text, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("wait_until", Moment),
    UniqueConstraint("publication", "url"),
)

# What a webhook is to be told, in this order; `data` is a JSON object without anybody's address.
webhook_event = table(
    "webhook_event",
    Column("webhook", Id, ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
    Column("ref", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("data", Text, nullable=False),
    Column("subscriber", Id, ForeignKey("subscriber.id", ondelete="SET NULL"), index=True),
    Column("status", Text, nullable=False, server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("queued_at", Moment, nullable=False),
    Column("next_at", Moment),
    Column("settled_at", Moment),
    Column("fault", Text, nullable=False, server_default=""),
    UniqueConstraint("webhook", "ref"),
    one_of("status", "queued", "told", "given_up"),
)
Index(
    "webhook_event_by_status", webhook_event.c.webhook, webhook_event.c.status, webhook_event.c.id
)
_SETTLED = text("settled_at IS NOT NULL")
Index(
    "webhook_event_settled",
    webhook_event.c.settled_at,
    sqlite_where=_SETTLED,
    postgresql_where=_SETTLED,
)
