"""Several relays: over which one a delivery went, how each stands, and what went over it each day."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table in ("delivery", "ledger"):
        with op.batch_alter_table(table, recreate="never") as batch:
            batch.add_column(sa.Column("relay", sa.Text()))
    _create_table(
        "relay",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.Column("is_refused", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        unique=("publication", "name"),
    )
    _create_table(
        "relay_day",
        sa.Column("relay", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("taken", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent", sa.Integer(), server_default="0", nullable=False),
        unique=("publication", "relay", "day"),
    )


def _create_table(name: str, *columns: "sa.Column[object]", unique: tuple[str, ...]) -> None:
    op.create_table(
        name,
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f(f"{name}_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"{name}_pkey")),
        sa.UniqueConstraint(*unique, name=op.f(f"{name}_{'_'.join(unique)}_key")),
        sqlite_autoincrement=True,
    )
