"""What the API answered to changes that came with an Idempotency-Key."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "answer",
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        sa.Column("token", _ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("answer_publication_fkey")
        ),
        sa.ForeignKeyConstraint(["token"], ["api_token.id"], name=op.f("answer_token_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("answer_pkey")),
        sa.UniqueConstraint("token", "key", name=op.f("answer_token_key_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("answer_by_at", "answer", ["publication", "at"])
