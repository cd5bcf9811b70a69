"""Approvals: who approved which content of an issue."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("operator", _ID, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("approval_publication_fkey")
        ),
        sa.ForeignKeyConstraint(["operator"], ["operator.id"], name=op.f("approval_operator_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("approval_pkey")),
        sa.UniqueConstraint(
            "publication",
            "issue",
            "digest",
            "operator",
            name=op.f("approval_publication_issue_digest_operator_key"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("approval_operator"), "approval", ["operator"])
    op.create_index("approval_by_issue", "approval", ["publication", "issue", "id"])
