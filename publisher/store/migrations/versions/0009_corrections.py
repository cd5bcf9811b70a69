"""Corrections: what running mailings are revised to, and mailings of their own about others."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PURPOSES = "purpose IN ('issue', 'correction', 'confirmation', 'preferences', 'address', 'welcome', 'notice', 'alert', 'test')"
_ACTIVE = sa.text("status IN ('sending', 'paused')")
_OF_ISSUES = sa.text("purpose = 'issue'")
_OF_CORRECTIONS = sa.text("purpose = 'correction'")


def upgrade() -> None:
    # SQLite changes what a column may hold by making the table anew; and what stands behind the
    # content is found by reading that.
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    place = "digest" if is_sqlite else None
    version = sa.Column("version", sa.Text(), server_default="", nullable=False)
    newest = sa.Column("revision", sa.Integer(), server_default="0", nullable=False)
    with op.batch_alter_table(
        "mailing", copy_from=_mailing(), recreate="always" if is_sqlite else "never"
    ) as batch:
        batch.add_column(version, insert_before=place)
        batch.add_column(newest, insert_before=place)
        batch.drop_constraint(op.f("mailing_purpose"), type_="check")
        batch.create_check_constraint(op.f("mailing_purpose"), sa.text(_PURPOSES))
    op.create_index(
        "mailing_of_corrections",
        "mailing",
        ["publication", "id"],
        sqlite_where=_OF_CORRECTIONS,
        postgresql_where=_OF_CORRECTIONS,
    )
    with op.batch_alter_table("delivery", recreate="never") as batch:
        batch.add_column(sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
        batch.add_column(sa.Column("about", _ID, nullable=True))
    op.create_table(
        "mailing_content",
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        sa.Column("mailing", _ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("variant", sa.Integer(), server_default="0", nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("version", "digest")),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("mailing_content_publication_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["mailing"], ["mailing.id"], name=op.f("mailing_content_mailing_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("mailing_content_pkey")),
        sa.UniqueConstraint(
            *("mailing", "revision", "variant"),
            name=op.f("mailing_content_mailing_revision_variant_key"),
        ),
        sqlite_autoincrement=True,
    )


def _mailing() -> sa.Table:
    """The table as 0007 left it: SQLite tells too little of its constraints."""
    texts = ("ref", "issue", "slug", "purpose", "status")
    return sa.Table(
        "mailing",
        sa.MetaData(),
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("canary_last", _ID, nullable=True),
        sa.Column("canary_until", sa.BigInteger(), nullable=True),
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
        sa.Index("mailing_active", "status", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        sa.Index(
            *("mailing_of_issues", "publication", "id"),
            sqlite_where=_OF_ISSUES,
            postgresql_where=_OF_ISSUES,
        ),
        sqlite_autoincrement=True,
    )
