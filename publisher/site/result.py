"""What a task of the build yields."""

import msgspec

from publisher.model.problem import Problem
from publisher.site.write import Output


class Result(msgspec.Struct, frozen=True):
    """Files of the site, and what is wrong with them."""

    outputs: tuple[Output, ...]
    problems: tuple[Problem, ...] = ()
