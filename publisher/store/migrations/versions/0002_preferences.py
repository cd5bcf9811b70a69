"""What readers choose for themselves, and wishes that outlive the process that took them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PURPOSES = "purpose IN ('issue', 'confirmation', 'preferences', 'address', 'welcome', 'notice', 'alert', 'test')"


def upgrade() -> None:
    with op.batch_alter_table("subscriber", recreate="never") as batch:
        batch.add_column(sa.Column("language", sa.Text(), server_default="", nullable=False))
        batch.add_column(sa.Column("paused_until", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("links_ended_at", sa.BigInteger(), nullable=True))
    # SQLite changes what a column may hold by making the table anew.
    with op.batch_alter_table("mailing", copy_from=_mailing(), recreate="auto") as batch:
        batch.drop_constraint(op.f("mailing_purpose"), type_="check")
        batch.create_check_constraint(op.f("mailing_purpose"), sa.text(_PURPOSES))
    op.create_table(
        "wish",
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subscriber", _ID, nullable=True),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), server_default="", nullable=False),
        sa.Column("client", sa.Text(), server_default="", nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('subscribe', 'preferences', 'address', 'welcome')", name=op.f("wish_kind")
        ),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("wish_publication_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber"], ["subscriber.id"], name=op.f("wish_subscriber_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("wish_pkey")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("wish_subscriber"), "wish", ["subscriber"])


def _mailing() -> sa.Table:
    """The table as 0001 made it: SQLite tells too little of its constraints."""
    return sa.Table(
        "mailing",
        sa.MetaData(),
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
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
        sa.CheckConstraint("purpose", name="mailing_purpose"),
        sa.CheckConstraint(
            "status IN ('sending', 'paused', 'cancelled', 'finished')", name="mailing_status"
        ),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name="mailing_publication_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="mailing_pkey"),
        sa.UniqueConstraint(
            "publication", "issue", "purpose", name="mailing_publication_issue_purpose_key"
        ),
        sa.UniqueConstraint("ref", name="mailing_ref_key"),
        sa.Index(
            "mailing_active",
            "status",
            sqlite_where=sa.text("status IN ('sending', 'paused')"),
            postgresql_where=sa.text("status IN ('sending', 'paused')"),
        ),
        sqlite_autoincrement=True,
    )
