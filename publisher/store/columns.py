"""What the tables are made of: moments, ids, texts, names of constraints."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    event,
)
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def from_milliseconds(number: int) -> datetime:
    return _EPOCH + number * _MILLISECOND


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept as milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_milliseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else from_milliseconds(value)


# SQLite counts rows by INTEGER alone; PostgreSQL would run out of those.
Id = BigInteger().with_variant(Integer(), "sqlite")

# Texts are in the order of their bytes, as SQLite has them, whatever language the server speaks.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


@event.listens_for(Column, "before_parent_attach")
def _order_by_bytes(column: Column[Any], parent: Any) -> None:
    """Let each text of ours be compared in the same way on both databases."""
    if type(column.type) is Text and getattr(parent, "metadata", None) is metadata:
        column.type = _TEXT


def table(name: str, *columns: Any) -> Table:
    """A table of a publication's, whose ids are never used again."""
    return Table(
        name,
        metadata,
        Column("id", Id, primary_key=True),
        Column("publication", Id, ForeignKey("publication.id"), nullable=False),
        *columns,
        sqlite_autoincrement=True,
    )


def one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
