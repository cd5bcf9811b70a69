"""Sends that are planned, and can be taken back until they start; canaries of mailings."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STATUSES = "status IN ('waiting', 'started', 'taken_back', 'refused', 'overtaken')"
_WAITING = sa.text("status = 'waiting'")


def upgrade() -> None:
    op.add_column("mailing", sa.Column("canary_last", _ID, nullable=True))
    op.add_column("mailing", sa.Column("canary_until", sa.BigInteger(), nullable=True))
    op.create_table(
        "planned_send",
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        *(_text(name) for name in ("issue", "slug", "digest", "who", "client", "status")),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        _text("reason", default=""),
        _text("closed_by", default=""),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("mailing", _ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("planned_send_publication_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["mailing"], ["mailing.id"], name=op.f("planned_send_mailing_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("planned_send_pkey")),
        sa.CheckConstraint(_STATUSES, name=op.f("planned_send_status")),
        sqlite_autoincrement=True,
    )
    op.create_index("planned_send_by_issue", "planned_send", ["publication", "issue", "id"])
    op.create_index(
        "planned_send_waiting",
        "planned_send",
        ["publication", "issue"],
        unique=True,
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )


def _text(name: str, default: str | None = None) -> "sa.Column[object]":
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)
