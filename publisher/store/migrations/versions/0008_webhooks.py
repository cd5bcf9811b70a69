"""Webhooks, and what they are to be told; an index of what failed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SETTLED = sa.text("settled_at IS NOT NULL")
_FAILED = sa.text("event IN ('failed', 'expired', 'parked')")


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("ledger", _ID, nullable=False),
        sa.Column("consent", _ID, nullable=False),
        sa.Column("issues", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("wait_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("webhook_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_pkey")),
        sa.UniqueConstraint("publication", "url", name=op.f("webhook_publication_url_key")),
        sqlite_autoincrement=True,
    )
    _create_events()
    op.create_index(
        "ledger_failed",
        "ledger",
        ["publication", "at"],
        sqlite_where=_FAILED,
        postgresql_where=_FAILED,
    )


def _create_events() -> None:
    op.create_table(
        "webhook_event",
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        sa.Column("webhook", _ID, nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("subscriber", _ID, nullable=True),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("fault", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("webhook_event_publication_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["webhook"],
            ["webhook.id"],
            name=op.f("webhook_event_webhook_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscriber"],
            ["subscriber.id"],
            name=op.f("webhook_event_subscriber_fkey"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_event_pkey")),
        sa.UniqueConstraint("webhook", "ref", name=op.f("webhook_event_webhook_ref_key")),
        sa.CheckConstraint(
            "status IN ('queued', 'told', 'given_up')", name=op.f("webhook_event_status")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("webhook_event_subscriber"), "webhook_event", ["subscriber"])
    op.create_index("webhook_event_by_status", "webhook_event", ["webhook", "status", "id"])
    op.create_index(
        "webhook_event_settled",
        "webhook_event",
        ["settled_at"],
        sqlite_where=_SETTLED,
        postgresql_where=_SETTLED,
    )
