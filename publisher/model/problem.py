"""A problem: one named thing that is wrong, where, and what to do about it."""

from collections.abc import Iterable
from typing import Literal

import msgspec

Level = Literal["error", "warning", "info"]

_ORDER = {"error": 0, "warning": 1, "info": 2}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One diagnostic. `file` is relative to the publication's folder, `line` counts from 1.

    `rule` names an entry of the catalogue (`publisher.preflight.catalogue`). Where a problem
    concerns the publication or a whole file, `line` is None.
    """

    rule: str
    level: Level
    file: str | None = None
    line: int | None = None
    message: str
    fix: str


def has_errors(problems: Iterable[Problem]) -> bool:
    """Tell whether any problem is of level error, the only level that stops a build or a send."""
    return any(problem.level == "error" for problem in problems)


def in_reading_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems by file, line and weight, each one once, so that the same input reads alike."""
    unique = dict.fromkeys(problems)
    return tuple(
        sorted(
            unique, key=lambda p: (p.file or "", p.line or 0, _ORDER[p.level], p.rule, p.message)
        )
    )
