"""Operators, their sessions and invitations, API tokens, and who did what."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ROLES = "role IN ('viewer', 'editor', 'sender', 'owner')"
_NOT_REVOKED = sa.text("revoked_at IS NULL")


def upgrade() -> None:
    _create(
        "operator",
        _text("email"),
        _text("key"),
        _text("name", default=""),
        _text("role"),
        _text("password_hash"),
        _moment("created_at"),
        _moment("password_changed_at"),
        _moment("last_login_at", nullable=True),
        _moment("removed_at", nullable=True),
        sa.UniqueConstraint("publication", "key", name=op.f("operator_publication_key_key")),
        sa.CheckConstraint(_ROLES, name=op.f("operator_role")),
    )
    _create(
        "session",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("operator", _ID, nullable=False),
        _text("data"),
        _moment("created_at"),
        _moment("used_at"),
        sa.UniqueConstraint("hash", name=op.f("session_hash_key")),
        sa.ForeignKeyConstraint(
            ["operator"], ["operator.id"], name=op.f("session_operator_fkey"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("session_operator"), "session", ["operator"])
    _create(
        "invitation",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        _text("email"),
        _text("key"),
        _text("name", default=""),
        _text("role"),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
        sa.UniqueConstraint("hash", name=op.f("invitation_hash_key")),
        sa.CheckConstraint(_ROLES, name=op.f("invitation_role")),
    )
    op.create_index("invitation_by_key", "invitation", ["publication", "key"])
    _create(
        "api_token",
        _text("name"),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        _text("prefix"),
        _text("scopes"),
        sa.Column("operator", _ID, nullable=True),
        _moment("created_at"),
        _moment("expires_at", nullable=True),
        _moment("last_used_at", nullable=True),
        _moment("revoked_at", nullable=True),
        sa.UniqueConstraint("hash", name=op.f("api_token_hash_key")),
        sa.ForeignKeyConstraint(
            ["operator"], ["operator.id"], name=op.f("api_token_operator_fkey")
        ),
    )
    op.create_index(op.f("api_token_operator"), "api_token", ["operator"])
    op.create_index(
        "api_token_by_name",
        "api_token",
        ["publication", "name"],
        unique=True,
        sqlite_where=_NOT_REVOKED,
        postgresql_where=_NOT_REVOKED,
    )
    _create(
        "audit",
        _moment("at"),
        _text("who"),
        _text("action"),
        _text("about", default=""),
        _text("detail", default=""),
        _text("client", default=""),
    )
    op.create_index("audit_by_who", "audit", ["publication", "who", "id"])
    op.create_index("audit_by_action", "audit", ["publication", "action", "id"])


def _text(name: str, default: str | None = None) -> "sa.Column[object]":
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _create(name: str, *parts: "sa.Column[object] | sa.Constraint") -> None:
    """Make a table of a publication's."""
    op.create_table(
        name,
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        *parts,
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=op.f(f"{name}_publication_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"{name}_pkey")),
        sqlite_autoincrement=True,
    )
