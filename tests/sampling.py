"""Of many like cases some for every change, and all of them in `make prove`."""

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(number: int, cases: Iterable[Any]) -> list[Any]:
    """The cases for `parametrize`: the first of each `number` of them is looked at every time.

    A case is what is tried, or a tuple where there are several parameters.
    """
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)),
            marks=() if place % number == 0 else pytest.mark.long,
        )
        for place, case in enumerate(cases)
    ]
