"""How many read the feeds: aggregators' reports, and clients that are counted for a day."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create(
        "reading_day",
        ["day"],
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
    )
    _create(
        "reading_client",
        ["day", "feed", "hash"],
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
    _create(
        "reading_count",
        ["day", "feed"],
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("clients", sa.Integer(), nullable=False),
    )
    _create(
        "reading_report",
        ["feed", "aggregator", "feed_id"],
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("aggregator", sa.Text(), nullable=False),
        sa.Column("feed_id", sa.Text(), nullable=False),
        sa.Column("subscribers", sa.Integer(), nullable=False),
        sa.Column("is_known", sa.Integer(), nullable=False),
        sa.Column("seen_on", sa.Text(), nullable=False),
    )


def _create(name: str, unique: list[str], *columns: "sa.Column[object]") -> None:
    """Make a table of a publication's, in which `unique` is found once."""
    key = ["publication", *unique]
    op.create_table(
        name,
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f(f"{name}_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"{name}_pkey")),
        sa.UniqueConstraint(*key, name=op.f(f"{name}_{'_'.join(key)}_key")),
        sqlite_autoincrement=True,
    )
