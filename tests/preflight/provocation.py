"""What provokes a rule."""

from collections.abc import Callable

import msgspec

from publisher.model.problem import Problem

Provoke = Callable[[], list[Problem]]


class Provocation(msgspec.Struct, frozen=True):
    """`wrong` must raise the rule, `right` must not; None where nothing comes near."""

    wrong: Provoke
    right: Provoke | None = None
