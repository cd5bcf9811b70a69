"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("installation_pkey")),
    )
    op.create_table(
        "publication",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("publication_pkey")),
        sa.UniqueConstraint("uri", name=op.f("publication_uri_key")),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("alert_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("alert_pkey")),
        sa.UniqueConstraint(
            "publication", "kind", "about", name=op.f("alert_publication_kind_about_key")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "mailing",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('issue', 'confirmation', 'notice', 'alert', 'test')",
            name=op.f("mailing_purpose"),
        ),
        sa.CheckConstraint(
            "status IN ('sending', 'paused', 'cancelled', 'finished')", name=op.f("mailing_status")
        ),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("mailing_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("mailing_pkey")),
        sa.UniqueConstraint(
            "publication", "issue", "purpose", name=op.f("mailing_publication_issue_purpose_key")
        ),
        sa.UniqueConstraint("ref", name=op.f("mailing_ref_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("mailing", schema=None) as batch_op:
        batch_op.create_index(
            "mailing_active",
            ["status"],
            unique=False,
            sqlite_where=sa.text("status IN ('sending', 'paused')"),
            postgresql_where=sa.text("status IN ('sending', 'paused')"),
        )

    op.create_table(
        "report",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("report_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("report_pkey")),
        sa.UniqueConstraint("publication", "hash", name=op.f("report_publication_hash_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("request_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("request_pkey")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.create_index(
            "request_by_hash", ["publication", "kind", "hash", "at"], unique=False
        )

    op.create_table(
        "schedule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("schedule_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("schedule_pkey")),
        sa.UniqueConstraint("publication", "name", name=op.f("schedule_publication_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "subscriber",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("soft_bounces", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "status IN ('unconfirmed', 'confirmed', 'unsubscribed')", name=op.f("subscriber_status")
        ),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("subscriber_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("subscriber_pkey")),
        sa.UniqueConstraint(
            "publication", "address_hash", name=op.f("subscriber_publication_address_hash_key")
        ),
        sa.UniqueConstraint("ref", name=op.f("subscriber_ref_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("subscriber", schema=None) as batch_op:
        batch_op.create_index("subscriber_by_status", ["publication", "status", "id"], unique=False)

    op.create_table(
        "superseded",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("superseded_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("superseded_pkey")),
        sa.UniqueConstraint("publication", "issue", name=op.f("superseded_publication_issue_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "suppression",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('bounce', 'complaint', 'erased', 'operator')",
            name=op.f("suppression_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("suppression_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("suppression_pkey")),
        sa.UniqueConstraint(
            "publication", "address_hash", name=op.f("suppression_publication_address_hash_key")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "subscriber", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "action IN ('asked', 'confirmed', 'vouched', 'unsubscribed')",
            name=op.f("consent_action"),
        ),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("consent_publication_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber"],
            ["subscriber.id"],
            name=op.f("consent_subscriber_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("consent_pkey")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("consent_subscriber"), ["subscriber"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("mailing", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "subscriber", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("doubts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("breaks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("last_reply", sa.Text(), nullable=True),
        sa.Column("relay_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'sending', 'deferred', 'sent', 'failed', 'in_doubt', 'suppressed', 'cancelled')",
            name=op.f("delivery_status"),
        ),
        sa.ForeignKeyConstraint(["mailing"], ["mailing.id"], name=op.f("delivery_mailing_fkey")),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("delivery_publication_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber"],
            ["subscriber.id"],
            name=op.f("delivery_subscriber_fkey"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("delivery_pkey")),
        sa.UniqueConstraint("mailing", "subscriber", name=op.f("delivery_mailing_subscriber_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "delivery_not_sent",
            ["mailing", "status", "next_attempt_at", "id"],
            unique=False,
            sqlite_where=sa.text("status <> 'sent'"),
            postgresql_where=sa.text("status <> 'sent'"),
        )
        batch_op.create_index(batch_op.f("delivery_subscriber"), ["subscriber"], unique=False)

    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("mailing", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delivery", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("relay_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["mailing"], ["mailing.id"], name=op.f("ledger_mailing_fkey")),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("ledger_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("ledger_pkey")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(
            "ledger_by_relay_id",
            ["relay_id"],
            unique=False,
            sqlite_where=sa.text("relay_id IS NOT NULL"),
            postgresql_where=sa.text("relay_id IS NOT NULL"),
        )
        batch_op.create_index("ledger_of_delivery", ["delivery"], unique=False)

    op.create_table(
        "occurrence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "publication", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("wall", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("issue", sa.Text(), nullable=True),
        sa.Column("slug", sa.Text(), nullable=True),
        sa.Column("mailing", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ran_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "status IN ('open', 'fired', 'missed', 'superseded')", name=op.f("occurrence_status")
        ),
        sa.ForeignKeyConstraint(["mailing"], ["mailing.id"], name=op.f("occurrence_mailing_fkey")),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("occurrence_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("occurrence_pkey")),
        sa.UniqueConstraint(
            "publication", "schedule", "wall", name=op.f("occurrence_publication_schedule_wall_key")
        ),
        sqlite_autoincrement=True,
    )
