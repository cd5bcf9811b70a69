"""Functions that the two databases know by different names."""

from typing import Any

from sqlalchemy import BigInteger
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
