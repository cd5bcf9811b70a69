"""Functions that the two databases know by different names."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class larger(FunctionElement[int]):  # noqa: N801 - spoken like SQLAlchemy's own
    """The larger one of two numbers."""

    name = "larger"
    type = BigInteger()
    inherit_cache = True


class place_of(FunctionElement[int]):  # noqa: N801
    """Where in a text another one begins, from 1 on; 0 where it is not in it."""

    name = "place_of"
    type = BigInteger()
    inherit_cache = True


class _is_like(FunctionElement[bool]):  # noqa: N801
    """Whether a text is like a pattern, in any case where it is ASCII."""

    name = "is_like"
    type = Boolean()
    inherit_cache = True


def has_part(text: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    """Whether another text is a part of one, in any case where it is ASCII."""
    for each in "/%_":
        part = part.replace(each, f"/{each}")
    return _is_like(text, f"%{part}%")


@compiles(larger, "sqlite")
def _larger_in_sqlite(element: larger, compiler: Any, **options: Any) -> str:
    return f"max({compiler.process(element.clauses, **options)})"


@compiles(larger, "postgresql")
def _larger_in_postgresql(element: larger, compiler: Any, **options: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **options)})"


@compiles(place_of, "sqlite")
def _place_in_sqlite(element: place_of, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(place_of, "postgresql")
def _place_in_postgresql(element: place_of, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


# To make all of it small first, as SQLAlchemy has it done, takes twice as long as looking.
@compiles(_is_like, "sqlite")
def _like_in_sqlite(element: _is_like, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(each, **options) for each in element.clauses)
    return f"({text} LIKE {pattern} ESCAPE '/')"


@compiles(_is_like, "postgresql")
def _like_in_postgresql(element: _is_like, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(each, **options) for each in element.clauses)
    return f"({text} ILIKE {pattern} ESCAPE '/')"
