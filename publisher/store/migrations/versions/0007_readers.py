"""Imports that were run in the console, and indexes for what it shows of readers over time."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_RETURNED = sa.text("event IN ('bounced', 'soft_bounced', 'complained', 'left')")
_OF_ISSUES = sa.text("purpose = 'issue'")


def upgrade() -> None:
    op.create_table(
        "imported",
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        *(_text(name) for name in ("name", "who")),
        _text("client", default=""),
        _text("status"),
        _text("fault", default=""),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        *(_number(name) for name in ("added", "updated", "skipped", "rejected_total")),
        _text("rejected", default="[]"),
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f("imported_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("imported_pkey")),
        sa.CheckConstraint(
            "status IN ('running', 'done', 'stopped', 'failed')", name=op.f("imported_status")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("imported_by_publication", "imported", ["publication", "id"])
    op.create_index("consent_by_time", "consent", ["publication", "at"])
    _create_partial("ledger_returned", "ledger", ["publication", "id"], _RETURNED)
    _create_partial("ledger_returned_of_mailing", "ledger", ["mailing", "event"], _RETURNED)
    _create_partial("mailing_of_issues", "mailing", ["publication", "id"], _OF_ISSUES)


def _create_partial(name: str, table: str, columns: list[str], where: "sa.TextClause") -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _text(name: str, default: str | None = None) -> "sa.Column[object]":
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _number(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)
