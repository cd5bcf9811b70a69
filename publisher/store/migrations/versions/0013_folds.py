"""Many readers: deliveries of old mailings folded into totals, and an index of who has paused."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _create_table(
        "mailing_fold",
        sa.Column("mailing", _ID, nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("first_at", sa.BigInteger()),
        sa.Column("last_at", sa.BigInteger()),
        sa.Column("tried", sa.Integer(), server_default="0", nullable=False),
        sa.Column("deferred", sa.Integer(), server_default="0", nullable=False),
        sa.Column("turned", sa.BigInteger()),
        unique=("mailing",),
    )
    _create_table(
        "mailing_total",
        sa.Column("mailing", _ID, nullable=False),
        sa.Column("word", _TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("variant", sa.Integer(), server_default="0", nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        unique=("mailing", "word", "revision", "variant"),
    )
    op.create_index("mailing_by_end", "mailing", ["publication", "finished_at"])
    has_paused = sa.text("paused_until IS NOT NULL")
    op.create_index(
        "subscriber_who_paused",
        "subscriber",
        ["publication", "id"],
        sqlite_where=has_paused,
        postgresql_where=has_paused,
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
        sa.ForeignKeyConstraint(["mailing"], ["mailing.id"], name=op.f(f"{name}_mailing_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"{name}_pkey")),
        sa.UniqueConstraint(*unique, name=op.f(f"{name}_{'_'.join(unique)}_key")),
        sqlite_autoincrement=True,
    )
