"""What readers choose, and what mailings make of that: variants, and one message a week."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PURPOSES = "purpose IN ('issue', 'correction', 'confirmation', 'preferences', 'address', 'welcome', 'notice', 'alert', 'test', 'weekly')"
_CONTENTS = "content IN ('full', 'headlines')"
_FORMS = "form IN ('full', 'headlines')"
_CHOSE = sa.text("(content <> 'full' OR tags <> '' OR frequency <> 'daily')")
_OF_WEEKS = sa.text("purpose = 'weekly'")
_ACTIVE = sa.text("status IN ('sending', 'paused')")


def upgrade() -> None:
    with op.batch_alter_table("subscriber", recreate="never") as batch:
        batch.add_column(_text("content", "full", _CONTENTS, "subscriber_content"))
        batch.add_column(_text("tags", ""))
        batch.add_column(
            _text(
                "frequency",
                "daily",
                "frequency IN ('daily', 'weekly')",
                "subscriber_frequency",
            )
        )
        batch.add_column(sa.Column("weekly_until", sa.BigInteger()))
    op.create_index(
        "subscriber_who_chose",
        "subscriber",
        ["publication", "content", "tags"],
        sqlite_where=_CHOSE,
        postgresql_where=_CHOSE,
    )
    with op.batch_alter_table("delivery", recreate="never") as batch:
        batch.add_column(sa.Column("variant", sa.Integer(), server_default="0", nullable=False))
    # SQLite changes what a column may hold by making the table anew; and what stands behind the
    # content is found by reading that.
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table(
        "mailing", copy_from=_mailing(), recreate="always" if is_sqlite else "never"
    ) as batch:
        batch.add_column(_text("highlights", ""), insert_before="digest" if is_sqlite else None)
        batch.drop_constraint(op.f("mailing_purpose"), type_="check")
        batch.create_check_constraint(op.f("mailing_purpose"), sa.text(_PURPOSES))
    op.create_index(
        "mailing_of_weeks",
        "mailing",
        ["publication", "id"],
        sqlite_where=_OF_WEEKS,
        postgresql_where=_OF_WEEKS,
    )
    place = "version" if is_sqlite else None
    with op.batch_alter_table(
        "mailing_content",
        copy_from=_mailing_content(),
        recreate="always" if is_sqlite else "never",
    ) as batch:
        batch.add_column(_text("form", "full"), insert_before=place)
        batch.add_column(_text("highlights", ""), insert_before=place)
        batch.create_check_constraint(op.f("mailing_content_form"), sa.text(_FORMS))
    _create_table(
        "mailing_choice",
        _text("content"),
        _text("tags"),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("variant", sa.Integer(), nullable=False),
        sa.CheckConstraint(_CONTENTS, name=op.f("mailing_choice_content")),
        unique=("mailing", "content", "tags", "held"),
    )
    _create_table(
        "mailing_issue",
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        _text("issue"),
        _text("version"),
        unique=("mailing", "revision", "issue"),
    )
    op.create_index("mailing_issue_by_issue", "mailing_issue", ["publication", "issue"])


def _text(
    name: str, default: str | None = None, check: str = "", constraint: str = ""
) -> "sa.Column[object]":
    checks = [sa.CheckConstraint(check, name=op.f(constraint))] if check else []
    return sa.Column(name, sa.Text(), *checks, server_default=default, nullable=False)


def _create_table(name: str, *columns: "sa.schema.SchemaItem", unique: tuple[str, ...]) -> None:
    op.create_table(
        name,
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        sa.Column("mailing", _ID, nullable=False),
        *columns,
        *_keys(name, unique, is_new=True),
        sqlite_autoincrement=True,
    )


def _keys(table: str, unique: tuple[str, ...], *, is_new: bool) -> list["sa.Constraint"]:
    named = op.f if is_new else str
    key = f"{table}_{'_'.join(unique)}_key"
    return [
        sa.ForeignKeyConstraint(
            ["publication"], ["publication.id"], name=named(f"{table}_publication_fkey")
        ),
        sa.ForeignKeyConstraint(["mailing"], ["mailing.id"], name=named(f"{table}_mailing_fkey")),
        sa.PrimaryKeyConstraint("id", name=named(f"{table}_pkey")),
        sa.UniqueConstraint(*unique, name=named(key)),
    ]


def _mailing_content() -> sa.Table:
    """The table as 0009 made it."""
    return sa.Table(
        "mailing_content",
        sa.MetaData(),
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        sa.Column("mailing", _ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("variant", sa.Integer(), server_default="0", nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("version", "digest")),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *_keys("mailing_content", ("mailing", "revision", "variant"), is_new=False),
        sqlite_autoincrement=True,
    )


def _mailing() -> sa.Table:
    """The table as 0009 left it: SQLite tells too little of its constraints."""
    texts = ("ref", "issue", "slug", "purpose", "status")
    return sa.Table(
        "mailing",
        sa.MetaData(),
        sa.Column("id", _ID, nullable=False),
        sa.Column("publication", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
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
        *_partial("mailing_of_issues", "issue"),
        *_partial("mailing_of_corrections", "correction"),
        sqlite_autoincrement=True,
    )


def _partial(name: str, purpose: str) -> list[sa.Index]:
    where = sa.text(f"purpose = '{purpose}'")
    return [sa.Index(name, "publication", "id", sqlite_where=where, postgresql_where=where)]
